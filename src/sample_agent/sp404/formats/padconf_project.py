"""What `PADCONF.BIN` says of the project as a whole: its tempo, and each bank's tempo, protection and volume."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from sample_agent.sp404.errors import OutOfRangeError
from sample_agent.sp404.slots import BANK_LETTERS, BANKS

PROJECT_WORDS = 28
LOWEST_TEMPO = 40.0
HIGHEST_TEMPO = 200.0
MAX_VOLUME = 127

_WORDS = struct.Struct(f">{PROJECT_WORDS}I")
_FIRST_BANK = 12
_FIRST_VOLUME = 23
_EMPTY = (9000, 0, 0, 64, 64, 64, 0, 32, 32, 32, 32, 32, *[18000] * BANKS, 0, 0, 0, 0, 0, 0)


class TempoSelect(IntEnum):
    """Whose tempo counts."""

    BANK = 0
    PROJECT = 1


@dataclass(frozen=True)
class BankSettings:
    """tempo: beats per minute, 40 to 200. protect: pads cannot be changed by hand. volume: 0 to 127."""

    tempo: float = 90.0
    protect: bool = False
    volume: int = MAX_VOLUME


@dataclass(frozen=True)
class ProjectSettings:
    """`words`, 28 unsigned 32-bit numbers, are the truth; reading from them never raises, and unknown ones are kept."""

    words: tuple[int, ...] = _EMPTY

    def __post_init__(self) -> None:
        if len(self.words) != PROJECT_WORDS or not all(0 <= word <= 0xFFFFFFFF for word in self.words):
            raise OutOfRangeError("words", self.words, f"{PROJECT_WORDS} unsigned 32-bit numbers")

    @classmethod
    def read(cls, section: bytes) -> ProjectSettings:
        """The settings in a section of 112 bytes."""
        return cls(_WORDS.unpack(section))

    def to_bytes(self) -> bytes:
        """The section of 112 bytes."""
        return _WORDS.pack(*self.words)

    @property
    def tempo(self) -> float:
        """The project's beats per minute."""
        return (self.words[0] & 0xFFFF) / 100

    @property
    def tempo_select(self) -> TempoSelect:
        """Whether the project's tempo counts or each bank's."""
        return TempoSelect(self.words[0] >> 16 & 1)

    @property
    def banks(self) -> tuple[BankSettings, ...]:
        """Banks A to J."""
        return tuple(self.bank(bank) for bank in range(BANKS))

    def bank(self, bank: int) -> BankSettings:
        """Bank 0 (A) to 9 (J)."""
        word = self.words[_FIRST_BANK + bank]
        attenuation = self.words[_FIRST_VOLUME + bank // 2] >> _volume_shift(bank) & 0xFFFF
        return BankSettings((word >> 1 & 0xFFFF) / 100, bool(word & 1), MAX_VOLUME - attenuation)

    def replace(self, *, tempo: float | None = None, tempo_select: TempoSelect | None = None) -> ProjectSettings:
        """The same with another tempo or the other choice of tempo; raises `OutOfRangeError`."""
        word = self.words[0]
        if tempo is not None:
            word = word & ~0xFFFF | _hundredths("tempo", tempo)
        if tempo_select is not None:
            word = word & ~0x10000 | TempoSelect(tempo_select) << 16
        return self._with({0: word})

    def with_bank(self, bank: int, **fields: Any) -> ProjectSettings:
        """Bank 0 (A) to 9 (J) with `tempo`, `protect` or `volume` set; raises `OutOfRangeError`."""
        if not 0 <= bank < BANKS:
            raise OutOfRangeError("bank", bank, "0 to 9 (A to J)")
        now = self.bank(bank)
        wanted = replace(now, **fields)
        changed = {}
        if (wanted.tempo, wanted.protect) != (now.tempo, now.protect):
            place = _FIRST_BANK + bank
            tempo = _hundredths("bank tempo", wanted.tempo)
            changed[place] = self.words[place] & ~0x1FFFF | tempo << 1 | bool(wanted.protect)
        if wanted.volume != now.volume:
            if not 0 <= wanted.volume <= MAX_VOLUME:
                raise OutOfRangeError("bank volume", wanted.volume, f"0 to {MAX_VOLUME}")
            place, shift = _FIRST_VOLUME + bank // 2, _volume_shift(bank)
            changed[place] = self.words[place] & ~(0xFFFF << shift) | (MAX_VOLUME - wanted.volume) << shift
        return self._with(changed)

    def with_bank_from(self, bank: int, source: ProjectSettings, source_bank: int) -> ProjectSettings:
        """Bank 0 (A) to 9 (J) as bank `source_bank` of other settings stands there, bit by bit, whatever it says."""
        half = source.words[_FIRST_VOLUME + source_bank // 2] >> _volume_shift(source_bank) & 0xFFFF
        place, shift = _FIRST_VOLUME + bank // 2, _volume_shift(bank)
        volumes = self.words[place] & ~(0xFFFF << shift) | half << shift
        return self._with({_FIRST_BANK + bank: source.words[_FIRST_BANK + source_bank], place: volumes})

    def problems(self) -> list[str]:
        """What is not as a unit would write it, in words."""
        tempos = {"project tempo": self.tempo} | {
            f"tempo of bank {BANK_LETTERS[i]}": b.tempo for i, b in enumerate(self.banks)
        }
        found = [
            str(OutOfRangeError(name, tempo, f"{LOWEST_TEMPO:.2f} to {HIGHEST_TEMPO:.2f}"))
            for name, tempo in tempos.items()
            if not LOWEST_TEMPO <= tempo <= HIGHEST_TEMPO
        ]
        found += [
            str(OutOfRangeError(f"volume of bank {BANK_LETTERS[i]}", bank.volume, f"0 to {MAX_VOLUME}"))
            for i, bank in enumerate(self.banks)
            if bank.volume < 0
        ]
        return found

    def _with(self, changed: dict[int, int]) -> ProjectSettings:
        return ProjectSettings(tuple(changed.get(place, word) for place, word in enumerate(self.words)))


def _volume_shift(bank: int) -> int:
    """Two banks share a word: the even one has the low half."""
    return 16 * (bank % 2)


def _hundredths(field: str, tempo: float) -> int:
    if not LOWEST_TEMPO <= tempo <= HIGHEST_TEMPO:
        raise OutOfRangeError(field, tempo, f"{LOWEST_TEMPO:.2f} to {HIGHEST_TEMPO:.2f}")
    return round(tempo * 100)
