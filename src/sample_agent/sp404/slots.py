"""The 160 places of a project: banks A to J with pads 1 to 16, for samples and for patterns alike."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sample_agent.sp404.errors import OutOfRangeError

BANKS = 10
PADS_PER_BANK = 16
SLOTS = BANKS * PADS_PER_BANK
BANK_LETTERS = "ABCDEFGHIJ"

_LABEL = re.compile(r"([A-J])(0?[1-9]|1[0-6])", re.ASCII | re.IGNORECASE)
_SMP_NAME = re.compile(r"BANK([1-9]|10)-(0[1-9]|1[0-6])\.SMP", re.ASCII | re.IGNORECASE)
_PATTERN_NAME = re.compile(r"PTN(\d{5})\.BIN", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, order=True, slots=True)
class PadSlot:
    """One pad: `bank` 0 to 9 (A to J), `pad` 0 to 15 (1 to 16 on the unit). Sorts as the unit counts, A1 first."""

    bank: int
    pad: int

    def __post_init__(self) -> None:
        if not 0 <= self.bank < BANKS:
            raise OutOfRangeError("bank", self.bank, "0 to 9 (A to J)")
        if not 0 <= self.pad < PADS_PER_BANK:
            raise OutOfRangeError("pad", self.pad, "0 to 15 (1 to 16 on the unit)")

    @classmethod
    def parse(cls, label: str) -> PadSlot:
        """The slot called "A1" to "J16" ("a1" and "A01" too); raises `OutOfRangeError` for any other text."""
        match = _LABEL.fullmatch(label)
        if match is None:
            raise OutOfRangeError("pad", label, "A1 to J16")
        return cls(BANK_LETTERS.index(match[1].upper()), int(match[2]) - 1)

    @classmethod
    def from_index(cls, index: int) -> PadSlot:
        """The slot at 0 (A1) to 159 (J16); raises `OutOfRangeError` outside."""
        if not 0 <= index < SLOTS:
            raise OutOfRangeError("pad index", index, "0 to 159")
        return cls(*divmod(index, PADS_PER_BANK))

    @classmethod
    def parse_smp_name(cls, name: str) -> PadSlot | None:
        """The pad whose sample file is called `name`, "BANK1-01.SMP" for A1; None when it is no such name."""
        match = _SMP_NAME.fullmatch(name)
        return cls(int(match[1]) - 1, int(match[2]) - 1) if match else None

    @classmethod
    def parse_pattern_name(cls, name: str) -> PadSlot | None:
        """The slot whose pattern file is called `name`, "PTN00001.BIN" for A1; None when it is no such name."""
        match = _PATTERN_NAME.fullmatch(name)
        return cls.from_index(int(match[1]) - 1) if match and 1 <= int(match[1]) <= SLOTS else None

    @property
    def index(self) -> int:
        """0 for A1 to 159 for J16."""
        return self.bank * PADS_PER_BANK + self.pad

    @property
    def pattern_number(self) -> int:
        """1 for A1 to 160 for J16."""
        return self.index + 1

    @property
    def smp_name(self) -> str:
        """The sample's file name: "BANK10-16.SMP" for J16."""
        return f"BANK{self.bank + 1}-{self.pad + 1:02}.SMP"

    @property
    def pattern_name(self) -> str:
        """The pattern's file name: "PTN00160.BIN" for J16."""
        return f"PTN{self.pattern_number:05}.BIN"

    def __str__(self) -> str:
        return f"{BANK_LETTERS[self.bank]}{self.pad + 1}"


ALL_SLOTS = tuple(PadSlot.from_index(index) for index in range(SLOTS))
