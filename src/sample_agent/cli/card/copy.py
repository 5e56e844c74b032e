"""`sample-agent card copy`: anything the unit writes, read and written again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sample_agent.cli.card.errors import explained, write_or_ask
from sample_agent.cli.card.output import write_project


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

    What is damaged is not copied: the message says where. Only sounds, patterns, pictures and the chain of a project
    are passed on as they are. Files macOS leaves about are left behind.
    """
    from sample_agent.sp404.projects.recognize import Kind, recognize

    with explained():
        kind = recognize(source)
        if kind is Kind.PROJECT:
            written = _copy_project(source, out, replace=replace)
        elif kind is Kind.SX_CARD:
            written = _copy_sx_card(source, out, replace=replace)
        else:
            written = _copy_file(source, out, replace=replace)
    typer.echo(f"Copied a {kind} to {written}.")


def _copy_project(source: Path, out: Path, *, replace: bool) -> str:
    from sample_agent.sp404.projects.reading import open_project_tree, read_project

    tree = open_project_tree(source)
    _refuse_inside(out, tree.shown)
    # An archive keeps its folders; a folder is put into an archive under its own name.
    folder = tree.folder or (tree.name if source.is_dir() else "")
    return write_project(read_project(tree), out, folder=folder, number=None, replace=replace)


def _copy_sx_card(source: Path, out: Path, *, replace: bool) -> str:
    from sample_agent.sp404.projects import output as project_output
    from sample_agent.sp404.projects.sx_card import MARKER, SX_FOLDER, open_sx_tree, read_sx_card

    tree = open_sx_tree(source)
    _refuse_inside(out, tree.shown)
    files = read_sx_card(tree).files()
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


def _refuse_inside(out: Path, folder: str) -> None:
    """A copy within what is copied would be a part of it the next time."""
    if Path(folder).resolve() in out.resolve().parents:
        raise FileExistsError(f"{out} lies in {folder}, which is to be copied.")


def _copy_file(source: Path, out: Path, *, replace: bool) -> str:
    from sample_agent.sp404.projects.device_file import rewritten
    from sample_agent.sp404.projects.output import write_file

    target = out / source.name if out.is_dir() else out
    write_or_ask(
        lambda may_replace: write_file(rewritten(source), target, replace=may_replace),
        replace=replace,
    )
    return str(target)
