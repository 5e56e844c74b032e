"""What figures of a benchmark are held against: which is wanted, which was found, and whether that is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """A figure that should be at least `wanted`, or `at_most`; `found` is None where nothing was there to measure."""

    what: str
    wanted: float
    found: float | None
    unit: str = "%"
    at_most: bool = False

    @property
    def met(self) -> bool:
        if self.found is None:
            return False
        return self.found <= self.wanted if self.at_most else self.found >= self.wanted


def show(targets: Sequence[Target]) -> list[dict[str, Any]]:
    """Print a line for each target; the same for the result file."""
    print(f"\n{'target':58s}{'wanted':>10s}{'found':>10s}")
    for target in targets:
        wanted = f"{'<= ' if target.at_most else ''}{target.wanted:.1f}"
        found = "-" if target.found is None else f"{target.found:.1f}"
        verdict = "met" if target.met else "NOT MET"
        print(f"{target.what:58s}{wanted:>10s}{found:>10s} {target.unit:3s} {verdict}")
    return [
        {
            "target": target.what,
            "wanted": target.wanted,
            "at_most": target.at_most,
            "found": target.found,
            "unit": target.unit,
            "met": target.met,
        }
        for target in targets
    ]
