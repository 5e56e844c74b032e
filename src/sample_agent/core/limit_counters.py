"""Counting over a sliding window, in this process: what a limit knows about one key.

The count of a window slides: what was counted in the window before this one weighs less and less while this one
lasts, so nobody gets twice the amount around a boundary. Two numbers a key suffice, however large the amount.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import floor

MOST_KEYS = 100_000
"""About 30 MB. Beyond that the key that was not asked for the longest is forgotten."""


@dataclass(frozen=True, slots=True)
class Window:
    """Two windows of `seconds` each: the one before this one, and this one.

    `previous_left` is the time until the window before this one no longer counts at all, `current_left` the time until
    this one does not; both in seconds, and without meaning where nothing was counted.
    """

    seconds: float
    previous: int = 0
    previous_left: float = 0
    current: int = 0
    current_left: float = 0

    @property
    def count(self) -> int:
        """What counts now."""
        return floor(self.previous * self.previous_left / self.seconds) + self.current

    def seconds_until(self, most: int) -> float:
        """Seconds after which no more than `most` count, when nothing is added. `most` is 0 or more."""
        if self.count <= most:
            return 0
        # The count is rounded down, so it is `most` as soon as the sum is below `most + 1`.
        if self.current < most + 1:
            return self.previous_left - (most + 1 - self.current) * self.seconds / self.previous
        return self.current_left - (most + 1) * self.seconds / self.current


@dataclass(slots=True)
class _Tally:
    seconds: float
    began: float
    previous: int = 0
    current: int = 0

    def window(self, now: float) -> Window:
        left = self.began + self.seconds - now
        return Window(self.seconds, self.previous, left, self.current, left + self.seconds)

    def slide(self, now: float) -> None:
        if now >= self.began + self.seconds:
            self.previous, self.current = self.current, 0
            self.began += self.seconds

    def over(self, now: float) -> bool:
        return now >= self.began + 2 * self.seconds


class LocalCounters:
    """The counts of one process. `clock` gives seconds and never goes back.

    An act costs the same however many keys there are: it looks at two old ones, and forgets those that are over.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most_keys: int = MOST_KEYS) -> None:
        self._clock = clock
        self._most_keys = most_keys
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tallies)

    def look(self, key: str, seconds: int) -> Window:
        """What is counted for `key`."""
        now = self._clock()
        tally = self._current(key, now)
        return tally.window(now) if tally else Window(seconds)

    def spend(self, key: str, amount: int, seconds: int, cost: int) -> tuple[bool, Window]:
        """Count `cost` when the sum stays within `amount`; whether it was, and what is counted now."""
        now = self._clock()
        tally = self._current(key, now)
        allowed = (tally.window(now).count if tally else 0) + cost <= amount
        if allowed:
            if tally is None:
                tally = self._tallies[key] = _Tally(seconds, now)
            tally.current += cost
            self._forget_old(now)
        return allowed, tally.window(now) if tally else Window(seconds)

    def give_back(self, key: str, cost: int) -> None:
        """Take `cost` off what this window counted; never below nothing."""
        if tally := self._current(key, self._clock()):
            tally.current = max(0, tally.current - cost)

    def clear(self, key: str) -> None:
        """Forget `key`."""
        self._tallies.pop(key, None)

    def _current(self, key: str, now: float) -> _Tally | None:
        tally = self._tallies.get(key)
        if tally is None:
            return None
        if tally.over(now):
            del self._tallies[key]
            return None
        tally.slide(now)
        self._tallies.move_to_end(key)
        return tally

    def _forget_old(self, now: float) -> None:
        for _ in range(2):
            key, tally = next(iter(self._tallies.items()))
            if not tally.over(now) and len(self._tallies) <= self._most_keys:
                return
            del self._tallies[key]
