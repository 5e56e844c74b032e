from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.pattern import Filler, Motion, Note, OtherRecord, Pattern
from sample_agent.sp404.slots import ALL_SLOTS, PadSlot
from tests.damage import damaged
from tests.device_files import UGC, every_device_file, needs_device_files

KICK, SNARE, HAT = (PadSlot.parse(label) for label in ("A1", "B1", "F1"))
END = bytes.fromhex("008C000000000000")
ONE_BAR = bytes.fromhex("0100000000800101")
FILLER = bytes.fromhex("FF80000000000000")


def sixteenths(*hits: tuple[int, PadSlot], velocity: int = 90, semitones: int = 0) -> tuple[Note, ...]:
    """Notes of one sixteenth each, as the unit's step sequencer sets them."""
    return tuple(Note(tick, slot, velocity, 120, semitones) for tick, slot in hits)


# What real units wrote


@pytest.mark.parametrize("path", every_device_file("PTN*.BIN"))
def test_a_units_own_pattern_is_read_and_written_again(path: Path) -> None:
    content = path.read_bytes()
    pattern = Pattern.read(content)
    assert pattern.to_bytes() == content
    assert pattern.problems() == []
    assert (pattern.bars, pattern.time_signature, pattern.loop, pattern.end_tick) == (1, "4/4", (1, 1), 1_920)


@pytest.mark.parametrize("path", every_device_file("PTN*.BIN"))
def test_a_pattern_built_from_the_notes_of_a_unit_has_the_units_bytes(path: Path) -> None:
    pattern = Pattern.read(path.read_bytes())
    assert Pattern.of(pattern.notes, pattern.bars, loop=pattern.loop) == pattern


QUARTERS = range(0, 1_920, 480)

PLAYED = {
    1: sixteenths(*((tick, KICK) for tick in QUARTERS)),
    2: sixteenths(*((tick, KICK) for tick in QUARTERS), velocity=127),
    3: sixteenths(*((tick, KICK) for tick in QUARTERS), semitones=-6),
    5: sixteenths(*((tick, SNARE) for tick in QUARTERS)),
    6: sixteenths(*((tick, slot) for tick in QUARTERS for slot in (KICK, SNARE))),
    7: sixteenths(*((tick, SNARE if tick % 480 else KICK) for tick in range(0, 1_920, 240))),
    9: sixteenths(*((tick, KICK) for tick in range(0, 1_920, 120))),
    13: sixteenths((0, KICK)),
    14: sixteenths((0, SNARE)),
    15: sixteenths((0, SNARE), (0, KICK)),
    16: sixteenths((70, SNARE)),
    17: sixteenths((12, SNARE)),
    20: sixteenths((0, HAT)),
}


@needs_device_files
@pytest.mark.parametrize("number", PLAYED)
def test_a_units_own_pattern_has_the_notes_that_were_put_in(number: int) -> None:
    """Steps, velocity, pitch, two pads on one step in either order, hits off the grid, a pad of the second group."""
    path = UGC / "pad-sequencer" / "2026-04-08" / "PTN" / f"PTN{number:05}.BIN"
    assert Pattern.read(path.read_bytes()).notes == PLAYED[number]


# Unusual files that are whole


def test_notes_recorded_by_hand_keep_their_flags_and_low_pitches() -> None:
    record = bytes.fromhex("00 30 41 10 7F 00 FFFF")
    pattern = Pattern.read(record + END + ONE_BAR)
    (note,) = pattern.notes
    assert (str(note.slot), note.velocity, note.length, note.release_velocity) == ("F2", 127, 65_536, 0)
    assert (note.flags, note.semitones, note.pitch_marked) == (0x40, 3, False)
    assert pattern.to_bytes() == record + END + ONE_BAR


@pytest.mark.parametrize(
    ("byte", "semitones"), [(0, None), (0x81, -12), (0x8C, -1), (0x8D, 0), (0x8E, 1), (0x99, 12), (0x0D, 0)]
)
def test_the_pitch_of_a_note_counts_from_the_original(byte: int, semitones: int | None) -> None:
    (note,) = Pattern.read(bytes((0, 0x2F, 0, byte, 90, 64, 119, 0)) + END + ONE_BAR).notes
    assert note.semitones == semitones
    assert note.body[2] == byte


def test_motion_says_its_bus_controller_and_value() -> None:
    pattern = Pattern.read(bytes.fromhex("00 8E 02 00 00 10 7F 00") + END + ONE_BAR)
    (motion,) = pattern.events
    assert isinstance(motion, Motion)
    assert (motion.tick, motion.bus, motion.controller, motion.value) == (0, 2, 0x10, 127)


def test_records_of_unknown_kind_and_fillers_that_say_more_are_kept() -> None:
    records = [bytes((delta, status, 1, 2, 3, 4, 5, 6)) for delta in (0, 255) for status in (0, 0x2E, 0x7F, 0x90, 0xFF)]
    content = b"".join([*records, bytes.fromhex("0580000000000001"), END, ONE_BAR])
    pattern = Pattern.read(content)
    assert {type(event) for event in pattern.events} == {OtherRecord}
    assert pattern.end_tick == 5 * 255 + 5
    assert pattern.to_bytes() == content


def test_an_end_record_and_a_trailer_with_odd_values_are_kept() -> None:
    end, trailer = bytes.fromhex("FF8C010203040506"), bytes.fromhex("FF01020363 05 00 FF")
    pattern = Pattern.read(FILLER + end + trailer)
    assert (pattern.bars, pattern.time_signature, pattern.time_signature_code) == (255, None, 0x63)
    assert pattern.loop == (6, 0)
    assert pattern.to_bytes() == FILLER + end + trailer
    assert pattern.problems() == ["bars is 255; allowed: 1 to 64."]


def test_a_pattern_without_any_event_is_one() -> None:
    pattern = Pattern.read(END + ONE_BAR)
    assert (pattern.events, pattern.end_tick, pattern.to_bytes()) == ((), 0, END + ONE_BAR)
    assert pattern.problems() == ["It ends at tick 0, 1 bars at 1920."]


def test_several_hundred_notes_without_a_filler_are_read() -> None:
    notes = b"".join(bytes((i % 256, 0x2F + i % 80, i % 2, 0x8D, 1 + i % 127, 64, 9, 0)) for i in range(900))
    pattern = Pattern.read(notes + END + ONE_BAR)
    assert len(pattern.notes) == 900
    assert pattern.end_tick == sum(i % 256 for i in range(900))
    assert pattern.to_bytes() == notes + END + ONE_BAR


# Damaged files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "before its end record"),
        (FILLER * 3, "byte 0x0018: it stops before its end record"),
        (FILLER + END[:7], "before its end record"),
        (END, "0 bytes follow"),
        (END + ONE_BAR[:-1], "7 bytes follow"),
        (END + ONE_BAR + b"\0", "byte 0x0008: 9 bytes follow"),
        (END + ONE_BAR + END + ONE_BAR, "24 bytes follow"),
        (FILLER * 200_000 + END + ONE_BAR, "more than any pattern"),
    ],
    ids=["empty", "no end", "end cut", "no trailer", "trailer cut", "a byte more", "two patterns", "too long"],
)
def test_a_pattern_that_is_not_whole_is_refused_with_the_reason(content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        Pattern.read(content)


EXAMPLE = Pattern.of(sixteenths((0, KICK), (0, HAT), (300, SNARE), (510, HAT), (1_900, KICK)), 1).to_bytes()


@settings(deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=400),
        damaged(EXAMPLE),
        st.binary(max_size=400).map(lambda start: start[: len(start) // 8 * 8] + END + ONE_BAR),
    )
)
def test_a_damaged_pattern_is_read_as_it_is_or_refused(content: bytes) -> None:
    try:
        pattern = Pattern.read(content)
    except FormatError:
        return
    assert pattern.to_bytes() == content
    assert isinstance(pattern.problems(), list)


# Patterns made in code


NOTES = st.builds(
    Note,
    tick=st.integers(0, 3_839),
    slot=st.sampled_from(ALL_SLOTS),
    velocity=st.integers(1, 127),
    length=st.integers(1, 65_536),
    semitones=st.one_of(st.none(), st.integers(-12, 12)),
)


@given(notes=st.lists(NOTES, max_size=60))
def test_a_pattern_made_in_code_is_read_back_equal(notes: list[Note]) -> None:
    pattern = Pattern.of(notes, 2, loop=(2, 2))
    again = Pattern.read(pattern.to_bytes())
    assert again == pattern
    assert list(again.notes) == sorted(notes, key=lambda note: note.tick)
    assert (again.bars, again.loop, again.end_tick) == (2, (2, 2), 3_840)
    assert [event.tick for event in again.events if isinstance(event, Filler)] == list(range(0, 3_840, 255))
    assert again.problems() == []


def test_fillers_come_after_the_notes_on_their_tick() -> None:
    pattern = Pattern.of(sixteenths((255, KICK), (255, SNARE)), 1)
    assert [type(event) for event in pattern.events[:4]] == [Filler, Note, Note, Filler]


def test_no_filler_stands_on_the_end_even_where_one_would_be_due() -> None:
    pattern = Pattern.of([], 17)
    assert pattern.end_tick % 255 == 0
    assert pattern.events[-1].tick == pattern.end_tick - 255


def test_the_longest_and_the_shortest_pattern_can_be_made() -> None:
    assert Pattern.read(Pattern.of([], 64).to_bytes()).end_tick == 64 * 1_920
    assert Pattern.read(Pattern.of([], 1).to_bytes()).loop == (1, 1)


def test_three_quarters_are_shorter_and_marked() -> None:
    pattern = Pattern.of([], 4, time_signature="3/4")
    assert (pattern.time_signature, pattern.time_signature_code, pattern.end_tick) == ("3/4", 1, 4 * 1_440)


@pytest.mark.parametrize(
    ("notes", "options", "field"),
    [
        ((), {"bars": 0}, "bars"),
        ((), {"bars": 65}, "bars"),
        ((), {"bars": 1, "time_signature": "5/4"}, "time signature"),
        ((), {"bars": 2, "loop": (0, 1)}, "loop"),
        ((), {"bars": 2, "loop": (2, 1)}, "loop"),
        ((), {"bars": 2, "loop": (1, 3)}, "loop"),
        (sixteenths((1_920, KICK)), {"bars": 1}, "tick"),
        (sixteenths((0, KICK), velocity=0), {"bars": 1}, "note at tick 0"),
        (sixteenths((0, KICK), velocity=128), {"bars": 1}, "note at tick 0"),
        (sixteenths((0, KICK), semitones=13), {"bars": 1}, "note at tick 0"),
        (sixteenths((0, KICK), semitones=-13), {"bars": 1}, "note at tick 0"),
    ],
)
def test_what_the_unit_does_not_have_is_refused(notes: tuple[Note, ...], options: dict, field: str) -> None:
    with pytest.raises(OutOfRangeError) as caught:
        Pattern.of(notes, **options)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "values",
    [
        {"tick": -1},
        {"velocity": 256},
        {"velocity": -1},
        {"length": 0},
        {"length": 65_537},
        {"semitones": 115},
        {"semitones": -14},
        {"semitones": -13, "pitch_marked": False},
        {"flags": 1},
        {"flags": 256},
        {"release_velocity": 256},
    ],
)
def test_a_note_that_no_record_can_hold_cannot_be_made(values: dict) -> None:
    with pytest.raises(OutOfRangeError):
        Note(**({"tick": 0, "slot": KICK, "velocity": 90, "length": 120} | values))


@pytest.mark.parametrize("body", [bytes((0x8C, *range(6))), bytes((0x2F, *range(6))), Filler.body, b"\x90"])
def test_a_record_of_known_kind_cannot_be_passed_off_as_another(body: bytes) -> None:
    with pytest.raises(OutOfRangeError):
        OtherRecord(0, body)
    with pytest.raises(OutOfRangeError):
        Motion(0, body)


@pytest.mark.parametrize(
    ("events", "end_tick"),
    [((), 1), ((Filler(1),), 2), ((Filler(0), Filler(256)), 300), ((Filler(0),), 256), ((Filler(0), Filler(0)), -1)],
)
def test_events_too_far_apart_make_no_pattern(events: tuple[Filler, ...], end_tick: int) -> None:
    with pytest.raises(OutOfRangeError):
        Pattern(events, end_tick, ONE_BAR)


def test_an_end_or_a_trailer_of_another_size_makes_no_pattern() -> None:
    with pytest.raises(OutOfRangeError, match="trailer"):
        Pattern((), 0, ONE_BAR + b"\0")
    with pytest.raises(OutOfRangeError, match="end record"):
        Pattern((), 0, ONE_BAR, FILLER)


# Pads that move


def test_notes_follow_their_pads_and_nothing_else_moves() -> None:
    pattern = Pattern.of(sixteenths((0, KICK), (0, SNARE), (480, HAT)), 1)
    moved = pattern.moved({KICK: SNARE, SNARE: HAT})
    assert [(note.tick, note.slot) for note in moved.notes] == [(0, SNARE), (0, HAT), (480, HAT)]
    assert moved == Pattern.of(sixteenths((0, SNARE), (0, HAT), (480, HAT)), 1)
    assert pattern.moved({}) == pattern


def test_the_notes_of_a_cleared_pad_go_and_the_others_keep_their_time() -> None:
    pattern = Pattern.of(sixteenths((0, KICK), (300, SNARE), (960, KICK)), 1)
    assert pattern.moved({KICK: None}) == Pattern.of(sixteenths((300, SNARE)), 1)


def test_a_file_without_fillers_gets_them_where_a_cleared_pad_leaves_a_gap() -> None:
    notes = sixteenths((0, KICK), (200, KICK), (400, SNARE), (600, KICK), (800, KICK))
    pattern = Pattern(notes, 1_000, ONE_BAR)
    moved = pattern.moved({KICK: None})
    assert moved.events == (Filler(0), Filler(255), *sixteenths((400, SNARE)), Filler(655), Filler(910))
    assert Pattern.read(moved.to_bytes()) == moved


@given(
    steps=st.lists(st.tuples(st.integers(0, 255), st.sampled_from([KICK, SNARE, HAT])), max_size=20),
    rest=st.integers(0, 255),
    cleared=st.sets(st.sampled_from([KICK, SNARE, HAT])),
)
def test_clearing_pads_leaves_the_notes_of_the_others_where_they_were(
    steps: list[tuple[int, PadSlot]], rest: int, cleared: set[PadSlot]
) -> None:
    tick = 0
    notes = []
    for number, (delta, slot) in enumerate(steps):
        tick += delta if number else 0
        notes.append(Note(tick, slot, 90, 1))
    pattern = Pattern(tuple(notes), tick + rest if notes else 0, ONE_BAR)
    moved = pattern.moved(dict.fromkeys(cleared))
    assert moved.notes == tuple(note for note in notes if note.slot not in cleared)
    assert moved.end_tick == pattern.end_tick
    assert Pattern.read(moved.to_bytes()) == moved
