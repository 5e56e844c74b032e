"""`sample-agent card verify`: everything known about the device's files, checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sample_agent.cli.card.errors import explained

if TYPE_CHECKING:
    from sample_agent.sp404.projects.verify import Finding


def verify(
    path: Annotated[
        Path, typer.Argument(help="A project's folder or archive, an SP-404SX card, or a single file of either.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Write the findings as JSON.")] = False,
) -> None:
    """Check that the unit will take a project, a card or a file. Ends with exit code 1 when there are errors."""
    from sample_agent.sp404.projects.verify import verify as run

    with explained():
        findings = run(path)
    errors = sum(each.severity == "error" for each in findings)
    if as_json:
        listed = [{"severity": each.severity, "where": each.where, "message": each.message} for each in findings]
        typer.echo(json.dumps({"path": str(path), "ok": not errors, "findings": listed}, indent=2, ensure_ascii=False))
    else:
        _show(path, findings, errors)
    if errors:
        raise typer.Exit(1)


def _show(path: Path, findings: list[Finding], errors: int) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if findings:
        table = Table(box=SIMPLE, header_style="bold")
        table.add_column("", no_wrap=True)
        table.add_column("Where", overflow="fold")
        table.add_column("What", overflow="fold")
        for each in findings:
            style = "red" if each.severity == "error" else "yellow"
            table.add_row(Text(each.severity, style), Text(each.where), Text(each.message))
        console.print(table)
    warnings = len(findings) - errors
    verdict = "No errors" if not errors else _counted(errors, "error")
    console.print(Text(f"{path}: {verdict}, {_counted(warnings, 'warning')}."), soft_wrap=True)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
