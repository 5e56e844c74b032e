"""docs/security/asvs.md is true as far as a program can tell: it names every line, and what it names is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "security" / "asvs.md"
STANDINGS = {"met", "partly", "not met", "not applicable"}

# How many lines of each section of the standard there are, from the first to the last that concerns us.
SECTIONS = {
    "6.1": (1, 3), "6.2": (1, 12), "6.3": (1, 5), "6.4": (1, 4), "6.5": (1, 5), "6.6": (2, 3),
    "7.1": (1, 3), "7.2": (1, 4), "7.3": (1, 2), "7.4": (1, 5), "7.5": (1, 2), "7.6": (2, 2),
    "8.1": (1, 2), "8.2": (1, 3), "8.3": (1, 3), "8.4": (1, 1),
    "9.1": (1, 3), "9.2": (1, 4),
    "16.1": (1, 1), "16.2": (1, 5), "16.3": (1, 4), "16.4": (1, 3), "16.5": (1, 3),
}  # fmt: skip
WHOLE_SECTIONS = ["6.8"]


@dataclass(frozen=True)
class Line:
    """A row of a table."""

    number: str
    standing: str
    done: str
    where: str
    shown_by: str

    @property
    def tests(self) -> list[str]:
        return re.findall(r"`(tests/[^`]+)`", self.shown_by)


def lines() -> Iterator[Line]:
    for row in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if re.fullmatch(r"\d+\.\d+(\.\d+)?", cells[0]):
            number, _, standing, done, where, shown_by = cells
            yield Line(number, standing, done, where, shown_by)


LINES = list(lines())


def test_every_line_is_named_once() -> None:
    expected = [f"{section}.{n}" for section, (first, last) in SECTIONS.items() for n in range(first, last + 1)]
    assert sorted(line.number for line in LINES) == sorted(expected + WHOLE_SECTIONS)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.number)
def test_a_line_says_how_it_stands_and_is_shown_by_tests_that_exist(line: Line) -> None:
    assert line.standing in STANDINGS
    assert line.done
    assert line.standing == "not applicable" or line.tests
    assert len(re.findall("::", line.shown_by)) == len(line.tests)
    for named in line.tests:
        file, _, name = named.partition("::")
        assert name in _tests_in(ROOT / file), named


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.number)
def test_where_a_line_is_kept_is_a_place(line: Line) -> None:
    for path in re.findall(r"`([^`]+)`", line.where):
        place = ROOT / path if path.startswith("web/") else ROOT / "src" / "sample_agent" / path
        assert place.exists(), path
    for page, heading in re.findall(r"\]\(([\w.]+)#([\w-]+)\)", line.where):
        headings = re.findall(r"^## (.*)$", (PAGE.parent / page).read_text(), re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def _tests_in(file: Path) -> set[str]:
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return {each.name for each in ast.walk(ast.parse(file.read_text())) if isinstance(each, functions)}
