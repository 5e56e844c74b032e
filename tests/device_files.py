"""Files written by real units, for tests. They are other people's, so they are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

DEVICE_FILES = Path(
    os.environ.get("SAMPLE_AGENT_SP404_VECTORS") or Path(__file__).parent.parent.parent / "shared" / "sp404" / "vectors"
)
UGC = DEVICE_FILES / "jorgb_ugc-tools" / "testing" / "SP404mk2"
UTTORI = DEVICE_FILES / "uttori"

_WHY_SKIPPED = f"no files of real units at {DEVICE_FILES} (set SAMPLE_AGENT_SP404_VECTORS)"

needs_device_files = pytest.mark.skipif(not DEVICE_FILES.is_dir(), reason=_WHY_SKIPPED)


def every_device_file(pattern: str) -> list[Any]:
    """Parameters for `pytest.mark.parametrize`: the paths that match, or one that is skipped with the reason."""
    found = sorted(DEVICE_FILES.glob(f"**/{pattern}"))
    if not found:
        return [pytest.param(None, marks=pytest.mark.skip(reason=_WHY_SKIPPED))]
    return [pytest.param(path, id=str(path.relative_to(DEVICE_FILES))) for path in found]
