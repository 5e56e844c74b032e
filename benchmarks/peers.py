"""Environments of their own for the programs we are compared with; they are never dependencies.

    python benchmarks/peers.py [NAME…]

makes them under benchmarks/.peers; a benchmark that needs one makes it on its first run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent / ".peers"

# librosa 0.11 with a numba that its beat tracker does not crash in.
LIBROSA = ("librosa==0.11.0", "numba==0.62.1", "numpy==2.2.6", "pyloudnorm==0.1.1")
PACKAGES = {
    "librosa": LIBROSA,
    # aubio itself has no wheels for today's Python; this is its maintained build.
    "analysis": (*LIBROSA, "essentia==2.1b6.dev1389", "aubio-ledfx==0.4.12", "sonara==0.3.6"),
    # A pretrained net, with its weights in the package. Three gigabytes, of torch for the most part.
    "embedding": ("torch==2.9.1", "numpy==2.2.6", "tqdm==4.67.1", "essentia==2.1b6.dev1389", "aisfx==0.1.2"),
    # pedalboard is GPL: a yardstick, and nothing that could be shipped.
    "stretch": (
        "python-stretch==0.3.1",
        "bungee-python==0.2.1",
        "pedalboard==0.9.26",
        "numpy==2.4.6",
    ),
}

_WITHOUT_PINS = ("aisfx==0.1.2",)
"""What asks for versions that this Python has not, and works with others."""

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)
"""What makes every library involved use one thread."""


def peer_python(name: str) -> Path:
    """The Python of an environment, made on the first call."""
    folder = FOLDER / name
    python, installed = folder / "bin" / "python", folder / "packages.json"
    if installed.exists() and json.loads(installed.read_text()) == list(PACKAGES[name]):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    uv = Path(__file__).parent.parent / ".tools" / "bin" / "uv"
    tool = str(uv) if uv.exists() else shutil.which("uv")
    if tool:
        subprocess.run([tool, "venv", "-q", "--python", sys.executable, folder], check=True)
        install = [tool, "pip", "install", "-q", "--python", python]
    else:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "-q"]
    subprocess.run([*install, *(each for each in PACKAGES[name] if each not in _WITHOUT_PINS)], check=True)
    for each in set(PACKAGES[name]) & set(_WITHOUT_PINS):
        subprocess.run([*install, "--no-deps", each], check=True)
    installed.write_text(json.dumps(PACKAGES[name]))
    return python


def peer_versions(name: str, packages: Sequence[str]) -> dict[str, str]:
    """Which versions of `packages` an environment holds."""
    code = f"import importlib.metadata as m, json; print(json.dumps({{n: m.version(n) for n in {tuple(packages)!r}}}))"
    said = subprocess.run([peer_python(name), "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(said.stdout)
    return found


def environment() -> dict[str, str]:
    """The environment for a measured program: one thread."""
    return os.environ | ONE_THREAD


if __name__ == "__main__":
    for wanted in sys.argv[1:] or PACKAGES:
        print(peer_python(wanted))
