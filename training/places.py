"""Where training finds recordings with known answers, keeps what it computes, and leaves weights."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "src" / "sample_agent" / "engine" / "models" / "weights"
WEIGHTS = Path(os.environ.get("SAMPLE_AGENT_WEIGHTS", SHIPPED))
"""Where weights are left: in the package, or wherever a trial wants them."""

MANIFEST_CLASSES = {
    "closed-hat": "hat",
    "open-hat": "hat",
    "chord": "melodic",
    "percussion": "perc",
    "drum-loop": "drumloop",
    "melodic-loop": "melloop",
}
"""Classes whose name in the manifest is another, or covers two."""


@dataclass(frozen=True)
class Recording:
    """One row of the manifest: `set` (class, tempo, key), the `label` that is right for it, and where it is from."""

    set: str
    path: Path
    label: str
    source: str
    licence: str
    duration: float


def recordings(name: str) -> list[Recording]:
    """The recordings of one set, in the order of the manifest in $SAMPLE_AGENT_AUDIO (by default ../shared/audio).

    Raises:
        FileNotFoundError: there is no manifest.
    """
    folder = Path(os.environ.get("SAMPLE_AGENT_AUDIO", ROOT.parent / "shared" / "audio"))
    with (folder / "manifest.csv").open(newline="") as manifest:
        return [
            Recording(
                row["set"], folder / row["file"], row["label"], row["source"], row["licence"], float(row["duration"])
            )
            for row in csv.DictReader(manifest)
            if row["set"] == name
        ]


def cache_folder(name: str) -> Path:
    """A folder outside the repository for what is slow to compute: $SAMPLE_AGENT_TRAINING or ~/.cache, and `name`."""
    default = Path.home() / ".cache" / "sample-agent-training"
    folder = Path(os.environ.get("SAMPLE_AGENT_TRAINING", default)) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save_weights(name: str, arrays: dict[str, npt.NDArray[np.generic]]) -> Path:
    """Write NAME.npz into `WEIGHTS`, for `np.load(allow_pickle=False)`. The same arrays give the same bytes.

    Raises:
        ValueError: an array holds Python objects, which only pickle could store.
    """
    if any(array.dtype.hasobject for array in arrays.values()):
        raise ValueError("weights are numbers and strings of fixed length")
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    path = WEIGHTS / f"{name}.npz"
    np.savez_compressed(path, allow_pickle=False, **arrays)  # type: ignore[arg-type]
    return path
