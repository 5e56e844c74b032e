"""The audio files that a command was pointed at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

_AUDIO_SUFFIXES = frozenset(
    ".wav .wave .bwf .aif .aiff .aifc .flac .mp3 .ogg .oga .opus .m4a .mp4 .aac .m4b".split()  # noqa: SIM905
)


def audio_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Each file of `paths`, and each audio file in their folders and all below, once and in a fixed order.

    Walks as it is asked for the next, so that the number of files costs no memory.
    Raises typer.BadParameter for a path that does not exist.
    """
    places = _apart(list(paths))
    for place in places:
        yield from _audio_in(place) if place.is_dir() else [place]


def _apart(paths: list[Path]) -> list[Path]:
    """The paths without those that another one holds already."""
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise typer.BadParameter(f"No such file or folder: {missing[0]}")
    real = {path.resolve(): path for path in reversed(paths)}
    kept = {place for place in real if not any(holder in real for holder in place.parents)}
    return [path for place, path in reversed(real.items()) if place in kept]


def _audio_in(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        # Hidden files, and the twins that macOS leaves on foreign disks and in archives.
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and (path.suffix.lower() in _AUDIO_SUFFIXES or _sounds(path)):
                yield path


def _sounds(path: Path) -> bool:
    """Whether a file whose name promises nothing holds audio all the same."""
    from sample_agent.engine.decoding.sniff import SNIFF_BYTES, sniff_format

    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return sniff_format(file.read(SNIFF_BYTES)) is not None
    except OSError:
        return False
