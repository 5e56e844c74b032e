"""The files below one folder, of a disk or of an archive: what a project or a card is read from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.projects.archive import MAX_FILE_BYTES, MAX_MEMBERS, archive_members, is_zip
from sample_agent.sp404.projects.content import Content, FileContent

_MAX_ENTRIES = 200_000
_MAX_DEPTH = 12
_SEARCH_DEPTH = 5  # CARD/EXPORT/PROJECT/PROJECT_01/PADCONF.BIN
_LITTER = frozenset(
    (".ds_store", ".spotlight-v100", ".trashes", ".fseventsd", ".temporaryitems", ".apdisk", "__macosx", "icon\r")
)


@dataclass(frozen=True)
class Tree:
    """Files by path, "SMPL/BANK1-01.SMP", sorted.

    shown: what to call the folder in messages. name: the folder's own name. folder: its path below the place that was
    searched ("EXPORT/PROJECT/PROJECT_01"; "" is that place itself). litter: how many files were passed over that macOS
    leaves about.
    """

    shown: str
    name: str
    folder: str
    files: Mapping[str, Content]
    litter: int = 0


def open_tree(path: Path, marker: str, kind: str) -> Tree:
    """The one folder at or below `path` that holds the file `marker`, "PADCONF.BIN" or "SMPL/PAD_INFO.BIN".

    path: a folder, an archive, or a folder inside an archive ("card.zip/EXPORT/PROJECT/PROJECT_01").
    Letter case does not matter. Raises `FormatError` when there is none or more than one (its message lists them),
    for links within it and for names that are the same but for their case; FileNotFoundError when there is no `path`.
    """
    found, litter = _all_files(path)
    folders = _holding(found, marker)
    if not folders:
        raise FormatError(kind, f"there is no {marker} in it", path=str(path))
    if len(folders) > 1:
        shown = ", ".join(folders[:20]) + (" …" if len(folders) > 20 else "")
        raise FormatError(kind, f"it holds several; name the folder of one: {shown}", path=str(path))
    folder = folders[0]
    prefix = f"{folder}/" if folder else ""
    inside = {name.removeprefix(prefix): found[name] for name in sorted(found) if name.startswith(prefix)}
    if len(inside) > MAX_MEMBERS:
        raise FormatError(kind, f"it holds more than {MAX_MEMBERS:,} files", path=str(path))
    files = {name: _content(path, prefix + name, each, kind) for name, each in inside.items()}
    _refuse_clashes(path, files, kind)
    name = folder.rpartition("/")[2] or (path.stem if path.is_file() else path.absolute().name)
    return Tree(str(path / folder), name, folder, files, litter)


def folders_holding(path: Path, marker: str) -> list[str]:
    """The folders at or below `path` that hold the file `marker`, as paths below it ("" is `path` itself)."""
    return _holding(_all_files(path)[0], marker)


_Found = Mapping[str, "Content | os.DirEntry[str]"]


def _all_files(path: Path) -> tuple[_Found, int]:
    if path.is_dir():
        return _without_litter(_walked(path))
    archive = next((each for each in (path, *path.parents) if each.is_file()), None)
    if archive is None:
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    if not is_zip(archive):
        raise FormatError("ZIP", "it is neither a folder nor an archive", path=str(archive))
    inside = "".join(f"{part}/" for part in path.relative_to(archive).parts)
    below = {
        name[len(inside) :]: each
        for name, each in archive_members(archive).items()
        if name[: len(inside)].casefold() == inside.casefold()
    }
    if inside and not below:
        raise FileNotFoundError(f"{archive}: there is no folder {inside.rstrip('/')} in it.")
    return _without_litter(below)


def _walked(top: Path) -> dict[str, Content | os.DirEntry[str]]:
    """Every file below a folder. Links are listed and not followed."""
    found: dict[str, Content | os.DirEntry[str]] = {}
    waiting = [("", 0)]
    while waiting:
        folder, depth = waiting.pop()
        with os.scandir(top / folder) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if not entry.is_dir(follow_symlinks=False):
                    found[name] = entry
                elif depth < _MAX_DEPTH:
                    waiting.append((name, depth + 1))
                if len(found) + len(waiting) > _MAX_ENTRIES:
                    raise FormatError("folder", f"it holds more than {_MAX_ENTRIES:,} files", path=str(top))
    return found


def _without_litter(found: _Found) -> tuple[_Found, int]:
    kept = {name: each for name, each in found.items() if not _is_litter(name)}
    return kept, len(found) - len(kept)


def _is_litter(name: str) -> bool:
    return any(part.startswith("._") or part.lower() in _LITTER for part in name.split("/"))


def _holding(found: Iterable[str], marker: str) -> list[str]:
    """Folders with the marker, and of those only the outermost: a copy within a project is a file of the project.

    What lies in a hidden folder has been thrown away, or was never finished.
    """
    folders = [
        name[: -len(marker)].rstrip("/")
        for name in found
        if f"/{name.upper()}".endswith(f"/{marker}") and name.count("/") <= _SEARCH_DEPTH and not _is_hidden(name)
    ]
    folders.sort(key=lambda each: (each.count("/") if each else -1, each))
    outermost: list[str] = []
    for folder in folders:
        if not any(outer == "" or folder == outer or folder.startswith(f"{outer}/") for outer in outermost):
            outermost.append(folder)
    return outermost


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part.upper() == "$RECYCLE.BIN" for part in name.split("/"))


def _content(path: Path, name: str, found: Content | os.DirEntry[str], kind: str) -> Content:
    if not isinstance(found, os.DirEntry):
        return found
    if not found.is_file(follow_symlinks=False):
        raise FormatError(kind, f"{name!r} is a link or no plain file", path=str(path))
    size = found.stat(follow_symlinks=False).st_size
    if size > MAX_FILE_BYTES:
        raise FormatError(kind, f"{name!r} has {size:,} bytes, more than any sample of the unit", path=str(path))
    return FileContent(Path(found.path), size)


def _refuse_clashes(path: Path, names: Iterable[str], kind: str) -> None:
    """The card's file system does not tell "a" from "A", nor can a name be a file and a folder."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        if "\\" in name or not name.isprintable():
            raise FormatError(kind, f"{name!r} is no name for a file on a card", path=str(path))
        other = files.setdefault(name.casefold(), name)
        if other != name:
            raise FormatError(kind, f"{other!r} and {name!r} are the same to the unit", path=str(path))
        folder = name
        while folder := folder.rpartition("/")[0]:
            folders.setdefault(folder.casefold(), name)
    for key in files.keys() & folders.keys():
        raise FormatError(kind, f"{files[key]!r} is a file and a folder", path=str(path))
