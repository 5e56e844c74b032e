"""The audio files that a command was pointed at."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import typer

_AUDIO_SUFFIXES = frozenset(
    ".wav .wave .bwf .aif .aiff .aifc .flac .mp3 .ogg .oga .opus .m4a .mp4 .aac .m4b".split()  # noqa: SIM905
)
_STREAMS = ("/dev/stdin", "/dev/fd", "/proc")


def warn(sentence: str) -> None:
    """Say on standard error what is left out."""
    typer.secho(sentence, fg="yellow", err=True)


def audio_files(paths: Iterable[Path], tell: Callable[[str], None] = warn) -> Iterator[Path]:
    """Each file of `paths`, and each audio file in their folders and all below, once and in a fixed order.

    Links to folders are followed, after everything that lies in `paths` itself; a folder is searched once, however
    many links lead to it. Walks as it is asked for the next, so that the number of files costs no memory.

    Args:
        tell: is called with a sentence about each file and folder that cannot be read.

    Raises:
        typer.BadParameter: a path does not exist, or is a stream.
    """
    places = _apart(list(paths))
    named = {place.resolve() for place in places if not place.is_dir()}
    search = _Search(tell)
    for place in places:
        yield from search.below(place) if place.is_dir() else [place]
    for linked in search.links():
        yield from (file for file in search.below(linked) if not named or file.resolve() not in named)


def _apart(paths: list[Path]) -> list[Path]:
    """The paths without those that another one holds already."""
    for path in paths:
        _check(path)
    real = {path.resolve(): path for path in reversed(paths)}
    kept = {place for place in real if not any(holder in real for holder in place.parents)}
    return [path for place, path in reversed(real.items()) if place in kept]


def _check(path: Path) -> None:
    if path.exists():
        # What standard input is to this process, it is not to those that analyse.
        stream = any(path.absolute().is_relative_to(place) for place in _STREAMS)
        if not stream and (path.is_file() or path.is_dir()):
            return
    elif str(path) != "-":
        raise typer.BadParameter(f"No such file or folder: {path}")
    raise typer.BadParameter(f"{path} is a stream. Streams are not read: name audio files, or folders to search.")


class _Search:
    """Audio files in folders, with what has been searched already and the links that are still to be followed."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._searched: set[tuple[int, int]] = set()
        self._links: deque[Path] = deque()

    def links(self) -> Iterator[Path]:
        """Links to folders that were come across, and those that are come across on the way."""
        while self._links:
            yield self._links.popleft()

    def below(self, top: Path) -> Iterator[Path]:
        """The audio files in a folder and in those below that no earlier search was in."""
        for root, folders, names in os.walk(top, onerror=self._left_out):
            if self._seen(root):
                folders.clear()
                continue
            # Hidden files, and the twins that macOS leaves on foreign disks and in archives.
            shown = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
            self._links.extend(path for name in shown if os.path.islink(path := Path(root, name)))  # noqa: PTH114
            folders[:] = shown
            for name in sorted(names):
                path = Path(root, name)
                if not name.startswith(".") and (path.suffix.lower() in _AUDIO_SUFFIXES or self._sounds(path)):
                    yield path

    def _seen(self, folder: str) -> bool:
        try:
            status = os.stat(folder)  # noqa: PTH116
        except OSError as error:
            self._left_out(error)
            return True
        identity = status.st_dev, status.st_ino
        if identity in self._searched:
            return True
        self._searched.add(identity)
        return False

    def _sounds(self, path: Path) -> bool:
        """Whether a file whose name promises nothing holds audio all the same."""
        from sample_agent.engine.decoding.sniff import SNIFF_BYTES, sniff_format

        try:
            if not path.is_file():
                return False
            with path.open("rb") as file:
                return sniff_format(file.read(SNIFF_BYTES)) is not None
        except OSError as error:
            self._left_out(error)
            return False

    def _left_out(self, error: OSError) -> None:
        self._tell(f"Left out: {_text(error.filename)} cannot be read ({error.strerror}).")


def _text(path: str | bytes | None) -> str:
    return os.fsencode(path or "").decode("utf-8", "backslashreplace")
