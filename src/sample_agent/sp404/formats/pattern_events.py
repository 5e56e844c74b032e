"""What stands in a pattern: notes, motion (knobs turned while recording), fillers, and records not known.

Every record has eight bytes. The first says how many ticks later the next record comes, so an event here has the tick
it happens at, and its `body` is the other seven bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sample_agent.sp404.errors import OutOfRangeError
from sample_agent.sp404.slots import PADS_PER_BANK, PadSlot

PPQN = 480
BODY_BYTES = 7
MAX_LENGTH = 0x10000
END = 0x8C

_FIRST_NOTE = 0x2F
_BANKS_PER_GROUP = 5
_PADS_PER_GROUP = _BANKS_PER_GROUP * PADS_PER_BANK
_SECOND_GROUP = 0x01
_PITCH_MARK = 0x80
_ORIGINAL_PITCH = 0x0D
_MOTION = 0x8E


@dataclass(frozen=True)
class Note:
    """A pad that is hit.

    tick: from the beginning of the pattern, 480 to a quarter. slot: the pad. velocity: 0 to 127.
    length: ticks until it is let go, 1 to 65,536. semitones: from the sample's own pitch; None for a plain pad note.

    The rest is kept from files and left alone otherwise: `release_velocity`; `flags`, the bits of byte 2 that do not
    name the bank (0x40 is seen on notes recorded by hand); `pitch_marked`, whether the pitch has its upper bit (it has
    not in some notes played as a keyboard).
    """

    tick: int
    slot: PadSlot
    velocity: int
    length: int
    semitones: int | None = 0
    release_velocity: int = 0x40
    flags: int = 0
    pitch_marked: bool = True

    def __post_init__(self) -> None:
        _require(self.tick >= 0, "tick", self.tick, "0 or later")
        _require(0 <= self.velocity <= 0xFF, "velocity", self.velocity, "0 to 127")
        _require(1 <= self.length <= MAX_LENGTH, "length", self.length, f"1 to {MAX_LENGTH:,} ticks")
        _require(0 <= self.release_velocity <= 0xFF, "release velocity", self.release_velocity, "0 to 127")
        _require(0 <= self.flags <= 0xFE and not self.flags & _SECOND_GROUP, "flags", self.flags, "bits 1 to 7")
        if self.semitones is not None:
            lowest = -_ORIGINAL_PITCH if self.pitch_marked else 1 - _ORIGINAL_PITCH
            _require(lowest <= self.semitones <= 0x7F - _ORIGINAL_PITCH, "semitones", self.semitones, "-12 to 12")

    @classmethod
    def read(cls, tick: int, body: bytes) -> Note:
        """The note in a record whose first byte is one of a pad."""
        group = _PADS_PER_GROUP if body[1] & _SECOND_GROUP else 0
        pitch = body[2]
        return cls(
            tick,
            PadSlot.from_index(body[0] - _FIRST_NOTE + group),
            velocity=body[3],
            length=int.from_bytes(body[5:7], "little") + 1,
            semitones=(pitch & ~_PITCH_MARK) - _ORIGINAL_PITCH if pitch else None,
            release_velocity=body[4],
            flags=body[1] & ~_SECOND_GROUP,
            pitch_marked=bool(pitch & _PITCH_MARK) or not pitch,
        )

    @property
    def body(self) -> bytes:
        """Bytes 1 to 7 of the record."""
        group, index = divmod(self.slot.index, _PADS_PER_GROUP)
        pitch = 0
        if self.semitones is not None:
            pitch = self.semitones + _ORIGINAL_PITCH | (_PITCH_MARK if self.pitch_marked else 0)
        head = bytes((_FIRST_NOTE + index, self.flags | group, pitch, self.velocity, self.release_velocity))
        return head + (self.length - 1).to_bytes(2, "little")

    def problems(self) -> list[str]:
        """What is not as a unit would write it, in words."""
        found = []
        if self.velocity > 127:
            found.append(str(OutOfRangeError("velocity", self.velocity, "0 to 127")))
        if self.semitones is not None and not -12 <= self.semitones <= 12:
            found.append(str(OutOfRangeError("semitones", self.semitones, "-12 to 12")))
        return found


@dataclass(frozen=True)
class Motion:
    """A control that moved, in the shape of a MIDI control change; all seven bytes are kept."""

    tick: int
    body: bytes

    def __post_init__(self) -> None:
        _require_body(self.tick, self.body)
        _require(self.body[0] == _MOTION, "status", self.body[0], f"0x{_MOTION:02X}")

    @property
    def bus(self) -> int:
        """The effect bus."""
        return self.body[1] & 0x0F

    @property
    def controller(self) -> int:
        """0x10 to 0x12 are CTRL 1 to 3, 0x13 switches the effect, 0x53 picks it."""
        return self.body[4]

    @property
    def value(self) -> int:
        """What the control was set to."""
        return self.body[5]


@dataclass(frozen=True)
class Filler:
    """Nothing happens: it carries time from one record to the next, which are at most 255 ticks apart."""

    tick: int
    body: ClassVar[bytes] = b"\x80" + bytes(6)

    def __post_init__(self) -> None:
        _require(self.tick >= 0, "tick", self.tick, "0 or later")


@dataclass(frozen=True)
class OtherRecord:
    """A record of a kind not known; kept as it is."""

    tick: int
    body: bytes

    def __post_init__(self) -> None:
        _require_body(self.tick, self.body)
        known = self.status in (END, _MOTION) or _is_note(self.status) or self.body == Filler.body
        _require(not known, "status", self.status, "one that no known record has")

    @property
    def status(self) -> int:
        """The byte that says the kind."""
        return self.body[0]


Event = Note | Motion | Filler | OtherRecord


def read_event(tick: int, body: bytes) -> Event:
    """The event in a record; any seven bytes are one, except those of the end."""
    if _is_note(body[0]):
        return Note.read(tick, body)
    if body[0] == _MOTION:
        return Motion(tick, body)
    if body == Filler.body:
        return Filler(tick)
    return OtherRecord(tick, body)


def _is_note(status: int) -> bool:
    return _FIRST_NOTE <= status < _FIRST_NOTE + _PADS_PER_GROUP


def _require(holds: bool, field: str, value: object, allowed: str) -> None:
    if not holds:
        raise OutOfRangeError(field, value, allowed)


def _require_body(tick: int, body: bytes) -> None:
    _require(tick >= 0, "tick", tick, "0 or later")
    _require(len(body) == BODY_BYTES, "body", f"{len(body)} bytes", f"{BODY_BYTES} bytes")
