"""The report of `card build` on a terminal: each bank as the unit shows it, then what was done in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.box import SQUARE
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from sample_agent.sp404.cards.report import Item, Report
    from sample_agent.sp404.kits.rules import LayoutRules

_GRID_WIDTH = 4 * 26 + 5


def show(report: Report, rules: LayoutRules | None) -> None:
    """Print the report; with `rules`, also these and why each sample is where it is."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _GRID_WIDTH
    for bank, items in _by_bank(report).items():
        console.print(_grid(bank, items))
    if rules is not None:
        _explain(report, rules)
    for sentence in report.sentences():
        typer.echo(sentence)


def _explain(report: Report, rules: LayoutRules) -> None:
    for sentence in rules.explained():
        typer.echo(sentence)
    for item in report.items:
        typer.echo(f"{item.pad or item.path}  {item.name}: {item.reason}".rstrip(": "))
        for remark in item.remarks:
            typer.echo(f"      {remark.words}")


def _by_bank(report: Report) -> dict[str, dict[int, Item]]:
    banks: dict[str, dict[int, Item]] = {}
    for item in report.items:
        if item.pad is not None:
            banks.setdefault(item.pad[0], {})[int(item.pad[1:])] = item
    return banks


def _grid(bank: str, items: dict[int, Item]) -> Table:
    grid = Table(title=f"Bank {bank}", box=SQUARE, show_header=False, show_lines=True, title_justify="left")
    for _ in range(4):
        grid.add_column(width=24, overflow="ellipsis", no_wrap=True)
    for row in range(4):
        grid.add_row(*(_cell(pad, items.get(pad)) for pad in range(row * 4 + 1, row * 4 + 5)))
    return grid


def _cell(pad: int, item: Item | None) -> Text:
    cell = Text(f"{pad}\n", style="dim")
    cell.append(item.name if item else "", style="not dim")
    return cell
