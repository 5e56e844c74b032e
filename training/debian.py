"""Sound material out of Debian's packages, unpacked into a folder, not installed."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path


def fetch(package: str, cache: Path) -> Path:
    """The unpacked files of a package, fetched on first use.

    Raises:
        RuntimeError: neither unpacked already nor to be had through apt-get.
    """
    folder = cache / "packages" / package
    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory() as work:
        try:
            subprocess.run(["apt-get", "download", "-q", package], cwd=work, check=True, capture_output=True)
            (archive,) = Path(work).glob("*.deb")
            subprocess.run(["dpkg", "-x", archive, f"{work}/files"], check=True, capture_output=True)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            raise RuntimeError(f"{package} is not to be had; on Debian: apt-get update") from error
        folder.parent.mkdir(parents=True, exist_ok=True)
        Path(work, "files").rename(folder)
    return folder
