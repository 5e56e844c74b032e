"""`sample-agent card copy`: anything the unit writes, read and written again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sample_agent.cli.card.errors import explained, write_or_ask
from sample_agent.cli.card.output import write_project

if TYPE_CHECKING:
    from sample_agent.sp404.recognize import Kind


def copy(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="A project's folder or archive, an SP-404SX card, or a single file.")
    ],
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="Where to write it: a folder or a .zip archive for projects and cards."),
    ],
    replace: Annotated[bool, typer.Option("--replace", help="Write over what is there already.")] = False,
) -> None:
    """Read a project, a card or a file of the unit, and write it again with the same bytes.

    What is damaged is not copied: the message says where. Files macOS leaves about are left behind.
    """
    from sample_agent.sp404.recognize import Kind, recognize

    with explained():
        kind = recognize(source)
        if kind is Kind.PROJECT:
            written = _copy_project(source, out, replace=replace)
        elif kind is Kind.SX_CARD:
            written = _copy_sx_card(source, out, replace=replace)
        else:
            written = _copy_file(kind, source, out, replace=replace)
    typer.echo(f"Copied a {kind} to {written}.")


def _copy_project(source: Path, out: Path, *, replace: bool) -> str:
    from sample_agent.sp404.project_reading import open_project_tree, read_project

    tree = open_project_tree(source)
    # An archive keeps its folders; a folder is put into an archive under its own name.
    folder = tree.folder or (tree.name if source.is_dir() else "")
    return write_project(read_project(tree), out, folder=folder, number=None, replace=replace)


def _copy_sx_card(source: Path, out: Path, *, replace: bool) -> str:
    from sample_agent.sp404 import project_output
    from sample_agent.sp404.sx_card import MARKER, SX_FOLDER, open_sx_tree, read_sx_card

    files = read_sx_card(open_sx_tree(source)).files()
    if out.suffix.lower() == ".zip":
        write_or_ask(
            lambda may_replace: project_output.write_file(
                project_output.files_zip(files, SX_FOLDER), out, replace=may_replace
            ),
            replace=replace,
        )
        return f"{out} ({SX_FOLDER})"
    target = out / SX_FOLDER
    write_or_ask(
        lambda may_replace: project_output.write_files(files, target, marker=MARKER, replace=may_replace),
        replace=replace,
    )
    return str(target)


def _copy_file(kind: Kind, source: Path, out: Path, *, replace: bool) -> str:
    from sample_agent.sp404.errors import FormatError
    from sample_agent.sp404.project_output import write_file

    target = out / source.name if out.is_dir() else out

    def write(may_replace: bool) -> None:
        try:
            write_file(_rewritten(kind, source), target, replace=may_replace)
        except FormatError as error:
            raise error.at(source) from None

    write_or_ask(write, replace=replace)
    return str(target)


def _rewritten(kind: Kind, source: Path) -> Iterator[bytes]:
    """The file decoded and encoded again; sound passes through behind its header."""
    from sample_agent.sp404 import pattern, pattern_chain, picture, project_reading
    from sample_agent.sp404.content import FileContent, content_blocks, read_content
    from sample_agent.sp404.padconf import Padconf
    from sample_agent.sp404.recognize import Kind
    from sample_agent.sp404.smp import HEADER_BYTES, SmpHeader
    from sample_agent.sp404.sx import PAD_INFO_BYTES, SX_HEADER_BYTES, PadInfo, SxPad, SxWavHeader

    file = FileContent.of(source)
    whole: dict[Kind, tuple[int, Callable[[bytes], bytes]]] = {
        Kind.PADCONF: (project_reading.LARGEST_PADCONF, lambda data: Padconf.read(data).to_bytes()),
        Kind.PATTERN: (pattern.MAX_FILE_BYTES, lambda data: pattern.Pattern.read(data).to_bytes()),
        Kind.CHAIN: (pattern_chain.MAX_FILE_BYTES, lambda data: pattern_chain.PatternChain.read(data).to_bytes()),
        Kind.PICTURE: (picture.MAX_FILE_BYTES, lambda data: picture.Picture.read(data).to_bytes()),
        Kind.PAD_INFO: (PAD_INFO_BYTES, lambda data: PadInfo.read(data).to_bytes()),
        Kind.PAD_RECORD: (PAD_INFO_BYTES, lambda data: SxPad.read(data).to_bytes()),
        Kind.STPINFO: (PAD_INFO_BYTES, bytes),
    }
    if kind in whole:
        largest, again = whole[kind]
        yield again(read_content(file, kind, largest))
        return
    blocks = content_blocks(file, kind)
    first = next(blocks, b"")
    size = HEADER_BYTES if kind is Kind.SMP else SX_HEADER_BYTES
    read: Callable[[bytes, int], SmpHeader | SxWavHeader] = SmpHeader.read if kind is Kind.SMP else SxWavHeader.read
    yield read(first[:size], file.size).to_bytes()
    yield first[size:]
    yield from blocks
