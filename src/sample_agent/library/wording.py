"""A sample in words, as its owner knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sample_agent.library.keys import CAMELOT
from sample_agent.library.models import Sample
from sample_agent.vibe import describe


def is_corrected(sample: Sample) -> bool:
    """Whether the owner knows the tempo, key or kind better than the machine."""
    return any(said is not None for said in (sample.corrected_tempo, sample.corrected_key, sample.corrected_kind))


def vibe_of(sample: Sample, result: Mapping[str, Any]) -> str:
    """The description of an analysis, with the owner's tempo, key and kind in place of the machine's."""
    said: dict[str, Any] = {}
    if sample.corrected_tempo is not None:
        said["tempo"] = {"bpm": sample.corrected_tempo, "confidence": 1.0}
    if sample.corrected_key is not None:
        heard = result.get("key") or {}
        said["key"] = {
            **heard,
            "key": sample.corrected_key,
            "camelot": CAMELOT[sample.corrected_key],
            "confidence": 1.0,
        }
    if sample.corrected_kind is not None:
        said["kind"] = {"kind": sample.corrected_kind, "confidence": 1.0}
    return describe({**result, **said})
