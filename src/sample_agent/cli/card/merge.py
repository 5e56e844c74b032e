"""`sample-agent card merge`: banks of several projects become one project."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sample_agent.cli.card.errors import explained
from sample_agent.cli.card.output import write_project

if TYPE_CHECKING:
    from sample_agent.sp404.projects.merge import BankPart, Merged

_BANKS = "ABCDEFGHIJ"
_WANTED = re.compile(r"(.+):([A-J])(?:=([A-J]))?", re.IGNORECASE | re.DOTALL)


def merge(
    banks: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH:BANK...",
            help="A project and the letter of one of its banks; PATH:C=D makes its bank C the new bank D. "
            "Without a letter of their own, banks become A, B, … in the order given.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the new project, or a .zip archive.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the new project.", show_default="the first project's")
    ] = None,
    project: Annotated[
        int | None,
        typer.Option(min=1, max=16, help="Write it as project 1 to 16 in EXPORT/PROJECT, OUT being the card's top."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a project that is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write what was done as JSON.")] = False,
) -> None:
    """Make one project out of banks of several.

    Banks bring their pads, patterns, tempo and volume. The notes of a pattern follow their pads; what could not be kept
    is listed.
    """
    from sample_agent.sp404.projects.merge import merge_banks

    wanted = _wanted(banks)
    with explained():
        parts = _parts(wanted)
        merged = merge_banks(parts, name or _name_for(parts, out))
        written = write_project(merged.project, out, folder=out.stem, number=project, replace=replace)
    if as_json:
        typer.echo(json.dumps(_as_data(parts, merged, written), indent=2, ensure_ascii=False))
    else:
        _show(parts, merged, written)


@dataclass(frozen=True)
class _Wanted:
    path: Path
    source: int
    target: int


def _wanted(texts: Iterable[str]) -> list[_Wanted]:
    """Banks named on the command line. Those without a place of their own fill the places that are left."""
    found: list[tuple[Path, int, int | None]] = []
    for text in texts:
        match = _WANTED.fullmatch(text)
        if match is None:
            raise typer.BadParameter(f"{text!r} is not a project and a bank, such as MyProject:A or MyProject:A=C.")
        target = None if match[3] is None else _BANKS.index(match[3].upper())
        found.append((Path(match[1]), _BANKS.index(match[2].upper()), target))
    given = {target for *_, target in found if target is not None}
    free = (bank for bank in range(len(_BANKS)) if bank not in given)
    placed = []
    for path, source, target in found:
        place = next(free, None) if target is None else target
        if place is None:
            raise typer.BadParameter(f"A project has {len(_BANKS)} banks; these are more.")
        placed.append(_Wanted(path, source, place))
    return placed


def _parts(wanted: Iterable[_Wanted]) -> list[BankPart]:
    """The banks with their projects, each of which is read once."""
    from sample_agent.sp404.projects.merge import BankPart
    from sample_agent.sp404.projects.project import Project
    from sample_agent.sp404.projects.reading import load_project

    projects: dict[Path, Project] = {}
    parts = []
    for each in wanted:
        place = each.path.resolve()
        if place not in projects:
            projects[place] = load_project(each.path)
        parts.append(BankPart(projects[place], each.source, each.target, str(each.path)))
    return parts


def _name_for(parts: list[BankPart], out: Path) -> str | None:
    """Projects of older firmware have no name; the new one is called like its folder then."""
    from sample_agent.sp404.names import device_name

    return None if parts[0].project.name else device_name(out.stem, limit=31)


def _as_data(parts: list[BankPart], merged: Merged, written: str) -> dict[str, Any]:
    project = merged.project
    return {
        "written": written,
        "name": project.name,
        "banks": [
            {
                "bank": _BANKS[part.target],
                "from": part.label,
                "was": _BANKS[part.source],
                **_counts(merged, part.target),
            }
            for part in sorted(parts, key=lambda each: each.target)
        ],
        "notices": [str(notice) for notice in merged.notices],
    }


def _counts(merged: Merged, bank: int) -> dict[str, int]:
    project = merged.project
    return {
        "pads": sum(slot.bank == bank for slot in project.pads),
        "patterns": sum(slot.bank == bank for slot in project.patterns),
    }


def _show(parts: list[BankPart], merged: Merged, written: str) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table("Bank", "From", "Pads", "Patterns", "Tempo", box=SIMPLE, header_style="bold")
    for part in sorted(parts, key=lambda each: each.target):
        counts = _counts(merged, part.target)
        source = Text(f"{part.label}, bank {_BANKS[part.source]}")
        tempo = f"{merged.project.bank_tempo(part.target):.2f}"
        table.add_row(_BANKS[part.target], source, str(counts["pads"]), str(counts["patterns"]), tempo)
    console.print(table)
    for notice in merged.notices:
        console.print(Text(str(notice), "yellow"))
    console.print(Text(f"Written to {written}."), soft_wrap=True)
