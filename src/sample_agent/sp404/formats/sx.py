"""The pads of an SP-404SX or SP-404A: `PAD_INFO.BIN`, 120 big-endian records as the unit writes them."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import NamedTuple

from sample_agent.sp404.errors import FormatError, OutOfRangeError

SX_BANKS = 10
SX_PADS_PER_BANK = 12
SX_SLOTS = SX_BANKS * SX_PADS_PER_BANK
PAD_RECORD_BYTES = 32
PAD_INFO_BYTES = SX_SLOTS * PAD_RECORD_BYTES

_LETTERS = "ABCDEFGHIJ"
_LABEL = re.compile(r"([A-J])(0?[1-9]|1[0-2])", re.ASCII | re.IGNORECASE)
_SOUND_NAME = re.compile(r"([A-J])00000(0[1-9]|1[0-2])\.(?:WAV|AIF)", re.ASCII | re.IGNORECASE)
_RECORD = struct.Struct(">4I8B2I")
_MAX_32 = 0xFFFFFFFF


@dataclass(frozen=True, order=True, slots=True)
class SxSlot:
    """One pad: `bank` 0 to 9 (A to J), `pad` 0 to 11 (1 to 12 on the unit)."""

    bank: int
    pad: int

    def __post_init__(self) -> None:
        if not 0 <= self.bank < SX_BANKS:
            raise OutOfRangeError("bank", self.bank, "0 to 9 (A to J)")
        if not 0 <= self.pad < SX_PADS_PER_BANK:
            raise OutOfRangeError("pad", self.pad, "0 to 11 (1 to 12 on the unit)")

    @classmethod
    def parse(cls, label: str) -> SxSlot:
        """The slot called "A1" to "J12"; raises `OutOfRangeError` for any other text."""
        match = _LABEL.fullmatch(label)
        if match is None:
            raise OutOfRangeError("pad", label, "A1 to J12")
        return cls(_LETTERS.index(match[1].upper()), int(match[2]) - 1)

    @classmethod
    def from_index(cls, index: int) -> SxSlot:
        """The slot at 0 (A1) to 119 (J12); raises `OutOfRangeError` outside."""
        if not 0 <= index < SX_SLOTS:
            raise OutOfRangeError("pad index", index, "0 to 119")
        return cls(*divmod(index, SX_PADS_PER_BANK))

    @classmethod
    def parse_sound_name(cls, name: str) -> SxSlot | None:
        """The pad whose sound is called `name`, "A0000001.WAV" (or .AIF) for A1; None when it is no such name."""
        match = _SOUND_NAME.fullmatch(name)
        return cls(_LETTERS.index(match[1].upper()), int(match[2]) - 1) if match else None

    @property
    def index(self) -> int:
        """0 for A1 to 119 for J12."""
        return self.bank * SX_PADS_PER_BANK + self.pad

    @property
    def wav_name(self) -> str:
        """The sound's file name: "J0000012.WAV" for J12."""
        return f"{_LETTERS[self.bank]}{self.pad + 1:07}.WAV"

    def __str__(self) -> str:
        return f"{_LETTERS[self.bank]}{self.pad + 1}"


class _Field(NamedTuple):
    """One value of a pad's record. Where the record holds tenths, `scale` is 10."""

    name: str
    default: int
    low: int
    high: int
    words: str
    scale: int = 1


_OFFSET = (512, _MAX_32, "a byte offset of the sound's file, 512 or more")
_SWITCH = (0, 1, "off or on")
_TEMPO = (0, _MAX_32, "beats per minute")

# In the order of the record.
_FIELDS = (
    _Field("original_start", 512, *_OFFSET),
    _Field("original_end", 512, *_OFFSET),
    _Field("user_start", 512, *_OFFSET),
    _Field("user_end", 512, *_OFFSET),
    _Field("volume", 127, 0, 127, "0 to 127"),
    _Field("lo_fi", 0, *_SWITCH),
    _Field("loop", 0, *_SWITCH),
    _Field("gate", 1, *_SWITCH),
    _Field("reverse", 0, *_SWITCH),
    _Field("format", 1, 0, 1, "0 (AIFF) or 1 (WAVE)"),
    _Field("channels", 2, 1, 2, "1 or 2"),
    _Field("tempo_mode", 0, 0, 2, "0 (off), 1 (pattern) or 2 (user)"),
    _Field("original_tempo", 1200, *_TEMPO, scale=10),
    _Field("user_tempo", 1200, *_TEMPO, scale=10),
)
_INDEX = {each.name: index for index, each in enumerate(_FIELDS)}
_EMPTY = tuple(each.default for each in _FIELDS)


@dataclass(frozen=True)
class SxPad:
    """One pad's record. `values` are the 14 numbers as they stand in the file, whatever they are."""

    values: tuple[int, ...] = _EMPTY

    @classmethod
    def read(cls, data: bytes) -> SxPad:
        """Read 32 bytes; raises `FormatError` for any other number of bytes."""
        if len(data) != PAD_RECORD_BYTES:
            raise FormatError("PAD_INFO.BIN", f"a pad's record has {PAD_RECORD_BYTES} bytes, not {len(data)}")
        return cls(_RECORD.unpack(data))

    @classmethod
    def empty(cls) -> SxPad:
        """A pad without a sound, as the unit writes it."""
        return cls()

    @classmethod
    def for_sound(cls, file_size: int, channels: int, *, tempo: float = 120.0) -> SxPad:
        """A pad that plays the whole of a WAV of `file_size` bytes from `write_sx_wav`; `tempo` is its own, in BPM."""
        ends = {"original_end": file_size, "user_end": file_size}
        return cls.empty().replace(**ends, channels=channels, original_tempo=tempo, user_tempo=tempo)

    def to_bytes(self) -> bytes:
        return _RECORD.pack(*self.values)

    def replace(self, **fields: float) -> SxPad:
        """The same pad with these fields changed; raises `OutOfRangeError` for a value the unit does not have."""
        values = list(self.values)
        for name, value in fields.items():
            if name not in _INDEX:
                raise OutOfRangeError("field", name, ", ".join(_INDEX))
            described = _FIELDS[_INDEX[name]]
            stored = value * described.scale
            if stored != stored or not described.low <= round(stored) <= described.high:
                raise OutOfRangeError(name, value, described.words)
            if described.scale == 1 and stored != int(stored):
                raise OutOfRangeError(name, value, described.words)
            values[_INDEX[name]] = round(stored)
        return SxPad(tuple(values))

    def problems(self) -> list[str]:
        """What lies outside the unit's ranges, in words; reading takes any value."""
        found = [
            f"{each.name} is {value}, allowed: {each.words}"
            for each, value in zip(_FIELDS, self.values, strict=True)
            if not each.low <= value <= each.high
        ]
        if not self.original_start <= self.user_start <= self.user_end <= self.original_end:
            found.append(f"the part from {self.user_start} to {self.user_end} lies outside the sound")
        return found

    @property
    def is_empty(self) -> bool:
        """Whether the pad has no sound: it ends where it starts."""
        return self.original_end <= self.original_start

    @property
    def original_start(self) -> int:
        return self._value("original_start")

    @property
    def original_end(self) -> int:
        """Where the sound ends, in bytes of its file: the file's size."""
        return self._value("original_end")

    @property
    def user_start(self) -> int:
        return self._value("user_start")

    @property
    def user_end(self) -> int:
        return self._value("user_end")

    @property
    def volume(self) -> int:
        return self._value("volume")

    @property
    def lo_fi(self) -> bool:
        return self._value("lo_fi") != 0

    @property
    def loop(self) -> bool:
        return self._value("loop") != 0

    @property
    def gate(self) -> bool:
        return self._value("gate") != 0

    @property
    def reverse(self) -> bool:
        return self._value("reverse") != 0

    @property
    def is_wave(self) -> bool:
        """WAVE, as the converter writes; otherwise AIFF, as the unit records."""
        return self._value("format") == 1

    @property
    def channels(self) -> int:
        return self._value("channels")

    @property
    def tempo_mode(self) -> int:
        """0 off, 1 the pattern's, 2 the player's."""
        return self._value("tempo_mode")

    @property
    def original_tempo(self) -> float:
        """In BPM."""
        return self._value("original_tempo") / 10

    @property
    def user_tempo(self) -> float:
        """In BPM."""
        return self._value("user_tempo") / 10

    def _value(self, name: str) -> int:
        return self.values[_INDEX[name]]


@dataclass(frozen=True)
class PadInfo:
    """`PAD_INFO.BIN`: the 120 pads of a card, A1 first."""

    pads: tuple[SxPad, ...] = (SxPad(),) * SX_SLOTS

    def __post_init__(self) -> None:
        if len(self.pads) != SX_SLOTS:
            raise OutOfRangeError("pads", len(self.pads), f"{SX_SLOTS} pads")

    @classmethod
    def read(cls, data: bytes) -> PadInfo:
        """Read the file; raises `FormatError` when it has not exactly 3,840 bytes."""
        if len(data) != PAD_INFO_BYTES:
            raise FormatError("PAD_INFO.BIN", f"it has {len(data):,} bytes, not {PAD_INFO_BYTES:,}")
        return cls(tuple(SxPad(values) for values in _RECORD.iter_unpack(data)))

    def to_bytes(self) -> bytes:
        return b"".join(pad.to_bytes() for pad in self.pads)

    def __getitem__(self, slot: SxSlot) -> SxPad:
        return self.pads[slot.index]

    def with_pad(self, slot: SxSlot, pad: SxPad) -> PadInfo:
        """The same file with one pad exchanged."""
        return PadInfo((*self.pads[: slot.index], pad, *self.pads[slot.index + 1 :]))
