"""Results as a table for people."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sample_agent.cli.analyze.columns import readable, reason, row_of
from sample_agent.cli.analyze.result import Result

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_MOST_ROWS = 1000


class TableWriter:
    """A table, drawn when everything is there, and below it why files failed."""

    def __init__(self, target: IO[str]) -> None:
        self._target = target
        self._shown: list[Result] = []
        self._failed: list[Result] = []
        self._hidden = self._unnamed = 0

    def write(self, result: Result) -> None:
        """Keep it for the table, as long as a table of so many rows is of use to anybody."""
        if len(self._shown) < _MOST_ROWS:
            self._shown.append(result)
        else:
            self._hidden += 1
        if result.features is None:
            if len(self._failed) < _MOST_ROWS:
                self._failed.append(result)
            else:
                self._unnamed += 1

    def finish(self) -> None:
        """Draw it."""
        from rich.console import Console

        console = Console(file=self._target)
        console.print(_table(self._shown))
        if self._hidden:
            console.print(f"… and {self._hidden} more; --csv, --json or -o list them all.")
        for result in self._failed:
            _tell_of_failure(console, result)
        if self._unnamed:
            console.print(f"… and {self._unnamed} more that failed.")


def _tell_of_failure(console: Console, result: Result) -> None:
    from rich.text import Text

    # Whole, however wide the terminal is: this is what its reader has to act upon.
    console.print(Text.assemble((readable(result.path), "bold"), ": ", (reason(result), "red")), soft_wrap=True)


def _table(results: Iterable[Result]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, header_style="bold")
    table.add_column("File", overflow="ellipsis", no_wrap=True, min_width=12, max_width=40)
    table.add_column("Kind", no_wrap=True)
    table.add_column("Class", no_wrap=True)
    for title in ("BPM", "Key", "Seconds", "LUFS"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Vibe", overflow="fold", min_width=20)
    for result in results:
        name = Text(readable(Path(result.path.name)))
        if result.features is None:
            table.add_row(name, Text("failed", "red"))
            continue
        row = row_of(result)
        table.add_row(
            name,
            row["kind"],
            row["class"] or "",
            _fixed(row["tempo"], 1),
            row["key"] or row["note"] or "",
            _fixed(row["duration"], 2),
            _fixed(row["loudness_lufs"], 1),
            " ".join((row["vibe"], row["warnings"])).strip(),
        )
    return table


def _fixed(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
