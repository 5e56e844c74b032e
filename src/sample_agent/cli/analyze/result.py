"""What became of one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """What became of one file: `features` (an analysis as plain data, with its vibe) or `error` (code, message).

    Attributes:
        unchanged: an earlier run found it out.
        frames: when asked for, the descriptors of every frame as `description.describe_frames_too` packs them.
        tried_by: the version of the engine that found the error.
    """

    path: Path
    features: dict[str, Any] | None
    error: dict[str, str] | None
    unchanged: bool = False
    frames: bytes | None = None
    tried_by: str | None = None

    @property
    def engine_version(self) -> str | None:
        """Of the engine that analysed the file, or tried to; None when that is not known."""
        return self.tried_by if self.features is None else self.features.get("engine_version")
