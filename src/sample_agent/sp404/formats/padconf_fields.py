"""How a named setting of the unit sits in a 32-bit word: its place, its range, its default and its type.

A field is a descriptor on a class with `words`. Reading never fails, whatever the word holds, because a file from
another firmware has to pass through unharmed; setting checks the range.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar, overload

from sample_agent.sp404.errors import OutOfRangeError

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)


class HasWords(Protocol):
    """A record of 32-bit words."""

    @property
    def words(self) -> tuple[int, ...]: ...


class Field(Generic[T]):
    """One setting: `word` is its place in the record, `default` its raw value on an empty pad."""

    allowed = ""

    def __init__(self, word: int, default: int) -> None:
        self.word = word
        self.default = default
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, record: None, owner: type) -> Field[T]: ...
    @overload
    def __get__(self, record: HasWords, owner: type) -> T: ...
    def __get__(self, record: HasWords | None, owner: type) -> Field[T] | T:
        return self if record is None else self.decode(record.words[self.word])

    def decode(self, raw: int) -> T:
        """What the word says."""
        raise NotImplementedError

    def encode(self, value: Any, raw: int) -> int:
        """The word `raw` with this field set; raises `OutOfRangeError`."""
        raise NotImplementedError

    def problem(self, raw: int) -> str | None:
        """What is wrong with the word, in words."""
        value = self.decode(raw)
        try:
            self.encode(value, self.default)
        except OutOfRangeError as error:
            return str(error)
        return None

    def refuse(self, value: object) -> OutOfRangeError:
        """The error for a value this field does not take."""
        return OutOfRangeError(self.name, value, self.allowed)


class Whole(Field[int]):
    """A whole number from `lowest` to `highest`."""

    def __init__(self, word: int, lowest: int, highest: int, default: int) -> None:
        super().__init__(word, default)
        self.lowest = lowest
        self.highest = highest
        self.allowed = f"{lowest} to {highest}"

    def decode(self, raw: int) -> int:
        return raw

    def encode(self, value: Any, raw: int) -> int:
        if not isinstance(value, int) or not self.lowest <= value <= self.highest:
            raise self.refuse(value)
        return int(value)


class Hundredths(Field[float]):
    """A number with two decimals, kept as hundredths; `lowest` and `highest` are the values themselves."""

    def __init__(self, word: int, lowest: float, highest: float, default: int) -> None:
        super().__init__(word, default)
        self.lowest = lowest
        self.highest = highest
        self.allowed = f"{lowest:.2f} to {highest:.2f}"

    def decode(self, raw: int) -> float:
        return raw / 100

    def encode(self, value: Any, raw: int) -> int:
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise self.refuse(value)
        hundredths = round(value * 100)
        if not round(self.lowest * 100) <= hundredths <= round(self.highest * 100):
            raise self.refuse(value)
        return hundredths


class Switch(Field[bool]):
    """Off or on; on is written as `on` and read from any other word than 0."""

    allowed = "False or True"

    def __init__(self, word: int, default: int, on: int = 1) -> None:
        super().__init__(word, default)
        self.on = on

    def decode(self, raw: int) -> bool:
        return raw != 0

    def encode(self, value: Any, raw: int) -> int:
        if value not in (False, True):
            raise self.refuse(value)
        if bool(value) == self.decode(raw):
            return raw  # the app writes another "on" for a loop than the unit does; both stay as they are
        return self.on if value else 0


class Flag(Field[bool]):
    """Off or on in one bit of a word that other fields share."""

    allowed = "False or True"

    def __init__(self, word: int, bit: int) -> None:
        super().__init__(word, 0)
        self.bit = bit

    def decode(self, raw: int) -> bool:
        return bool(raw & self.bit)

    def encode(self, value: Any, raw: int) -> int:
        if value not in (False, True):
            raise self.refuse(value)
        return raw | self.bit if value else raw & ~self.bit


class Choice(Field[E | int], Generic[E]):
    """One of the values of an enumeration, in the bits `mask`; a value it does not name reads as a plain int."""

    def __init__(self, word: int, values: type[E], default: int, mask: int = -1) -> None:
        super().__init__(word, default)
        self.values = values
        self.mask = mask
        self.allowed = ", ".join(value.name for value in values)

    def decode(self, raw: int) -> E | int:
        found = raw & self.mask
        try:
            return self.values(found)
        except ValueError:
            return found

    def encode(self, value: Any, raw: int) -> int:
        if value not in list(self.values):
            raise self.refuse(value)
        return raw & ~self.mask | int(value)


def fields_of(record: type) -> dict[str, Field[Any]]:
    """The fields a class declares, in order."""
    return {name: field for name, field in vars(record).items() if isinstance(field, Field)}
