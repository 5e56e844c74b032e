"""One pad in `PADCONF.BIN`: 43 words of settings, a name and the chop points."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise
from typing import Any

from sample_agent.sp404.errors import OutOfRangeError
from sample_agent.sp404.formats.padconf_fields import Choice, Flag, Hundredths, Switch, Whole, fields_of
from sample_agent.sp404.formats.smp import HEADER_BYTES, MAX_FRAMES, smp_size

PAD_WORDS = 43
NAME_BYTES = 24
MAX_NAME_BYTES = NAME_BYTES - 1
CHOP_WORDS = 32
MAX_CHOPS = 16

_WORDS = struct.Struct(f">{PAD_WORDS}i")
_CHOPS = struct.Struct(f">{CHOP_WORDS}I")
_MAX_SIZE = smp_size(2, MAX_FRAMES)
_LAST_FRAME = 2 * MAX_FRAMES  # of a mono sample of that size
_FLAGS = 10
_LOOP_ON = 0x7FFFFFFF
_NO_CHOP = 0xFFFFFFFF
_OLD_NAME_BYTES = 16


class Vari(IntEnum):
    """How a sample is stretched: for single sounds, for backing tracks, for whole ensembles."""

    NORMAL = 0
    BACKING = 2
    ENSEMBLE = 4


class Chromatic(IntEnum):
    """How notes of one sample follow each other when it is played as a keyboard."""

    MONO = 0
    LEGATO = 8
    POLY = 16


class PlayMode(IntEnum):
    """Which way a sample runs."""

    FORWARD = 0
    REVERSE = 1
    FORWARD_PING_PONG = 2
    REVERSE_PING_PONG = 3


class Bus(IntEnum):
    """Where a pad's sound goes."""

    DRY = 0
    BUS_1 = 1
    BUS_2 = 2


@dataclass(frozen=True)
class PadSettings:
    """The settings of one pad. `words`, 43 signed 32-bit numbers, are the truth; the fields below read from them.

    Reading a field never raises: a word no unit should hold comes back as the number it is, and `problems` names it.
    What is not named here (words 6, 12 and 25 to 42) is not known and kept.
    """

    words: tuple[int, ...]

    size = Whole(0, 0, _MAX_SIZE, 0)
    """Bytes of the SMP file; 0 on an empty pad."""
    start = Whole(1, 0, _MAX_SIZE, 0)
    """Where playing begins, in bytes from the beginning of the SMP file (512 is the first frame)."""
    end = Whole(2, 0, _MAX_SIZE, 0)
    """Where playing ends, in bytes; the size of the file when nothing is cut off."""
    level = Whole(3, 0, 127, 127)
    """Volume."""
    gate = Switch(4, 1)
    """Sounds only while the pad is held."""
    loop = Switch(5, 0, on=_LOOP_ON)
    """Begins again at `loop_top`."""
    mute_group = Whole(7, 0, 10, 0)
    """0 is off, 1 to 10 are groups A to J: of one group only one pad sounds at a time."""
    bpm_sync = Switch(8, 0)
    """Stretched from `tempo` to the project's or the bank's tempo."""
    tempo = Hundredths(9, 40, 200, 9000)
    """The sample's own beats per minute."""
    fixed_velocity = Flag(_FLAGS, 1)
    """Always as loud as if hit with full force."""
    vari = Choice(_FLAGS, Vari, 0, mask=Vari.BACKING | Vari.ENSEMBLE)
    """Way of stretching."""
    chromatic = Choice(_FLAGS, Chromatic, 0, mask=Chromatic.LEGATO | Chromatic.POLY)
    """Way of playing as a keyboard."""
    one_shot = Flag(_FLAGS, 32)
    """Plays to its end once hit."""
    loop_top = Whole(11, 0, _MAX_SIZE, 0)
    """Where a loop begins again, in bytes from the beginning of the SMP file."""
    pitch = Whole(13, -12, 12, 0)
    """Semitones."""
    fine = Whole(14, -100, 100, 0)
    """Cents."""
    play_mode = Choice(15, PlayMode, 0)
    """Direction."""
    speed = Hundredths(16, 50, 150, 10000)
    """Per cent of the original speed."""
    vinyl = Switch(17, 1)
    """Speed changes the pitch too, as with a record."""
    pan = Whole(18, 13, 115, 64)
    """Balance; 64 is the middle."""
    link = Whole(19, 0, 10, 0)
    """Pad link group: 0 is off, pads of the same group 1 to 10 sound together."""
    bus = Choice(20, Bus, 1)
    """Effect bus."""
    roll = Whole(21, 0, 10, 2)
    """Note length of a roll: 0 is off; 2 is 1/4, 4 is 1/16, 7 is 3/8, the others are not known."""
    attack = Whole(22, 0, 127, 0)
    hold = Whole(23, 1, 100, 100)
    release = Whole(24, 0, 127, 0)

    def __post_init__(self) -> None:
        if len(self.words) != PAD_WORDS:
            raise OutOfRangeError("words", f"{len(self.words)} words", f"{PAD_WORDS} words")
        if not all(-0x80000000 <= word <= 0x7FFFFFFF for word in self.words):
            raise OutOfRangeError("words", "a number of more than 32 bits", "signed 32-bit numbers")

    @classmethod
    def empty(cls) -> PadSettings:
        """A pad without a sample, as the unit writes it."""
        words = [0] * PAD_WORDS
        words[6] = 1
        for field in PAD_FIELDS.values():
            words[field.word] |= field.default
        return cls(tuple(words))

    @classmethod
    def for_sample(cls, size: int, **fields: Any) -> PadSettings:
        """An SMP file of `size` bytes played whole, with `fields` set; raises `OutOfRangeError`."""
        whole = {"size": size, "start": HEADER_BYTES, "end": size, "loop_top": HEADER_BYTES}
        return cls.empty().replace(**(whole | fields))

    @classmethod
    def read(cls, record: bytes) -> PadSettings:
        """The settings in a record of 172 bytes."""
        return cls(_WORDS.unpack(record))

    def to_bytes(self) -> bytes:
        """The record of 172 bytes."""
        return _WORDS.pack(*self.words)

    @property
    def is_empty(self) -> bool:
        """Whether the pad has no sample."""
        return self.size == 0

    def start_frame(self, channels: int) -> int:
        """`start` as a frame of the sample, which is mono (1) or stereo (2)."""
        return (self.start - HEADER_BYTES) // (2 * channels)

    def end_frame(self, channels: int) -> int:
        """`end` as a frame of the sample, which is mono (1) or stereo (2)."""
        return (self.end - HEADER_BYTES) // (2 * channels)

    def replace(self, **fields: Any) -> PadSettings:
        """The same pad with `fields` set and every other word kept; raises `OutOfRangeError`, TypeError for a name no
        field has.

        A one-shot has neither gate nor loop, so `one_shot=True` switches both off, as the unit does, unless they are
        given too.
        """
        if fields.get("one_shot"):
            fields = {"gate": False, "loop": False} | fields
        words = list(self.words)
        for name, value in fields.items():
            if name not in PAD_FIELDS:
                raise TypeError(f"A pad has no setting {name!r}.")
            field = PAD_FIELDS[name]
            words[field.word] = field.encode(value, words[field.word])
        return replace(self, words=tuple(words))

    def problems(self) -> list[str]:
        """What is not as a unit would write it, in words; nothing for a healthy pad."""
        found = [problem for field in PAD_FIELDS.values() if (problem := field.problem(self.words[field.word]))]
        if not self.is_empty:
            if not HEADER_BYTES <= self.start < self.end <= self.size:
                found.append(f"start {self.start} and end {self.end} are not a part of a file of {self.size} bytes.")
            if self.loop_top and not HEADER_BYTES <= self.loop_top <= self.size:
                found.append(f"loop_top {self.loop_top} is not in a file of {self.size} bytes.")
        return found


PAD_FIELDS = fields_of(PadSettings)
"""Every named setting of a pad: name, word, range and default."""


@dataclass(frozen=True)
class PadEntry:
    """Everything `PADCONF.BIN` says of one pad.

    name_bytes: 24 bytes as they stand in the file. chop_words: 32 words, of which the first 16 are chop points.
    """

    settings: PadSettings
    name_bytes: bytes = b" " * MAX_NAME_BYTES + b"\0"
    chop_words: tuple[int, ...] = (_NO_CHOP,) * MAX_CHOPS + (0,) * MAX_CHOPS

    def __post_init__(self) -> None:
        if len(self.name_bytes) != NAME_BYTES:
            raise OutOfRangeError("name", f"{len(self.name_bytes)} bytes", f"{NAME_BYTES} bytes")
        if len(self.chop_words) != CHOP_WORDS or not all(0 <= word <= 0xFFFFFFFF for word in self.chop_words):
            raise OutOfRangeError("chops", self.chop_words, f"{CHOP_WORDS} unsigned 32-bit numbers")

    @classmethod
    def empty(cls) -> PadEntry:
        """A pad without a sample."""
        return cls(PadSettings.empty())

    @classmethod
    def of(cls, settings: PadSettings, name: str, chops: Iterable[int] = ()) -> PadEntry:
        """A pad with a name of up to 23 bytes and up to 16 chop points; raises `OutOfRangeError`."""
        return cls(settings).with_name(name).with_chops(chops)

    @property
    def name(self) -> str:
        """The pad's name as shown, without the padding."""
        return read_name(self.name_bytes)

    @property
    def chops(self) -> tuple[int, ...]:
        """Where the slices begin, in frames from the beginning of the sample; the first is 0 when there are any."""
        return tuple(word for word in self.chop_words[:MAX_CHOPS] if word != _NO_CHOP)

    def with_name(self, name: str) -> PadEntry:
        """The pad under another name; an empty one gives the unit's name of an empty pad."""
        if not name:
            return replace(self, name_bytes=b" " * MAX_NAME_BYTES + b"\0")
        return replace(self, name_bytes=written_name("name", name, NAME_BYTES))

    def with_chops(self, chops: Iterable[int]) -> PadEntry:
        """The pad with other chop points, frames in rising order from 0; raises `OutOfRangeError`."""
        points = tuple(chops)
        rising = all(before < after for before, after in pairwise(points))
        if len(points) > MAX_CHOPS or not rising or (points and points[0] != 0) or any(p > _LAST_FRAME for p in points):
            raise OutOfRangeError("chops", points, f"up to {MAX_CHOPS} rising frames, the first of them 0")
        unused = (_NO_CHOP,) * (MAX_CHOPS - len(points))
        return replace(self, chop_words=points + unused + self.chop_words[MAX_CHOPS:])

    def problems(self) -> list[str]:
        """What is not as a unit would write it, in words."""
        return self.settings.problems()

    def chop_problem(self) -> str | None:
        """What is unusual about the order of the chop points; nothing proves that a unit always sorts them."""
        try:
            self.with_chops(self.chops)
        except OutOfRangeError as error:
            return str(error)
        return None


def read_chops(record: bytes) -> tuple[int, ...]:
    """The 32 words of a record of 128 bytes."""
    return _CHOPS.unpack(record)


def chops_to_bytes(words: tuple[int, ...]) -> bytes:
    """The record of 128 bytes."""
    return _CHOPS.pack(*words)


def read_name(field: bytes) -> str:
    """The text up to the first NUL, without the spaces it is filled up with.

    Names are ASCII as a rule. A few got in as UTF-8, in a full field perhaps cut in the middle of a character, or as
    Latin-1 (the unit can be set to it): all of them are read as what they most likely are.
    """
    text = field.split(b"\0", 1)[0]
    is_full = len(text) in (_OLD_NAME_BYTES, len(field) - 1)
    try:
        return text.decode().rstrip(" ")
    except UnicodeDecodeError as error:
        if is_full and error.reason == "unexpected end of data":
            return text[: error.start].decode().rstrip(" ")
        return text.decode("latin-1").rstrip(" ")


def written_name(field: str, name: str, size: int) -> bytes:
    """`name` in `size` bytes, the last of them NUL; raises `OutOfRangeError` unless it is printable ASCII and fits."""
    if not (name.isascii() and name.isprintable()) or len(name) >= size:
        raise OutOfRangeError(field, name, f"up to {size - 1} printable ASCII characters")
    return name.encode().ljust(size, b"\0")
