"""Writing a project: to a folder, to a card's tree, to an archive. The same project always gives the same bytes."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.projects.content import Content, ScratchContent, content_blocks
from sample_agent.sp404.projects.project import PROJECTS, Project
from sample_agent.sp404.projects.stored_zip import StoredZip


class AlreadyThereError(FileExistsError):
    """Something stands where a project is to be written. `replaceable` says whether `replace=True` would help."""

    def __init__(self, message: str, *, replaceable: bool = False) -> None:
        super().__init__(message)
        self.replaceable = replaceable


def card_folder(number: int) -> str:
    """Where project 1 to 16 lies on a card, so that the unit loads it directly: "EXPORT/PROJECT/PROJECT_16"."""
    if not 1 <= number <= PROJECTS:
        raise OutOfRangeError("project", number, f"1 to {PROJECTS}")
    return f"EXPORT/PROJECT/PROJECT_{number:02}"


def write_folder(project: Project, target: Path, *, replace: bool = False) -> None:
    """Write the project's files into the folder `target`.

    They are written beside it and moved there in one step: under its name there is never half a project. Raises
    `AlreadyThereError` when something is there; with `replace`, only when that is no project. A project that is
    replaced stays until the new one stands.
    """
    write_files(project.files(), target, marker="PADCONF.BIN", replace=replace)


def write_card(project: Project, card: Path, number: int, *, replace: bool = False) -> Path:
    """Write the project as number 1 to 16 below the top of a card; returns its folder. Raises as `write_folder`."""
    target = card / card_folder(number)
    write_folder(project, target, replace=replace)
    return target


def project_zip(project: Project, folder: str = "") -> Iterator[bytes]:
    """An archive of the project in pieces; `folder` is the path of its folder in there, `card_folder(16)` say.

    Raises `FormatError` on the way when a sample's file has changed since the project was made.
    """
    return files_zip(project.files(), folder)


def write_zip(project: Project, target: Path, folder: str = "", *, replace: bool = False) -> None:
    """Write `project_zip` to a file; raises `AlreadyThereError`."""
    write_file(project_zip(project, folder), target, replace=replace)


def files_zip(files: dict[str, Content], folder: str) -> Iterator[bytes]:
    """An archive of files by path, in the order given, below `folder`."""
    archive = StoredZip()
    for name, content in files.items():
        checksum = 0
        for block in content_blocks(content, name):
            checksum = zlib.crc32(block, checksum)
        yield archive.entry(f"{folder}/{name}" if folder else name, content.size, checksum)
        second = 0
        for block in content_blocks(content, name):
            second = zlib.crc32(block, second)
            yield block
        if second != checksum:
            raise FormatError(name, "it was changed while it was read")
    yield archive.end()


def write_file(blocks: Iterator[bytes], target: Path, *, replace: bool = False) -> None:
    """Write one file beside `target` and move it there in one step; raises `AlreadyThereError`."""
    target = target.resolve()
    if target.is_dir():
        raise AlreadyThereError(f"{target} is a folder; a file is to be written.")
    if target.exists() and not replace:
        raise AlreadyThereError(f"{target} is there already.", replaceable=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _beside(target) as part:
        with part.open("wb") as file:
            file.writelines(blocks)
        _flush(part)
        part.replace(target)


def write_files(files: dict[str, Content], target: Path, *, marker: str, replace: bool) -> None:
    """Write files by path into a folder as `write_folder` does; a folder that may be replaced holds `marker`."""
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    _refuse_foreign(target, marker, replace)
    with _beside(target, folder=True) as part:
        for name, content in files.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not _linked(content, path):
                with path.open("xb") as file:
                    file.writelines(content_blocks(content, name))
        _put_in_place(part, target)


def _linked(content: Content, path: Path) -> bool:
    """Whether a file of the same disk could be given its name there; a card, or another disk, takes a copy."""
    if not isinstance(content, ScratchContent):
        return False
    try:
        if content.path.stat().st_size != content.size:
            return False
        os.link(content.path, path)
    except OSError:
        return False
    return True


def _refuse_foreign(target: Path, marker: str, replace: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise AlreadyThereError(f"{target} is a file; a folder is to be written.")
    if not any(target.iterdir()):
        return
    if not (target / marker).is_file():
        raise AlreadyThereError(f"{target} is a folder with other things in it, which are not replaced.")
    if not replace:
        raise AlreadyThereError(f"{target} is there already.", replaceable=True)


def _put_in_place(part: Path, target: Path) -> None:
    """Move the finished folder to its name; what was there goes only when the new one stands."""
    if not target.exists():
        # Nothing is given up: a first write does not wait for the disk, which would take a tenth of a whole build.
        part.rename(target)
        return
    # The old one is given up, so the new one has to have reached the disk.
    for path in part.rglob("*"):
        if path.is_file():
            _flush(path)
    old = _free_name(target, "old")
    with _held(target):
        target.rename(old)
        try:
            part.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sweep(target: Path) -> None:
    """Clear away what a run that was killed left beside `target`, and put back what it was about to replace.

    Whatever another process is writing is left alone; so is everything where a disk or a system knows no locks.
    """
    pattern = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.(part|old)")
    for path in sorted(target.parent.iterdir()):
        if match := pattern.fullmatch(path.name):
            with _held(path) as held:
                if held and match[1] == "old" and not target.exists():
                    path.rename(target)
                elif held:
                    _remove(path)


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """A lock on a file or folder that ends with the process; False when another has it or there is none to be had."""
    try:
        import fcntl

        file = os.open(path, os.O_RDONLY)
    except (ImportError, OSError):
        yield False
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            # It may have been swept away between the two.
            yield path.exists() and os.path.samestat(os.fstat(file), path.stat())
    finally:
        os.close(file)


@contextmanager
def _beside(target: Path, *, folder: bool = False) -> Iterator[Path]:
    """A new file or folder to write to, beside `target`; what is not moved away in the end is removed."""
    _sweep(target)
    path = _free_name(target, "part")
    if folder:
        path.mkdir()
    else:
        path.touch(exist_ok=False)
    try:
        with _held(path):
            yield path
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _free_name(target: Path, ending: str) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.{ending}")
