"""`PTNnnnnn.BIN`: a pattern, that is what happens at which tick, and how many bars of it are played.

Records of eight bytes, an end record, and eight bytes about the whole. Time is counted in ticks, 480 to a quarter; the
tempo is not part of a pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.pattern_events import (
    END,
    PPQN,
    Event,
    Filler,
    Motion,
    Note,
    OtherRecord,
    read_event,
)
from sample_agent.sp404.slots import PadSlot

__all__ = [
    "MAX_BARS",
    "MAX_GAP",
    "PPQN",
    "TICKS_PER_BAR",
    "Event",
    "Filler",
    "Motion",
    "Note",
    "OtherRecord",
    "Pattern",
]

TICKS_PER_BAR = 4 * PPQN
MAX_BARS = 64
MAX_GAP = 255
MAX_FILE_BYTES = 1 << 20

_KIND = "PTN"
_RECORD_BYTES = 8
_LOOP_MARK = 0x80
_TIME_SIGNATURES = {0: "4/4", 1: "3/4"}


@dataclass(frozen=True)
class Pattern:
    """A whole pattern.

    events: in the order of the file, each with its tick; no two neighbours are more than 255 ticks apart, and the first
    stands at tick 0. end_tick: where the end record stands. trailer: the last eight bytes as they stand in the file.
    end_record: the end record, too.
    """

    events: tuple[Event, ...]
    end_tick: int
    trailer: bytes
    end_record: bytes = bytes((0, END, 0, 0, 0, 0, 0, 0))

    def __post_init__(self) -> None:
        ticks = [*(event.tick for event in self.events), self.end_tick]
        if ticks[0] != 0:
            raise OutOfRangeError("first tick", ticks[0], "0: a pattern without a note there begins with a filler")
        for before, after in pairwise(ticks):
            if not 0 <= after - before <= MAX_GAP:
                raise OutOfRangeError("tick", after, f"{before} to {before + MAX_GAP}, after the event before it")
        if len(self.trailer) != _RECORD_BYTES:
            raise OutOfRangeError("trailer", f"{len(self.trailer)} bytes", f"{_RECORD_BYTES} bytes")
        if len(self.end_record) != _RECORD_BYTES or self.end_record[1] != END:
            raise OutOfRangeError("end record", self.end_record, f"{_RECORD_BYTES} bytes, the second 0x{END:02X}")

    @classmethod
    def of(
        cls,
        notes: Iterable[Note],
        bars: int,
        *,
        time_signature: str = "4/4",
        loop: tuple[int, int] | None = None,
    ) -> Pattern:
        """A pattern of `notes` as the unit would write it; raises `OutOfRangeError`.

        bars: 1 to 64. loop: first and last bar that are repeated, from 1; all when None. Notes on one tick stay in the
        order given. Fillers stand at every multiple of 255 ticks, after the notes there.
        """
        codes = {name: code for code, name in _TIME_SIGNATURES.items()}
        if not 1 <= bars <= MAX_BARS:
            raise OutOfRangeError("bars", bars, f"1 to {MAX_BARS}")
        if time_signature not in codes:
            raise OutOfRangeError("time signature", time_signature, ", ".join(codes))
        first, last = loop or (1, bars)
        if not 1 <= first <= last <= bars:
            raise OutOfRangeError("loop", loop, f"bars 1 to {bars}, the first not after the last")
        end_tick = bars * PPQN * int(time_signature[0])
        ordered = sorted(notes, key=lambda note: note.tick)
        for note in ordered:
            _check_playable(note, end_tick)
        # Sorting keeps the order of equals, so a filler comes after the notes on its tick.
        events: list[Event] = [*ordered, *(Filler(tick) for tick in range(0, end_tick, MAX_GAP))]
        events.sort(key=lambda event: event.tick)
        trailer = bytes((bars, 0, 0, 0, codes[time_signature], _LOOP_MARK | first - 1, last, 1))
        return cls(tuple(events), end_tick, trailer)

    @classmethod
    def read(cls, content: bytes) -> Pattern:
        """The file's content; raises `FormatError` when records, end or trailer are not whole."""
        if len(content) > MAX_FILE_BYTES:
            raise FormatError(_KIND, f"{len(content):,} bytes are more than any pattern has ({MAX_FILE_BYTES:,})")
        events: list[Event] = []
        tick = 0
        for at in range(0, len(content) - _RECORD_BYTES + 1, _RECORD_BYTES):
            record = bytes(content[at : at + _RECORD_BYTES])
            if record[1] == END:
                return cls(tuple(events), tick, _trailer(content, at + _RECORD_BYTES), record)
            events.append(read_event(tick, record[1:]))
            tick += record[0]
        raise FormatError(_KIND, "it stops before its end record", len(content))

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes alone, in order."""
        return tuple(event for event in self.events if isinstance(event, Note))

    @property
    def bars(self) -> int:
        """Length in bars: 1 to 64 in a healthy pattern."""
        return self.trailer[0]

    @property
    def time_signature_code(self) -> int:
        """The byte that stands for the time signature."""
        return self.trailer[4]

    @property
    def time_signature(self) -> str | None:
        """ "4/4", "3/4", or None for a code whose meaning is not certain."""
        return _TIME_SIGNATURES.get(self.time_signature_code)

    @property
    def loop(self) -> tuple[int, int]:
        """First and last bar that are repeated, counted from 1."""
        return (self.trailer[5] & ~_LOOP_MARK) + 1, self.trailer[6]

    def to_bytes(self) -> bytes:
        """The file's content; for what was read, the very bytes."""
        following = [*(event.tick for event in self.events[1:]), self.end_tick]
        records = [
            bytes((after - event.tick,)) + event.body for event, after in zip(self.events, following, strict=False)
        ]
        return b"".join([*records, self.end_record, self.trailer])

    def moved(self, mapping: Mapping[PadSlot, PadSlot | None]) -> Pattern:
        """The pattern after its pads have moved: notes follow `mapping` from old place to new.

        Pads it does not name stay. A pad mapped to None was cleared: its notes go, and where they carried time from one
        record to the next a filler does it instead.
        """
        kept: list[Event] = []
        for event in self.events:
            if not isinstance(event, Note):
                kept.append(event)
            elif (slot := mapping.get(event.slot, event.slot)) is not None:
                kept.append(replace(event, slot=slot))
        if len(kept) == len(self.events):
            return replace(self, events=tuple(kept))
        return replace(self, events=tuple(_bridged(kept, self.end_tick)))

    def problems(self) -> list[str]:
        """What is not as a unit would write it, in words."""
        found = []
        first, last = self.loop
        if not 1 <= self.bars <= MAX_BARS:
            found.append(str(OutOfRangeError("bars", self.bars, f"1 to {MAX_BARS}")))
        elif not 1 <= first <= last <= self.bars:
            found.append(f"The loop, bars {first} to {last}, is not a part of {self.bars} bars.")
        if self.time_signature == "4/4" and self.end_tick != self.bars * TICKS_PER_BAR:
            found.append(f"It ends at tick {self.end_tick}, {self.bars} bars at {self.bars * TICKS_PER_BAR}.")
        found += [f"note at tick {note.tick}: {problem}" for note in self.notes for problem in note.problems()]
        return found


def _trailer(content: bytes, at: int) -> bytes:
    if len(content) - at != _RECORD_BYTES:
        raise FormatError(_KIND, f"{len(content) - at} bytes follow the end record, not {_RECORD_BYTES}", at)
    return bytes(content[at:])


def _check_playable(note: Note, end_tick: int) -> None:
    if not note.tick < end_tick:
        raise OutOfRangeError("tick", note.tick, f"0 to {end_tick - 1}, inside the pattern")
    if problems := note.problems() or ([] if note.velocity else ["velocity 0 is silence"]):
        raise OutOfRangeError(f"note at tick {note.tick}", note, problems[0])


def _bridged(events: list[Event], end_tick: int) -> Iterator[Event]:
    """The events, with fillers wherever the next one is out of reach or the first is not at the beginning."""
    reached = -1
    for event in [*events, None]:
        target = end_tick if event is None else event.tick
        if reached < 0 < target:
            yield Filler(0)
            reached = 0
        while target - reached > MAX_GAP:
            reached += MAX_GAP
            yield Filler(reached)
        if event is not None:
            yield event
            reached = target
