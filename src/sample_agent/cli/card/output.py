"""Where a project goes that a command has made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sample_agent.cli.card.errors import write_or_ask

if TYPE_CHECKING:
    from sample_agent.sp404.projects.project import Project


def write_project(project: Project, out: Path, *, folder: str, number: int | None, replace: bool) -> str:
    """Write to a folder, or to an archive when `out` ends in .zip; returns what was written, in words.

    With a `number` it goes to `EXPORT/PROJECT/PROJECT_nn` below `out`, as on a card. Otherwise a folder is the project
    itself, and in an archive it lies in `folder` ("" is its top).
    """
    from sample_agent.sp404.projects import output as project_output

    inside = "" if number is None else project_output.card_folder(number)
    if out.suffix.lower() == ".zip":
        place = inside or "/".join(_unpackable(part) for part in folder.split("/"))
        write_or_ask(
            lambda may_replace: project_output.write_zip(project, out, place, replace=may_replace), replace=replace
        )
        return f"{out} ({place})" if place else str(out)
    target = out / inside
    write_or_ask(lambda may_replace: project_output.write_folder(project, target, replace=may_replace), replace=replace)
    return str(target)


def _unpackable(name: str) -> str:
    """A folder's name as every computer can unpack it; most are such already."""
    from sample_agent.sp404.names import device_name

    return name if name.isprintable() and not set(name) & set('\\:*?"<>|') else device_name(name, limit=31)
