"""One file as plain data with its vibe: engine and describer together, for whoever runs them without a service."""

from __future__ import annotations

from typing import Any

from sample_agent.engine import analyze_file
from sample_agent.vibe import describe


def describe_file(path: str, filename: str | None = None) -> dict[str, Any]:
    """The analysis of the file at `path` (`engine.Analysis.to_dict`) and its `vibe` in words.

    Args:
        filename: the name its owner gave it, by default that of `path`.

    Raises:
        AudioError: the file cannot be analysed.
    """
    features = analyze_file(path, filename=filename).to_dict()
    return {**features, "vibe": describe(features)}
