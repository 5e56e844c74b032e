"""The SP-404SX and SP-404A: `PAD_INFO.BIN` and the WAV with an `RLND` chunk.

Layouts as written by the unit and by Roland's Wave Converter. `PAD_INFO.BIN` is big-endian, the WAV little-endian.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sample_agent.sp404.errors import FormatError, OutOfRangeError

SX_BANKS = 10
SX_PADS_PER_BANK = 12
SX_SLOTS = SX_BANKS * SX_PADS_PER_BANK
SX_SAMPLE_RATE = 44_100
SX_HEADER_BYTES = 512
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


@dataclass(frozen=True)
class SxWavHeader:
    """The first 512 bytes of a sound: RIFF, `fmt `, `RLND` with the pad, and the head of `data`.

    sample_rate: in Hz; the unit's own is 44,100. data_size: bytes of PCM behind the header.
    slot: the pad the sound was made for; None when the chunk names none. raw: the 512 bytes, kept as they are.
    """

    channels: int
    sample_rate: int
    data_size: int
    slot: SxSlot | None
    raw: bytes = field(repr=False)

    @property
    def frames(self) -> int:
        """Length in sample frames."""
        return self.data_size // (self.channels * 2)

    @classmethod
    def read(cls, head: bytes, file_size: int) -> SxWavHeader:
        """Check the first 512 bytes of a file of `file_size` bytes; raises `FormatError`.

        Takes what Roland's converter writes and the variant with a 16-byte `fmt ` chunk. Chunks behind the
        PCM are allowed.
        """
        if len(head) < SX_HEADER_BYTES:
            raise _bad(f"it has {len(head)} bytes; its header alone has {SX_HEADER_BYTES}")
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            raise _bad("it does not begin as a WAV file", 0)
        promised = int.from_bytes(head[4:8], "little") + 8
        if promised != file_size:
            raise _bad(f"it says it has {promised:,} bytes and has {file_size:,}", 4)
        chunks = _chunks_before_data(head)
        channels, sample_rate = _sound_format(head, *chunks[b"fmt "])
        data_size = chunks[b"data"][1]
        if data_size > file_size - SX_HEADER_BYTES:
            raise _bad(f"its sound ends {data_size - file_size + SX_HEADER_BYTES:,} bytes early", 508)
        if data_size % (channels * 2):
            raise _bad("its sound ends within a sample frame", 508)
        start, size = chunks[b"RLND"]
        if size < 13 or head[start : start + 8] != b"roifspsx":
            raise _bad("its RLND chunk is not of the SP-404SX", start)
        number = head[start + 12]
        slot = SxSlot.from_index(number) if number < SX_SLOTS else None
        return cls(channels, sample_rate, data_size, slot, bytes(head[:SX_HEADER_BYTES]))

    @classmethod
    def for_audio(cls, slot: SxSlot, channels: int, frames: int) -> SxWavHeader:
        """The header of `frames` sample frames for a pad, as Roland's converter writes it.

        Raises `OutOfRangeError` for other than one or two channels and for more than a WAV file holds.
        """
        if channels not in (1, 2):
            raise OutOfRangeError("channels", channels, "1 or 2")
        block, rate = channels * 2, SX_SAMPLE_RATE
        data = frames * block
        if frames < 0 or data + SX_HEADER_BYTES - 8 > _MAX_32:
            raise OutOfRangeError("frames", frames, "0 to what a file of 4 GB holds")
        raw = b"".join((
            struct.pack("<4sI4s", b"RIFF", data + SX_HEADER_BYTES - 8, b"WAVE"),
            struct.pack("<4sIHHIIHHH", b"fmt ", 18, 1, channels, rate, rate * block, block, 16, 0),
            struct.pack("<4sI8sIB445x", b"RLND", 458, b"roifspsx", 4, slot.index),
            struct.pack("<4sI", b"data", data),
        ))  # fmt: skip
        return cls(channels, rate, data, slot, raw)

    def to_bytes(self) -> bytes:
        return self.raw


def write_sx_wav(
    file: IO[bytes], slot: SxSlot, channels: int, frames: int, blocks: Iterable[NDArray[np.int16]]
) -> SxWavHeader:
    """Write a sound for a pad from `blocks`, int16[frames, channels] at 44.1 kHz, in constant memory.

    Raises ValueError when the blocks do not add up to `frames` of `channels`.
    """
    header = SxWavHeader.for_audio(slot, channels, frames)
    file.write(header.to_bytes())
    written = 0
    for block in blocks:
        if block.dtype != np.int16 or block.ndim != 2 or block.shape[1] != channels:
            raise ValueError(f"A block has to be int16[frames, {channels}].")
        written += len(block)
        if written > frames:
            break
        file.write(block.astype("<i2").tobytes())
    if written != frames:
        raise ValueError(f"{frames} frames were announced and {written} or more came.")
    return header


def read_sx_wav_blocks(
    file: IO[bytes], file_size: int, *, block_frames: int = 1 << 16
) -> tuple[SxWavHeader, Iterator[NDArray[np.int16]]]:
    """The header and the sound, int16[frames, channels], of a file that stands at its beginning.

    Raises `FormatError`, also while iterating when the file ends early.
    """
    header = SxWavHeader.read(file.read(SX_HEADER_BYTES), file_size)
    return header, _pcm_blocks(file, header, block_frames)


def _pcm_blocks(file: IO[bytes], header: SxWavHeader, block_frames: int) -> Iterator[NDArray[np.int16]]:
    width = header.channels * 2
    left = header.frames
    while left:
        count = min(left, block_frames)
        data = file.read(count * width)
        if len(data) != count * width:
            raise _bad("its sound ends early", SX_HEADER_BYTES)
        left -= count
        yield np.frombuffer(data, "<i2").astype(np.int16).reshape(count, header.channels)


def _chunks_before_data(head: bytes) -> dict[bytes, tuple[int, int]]:
    """Start and size of `fmt `, `RLND` and `data`; the sound has to begin at byte 512."""
    chunks: dict[bytes, tuple[int, int]] = {}
    position = 12
    while b"data" not in chunks:
        if position + 8 > SX_HEADER_BYTES:
            raise _bad("its sound does not begin at byte 512", position)
        name, size = struct.unpack_from("<4sI", head, position)
        if name in chunks:
            raise _bad(f"it has two chunks {name.decode('latin-1')!r}", position)
        chunks[name] = (position + 8, size)
        position += 8 + size + size % 2
    if chunks[b"data"][0] != SX_HEADER_BYTES:
        raise _bad("its sound does not begin at byte 512", chunks[b"data"][0])
    for name in (b"fmt ", b"RLND"):
        if name not in chunks:
            raise _bad(f"it has no chunk {name.decode().strip()!r}")
    return chunks


def _sound_format(head: bytes, start: int, size: int) -> tuple[int, int]:
    """Channels and sample rate; what is not plain 16-bit PCM is refused."""
    if size not in (16, 18):
        raise _bad(f"its fmt chunk has {size} bytes, not 18", start)
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", head, start)
    if tag != 1 or bits != 16 or channels not in (1, 2) or block != channels * 2:
        raise _bad("it is not 16-bit PCM in mono or stereo", start)
    return channels, rate


def _bad(message: str, offset: int | None = None) -> FormatError:
    return FormatError("RLND WAV", message, offset)
