"""What became of one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """What became of one file: `features` (an analysis as plain data, with its vibe) or `error` (code, message)."""

    path: Path
    features: dict[str, Any] | None
    error: dict[str, str] | None
    unchanged: bool = False
