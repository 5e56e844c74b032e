"""One thing to be fuzzed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """check: reads the bytes it is given; anything it raises is a find. seeds: valid files to begin from."""

    name: str
    check: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    max_bytes: int = 4_096
    seconds_per_input: int = 5
