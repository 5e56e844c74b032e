from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sample_agent.sp404.formats.padconf import PadEntry, PadSettings
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.projects import edit
from sample_agent.sp404.projects.content import BytesContent
from sample_agent.sp404.projects.edit import EditError
from sample_agent.sp404.projects.project import Project
from sample_agent.sp404.slots import PadSlot
from tests.sp404.projects import full, hits, pad, project, slot, sounding

FULL = full()
A1, A2, B1, C4, D5, J16 = map(slot, ("A1", "A2", "B1", "C4", "D5", "J16"))

slots = st.builds(PadSlot, st.integers(0, 9), st.integers(0, 15))
near = st.sampled_from([A1, A2, B1, C4, D5, J16])
banks = st.integers(0, 9)


def chained(made: Project) -> list[object]:
    """The patterns of the chain by what they hold."""
    assert made.chain is not None
    return [made.patterns[PadSlot.from_index(number - 1)].end_tick for number in made.chain.patterns]


def test_a_moved_pad_takes_its_notes_along() -> None:
    moved = edit.move_pad(FULL, A2, D5)
    assert A2 not in moved.pads
    assert moved.pads[D5] == FULL.pads[A2]
    assert [note.slot for note in moved.patterns[A1].notes] == [A1, D5, A1, B1]
    assert [note.slot for note in moved.patterns[C4].notes] == [J16, D5]


def test_swapped_pads_take_their_notes_along() -> None:
    swapped = edit.swap_pads(FULL, A1, B1)
    assert (swapped.pads[A1], swapped.pads[B1]) == (FULL.pads[B1], FULL.pads[A1])
    assert [note.slot for note in swapped.patterns[A1].notes] == [B1, A2, B1, A1]


def test_a_copied_pad_leaves_the_notes_where_they_are() -> None:
    copied = edit.copy_pad(FULL, A1, D5)
    assert copied.pads[D5] == copied.pads[A1] == FULL.pads[A1]
    assert copied.patterns == FULL.patterns


def test_a_cleared_pad_takes_its_notes_along_unless_they_are_to_stay() -> None:
    cleared = edit.clear_pads(FULL, [A1, J16])
    assert list(cleared.pads) == [A2, B1]
    assert list(cleared.audio) == [A2, B1]
    assert [note.slot for note in cleared.patterns[A1].notes] == [A2, B1]
    assert [note.tick for note in cleared.patterns[A1].notes] == [120, 360]
    assert cleared.patterns[A1].end_tick == 1_920
    kept = edit.clear_pads(FULL, [A1], keep_notes=True)
    assert kept.patterns == FULL.patterns
    assert A1 not in kept.pads


def test_nothing_is_put_over_something_else() -> None:
    for change in (edit.move_pad, edit.copy_pad):
        with pytest.raises(EditError, match="A2 is taken"):
            change(FULL, A1, A2)
        with pytest.raises(EditError, match="D5 is empty"):
            change(FULL, D5, A2)
    for change in (edit.move_pattern, edit.copy_pattern):
        with pytest.raises(EditError, match="a pattern in C4 already"):
            change(FULL, A1, C4)
        with pytest.raises(EditError, match="no pattern in D5"):
            change(FULL, D5, B1)
    for move in (edit.move_bank, edit.copy_bank):
        with pytest.raises(EditError, match=r"Bank B is taken \(B1\)"):
            move(FULL, 0, 1)
        with pytest.raises(EditError, match=r"Bank C is taken \(C4\)"):
            move(FULL, 0, 2)
        with pytest.raises(EditError, match="Bank D is empty"):
            move(FULL, 3, 4)


def test_a_sample_without_a_pad_is_not_written_over() -> None:
    stray = replace(FULL, audio={**FULL.audio, D5: FULL.audio[A1]})
    with pytest.raises(EditError, match="D5 is taken"):
        edit.move_pad(stray, A1, D5)
    assert D5 not in edit.clear_pads(stray, [D5]).audio


def test_the_chain_follows_its_patterns() -> None:
    moved = edit.move_pattern(FULL, A1, D5)
    assert moved.chain is not None
    assert moved.chain.patterns == (D5.pattern_number, 36, D5.pattern_number, 160)
    swapped = edit.swap_patterns(FULL, A1, C4)
    assert swapped.chain is not None
    assert swapped.chain.patterns == (36, 1, 36, 160)
    copied = edit.copy_pattern(FULL, A1, D5)
    assert copied.chain == FULL.chain
    assert copied.patterns[D5] == FULL.patterns[A1]


def test_a_removed_pattern_leaves_the_chain() -> None:
    at_third = replace(FULL, chain=PatternChain((1, 36, 1, 160), current=3))
    cleared = edit.clear_patterns(at_third, [A1])
    assert list(cleared.patterns) == [C4, J16]
    assert cleared.chain is not None
    assert (cleared.chain.patterns, cleared.chain.current) == ((36, 160), 1)
    assert edit.clear_patterns(at_third, [A1, C4, J16]).chain is None


def test_a_moved_bank_takes_everything_along() -> None:
    tuned = FULL.with_bank(0, tempo=140.0, volume=90, protect=True)
    moved = edit.move_bank(tuned, 0, 4)
    assert list(moved.pads) == [B1, slot("E1"), slot("E2"), J16]
    assert list(moved.patterns) == [C4, slot("E1"), J16]
    assert (moved.banks[4], moved.banks[0]) == (tuned.banks[0], tuned.banks[4])
    assert moved.chain is not None
    assert moved.chain.patterns == (65, 36, 65, 160)
    assert [note.slot for note in moved.patterns[C4].notes] == [J16, slot("E2")]


def test_a_copied_bank_plays_its_own_pads() -> None:
    made = project({"A1": pad(1), "B1": pad(2)}, {"A3": hits("A1", "B1")}).with_bank(0, tempo=77.0)
    copied = edit.copy_bank(made, 0, 5)
    assert [note.slot for note in copied.patterns[slot("F3")].notes] == [slot("F1"), B1]
    assert copied.patterns[slot("A3")] == made.patterns[slot("A3")]
    assert copied.pads[slot("F1")] == made.pads[A1]
    assert copied.banks[5].tempo == 77.0


def test_a_cleared_bank_is_empty() -> None:
    cleared = edit.clear_bank(FULL, 0)
    assert list(cleared.pads) == [B1, J16]
    assert list(cleared.patterns) == [C4, J16]
    assert [note.slot for note in cleared.patterns[C4].notes] == [J16]


def test_what_an_empty_pad_says_moves_too() -> None:
    odd = PadEntry(PadSettings(tuple(range(43))))
    entries = list(FULL.padconf.pads)
    entries[D5.index] = odd
    made = FULL.with_entries(entries, FULL.audio)
    assert edit.move_pad(edit.move_pad(made, A1, D5), D5, A1) == made


@given(near, near)
def test_swapping_twice_changes_nothing(one: PadSlot, other: PadSlot) -> None:
    for swap in (edit.swap_pads, edit.swap_patterns):
        assert swap(swap(FULL, one, other), one, other) == FULL


@given(banks, banks)
def test_swapping_banks_twice_changes_nothing(one: int, other: int) -> None:
    made = FULL.with_bank(0, tempo=140.0, volume=90, protect=True).with_bank(3, volume=1)
    assert edit.swap_banks(edit.swap_banks(made, one, other), one, other) == made


@given(st.lists(st.tuples(st.sampled_from(["pad", "bank", "pattern"]), slots | near, slots | near), max_size=12))
def test_whatever_is_moved_about_sounds_the_same(changes: list[tuple[str, PadSlot, PadSlot]]) -> None:
    made = FULL
    for kind, one, other in changes:
        if kind == "pad":
            made = edit.swap_pads(made, one, other)
        elif kind == "bank":
            made = edit.swap_banks(made, one.bank, other.bank)
        else:
            made = edit.swap_patterns(made, one, other)
    assert sorted(sounding(made).values()) == sorted(sounding(FULL).values())
    assert len(made.pads) == len(FULL.pads)
    assert chained(made) == chained(FULL)
    for place in made.patterns:
        assert all(note.slot in made.pads for note in made.patterns[place].notes)


@given(st.lists(st.tuples(st.sampled_from(["move", "copy", "clear"]), near, slots | near), max_size=12))
def test_no_note_ever_plays_another_sound(changes: list[tuple[str, PadSlot, PadSlot]]) -> None:
    made = FULL
    known = {tuple(each) for each in _notes(FULL)}
    for kind, one, other in changes:
        with suppress(EditError):
            if kind == "move":
                made = edit.move_pad(made, one, other)
            elif kind == "copy":
                made = edit.copy_pad(made, one, other)
            else:
                made = edit.clear_pads(made, [one])
    assert set(_notes(made)) <= known


def _notes(made: Project) -> list[tuple[PadSlot, int, bytes]]:
    return [(place, tick, sound) for place, notes in sounding(made).items() for tick, sound in notes]


def odd() -> Project:
    """Something of everything, of which pattern A1 cannot be read."""
    unread = {"PTN/PTN00001.BIN": BytesContent(b"odd")}
    return replace(FULL.with_patterns({A1: None}), other_files=unread)


def test_a_pattern_that_cannot_be_read_moves_as_a_whole_and_can_be_cleared() -> None:
    moved = edit.move_pattern(odd(), A1, D5)
    assert moved.unread_patterns == {D5: f"PTN/{D5.pattern_name}"}
    assert moved.chain is not None
    assert moved.chain.patterns[0] == D5.pattern_number
    assert set(edit.copy_pattern(odd(), A1, D5).unread_patterns) == {A1, D5}
    assert set(edit.swap_patterns(odd(), A1, C4).unread_patterns) == {C4}
    assert not edit.clear_patterns(odd(), [A1]).unread_patterns
    assert not edit.clear_bank(odd(), 0).unread_patterns
    with pytest.raises(EditError, match="a pattern in A1 already"):
        edit.move_pattern(odd(), C4, A1)


def test_notes_that_cannot_be_read_cannot_follow_their_pads() -> None:
    for change in (
        lambda: edit.move_pad(odd(), A1, D5),
        lambda: edit.clear_pads(odd(), [A1]),
        lambda: edit.copy_bank(odd(), 0, 4),
        lambda: edit.swap_banks(odd(), 0, 1),
    ):
        with pytest.raises(EditError, match="Pattern A1 cannot be read"):
            change()
    assert D5 in edit.copy_pad(odd(), A1, D5).pads
    assert A1 not in edit.clear_pads(odd(), [A1], keep_notes=True).pads
