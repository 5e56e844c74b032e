"""The first pattern of a kit."""

from __future__ import annotations

import pytest

from sample_agent.sp404.formats.pattern import Pattern
from sample_agent.sp404.kits.groove import GROOVES, starter_pattern, starter_patterns
from sample_agent.sp404.kits.kit import KitSample
from sample_agent.sp404.kits.layout import layout
from sample_agent.sp404.slots import PadSlot


def kit(*classes: str, group: str | None = None) -> list[KitSample]:
    return [KitSample(id=f"{group}{n}", name=name, sound_class=name, group=group) for n, name in enumerate(classes)]


FULL = kit("kick", "snare", "closed-hat", "open-hat")


@pytest.mark.parametrize(
    ("tempo", "name"),
    [(60, "boom bap"), (92, "boom bap"), (124, "four on the floor"), (140, "half time"), (174, "breakbeat")],
)
def test_the_groove_suits_the_tempo(tempo: float, name: str) -> None:
    starter = starter_pattern(layout(FULL).placements, tempo)
    assert starter is not None
    assert starter.words.startswith(f"{name}, 2 bars: kick on A13, snare on A14, hat on A15")
    assert starter.pattern.bars == 2
    assert starter.pattern.problems() == []


def test_the_kick_is_on_the_one_and_the_snare_on_the_backbeat() -> None:
    starter = starter_pattern(layout(FULL).placements, 92)
    assert starter is not None
    ticks = {
        pad: [note.tick for note in starter.pattern.notes if str(note.slot) == pad and note.velocity > 100]
        for pad in ("A13", "A14")
    }
    assert ticks["A13"][0] == 0
    assert ticks["A14"] == [480, 1440, 2400, 3360]


def test_notes_differ_in_loudness_and_survive_the_file() -> None:
    starter = starter_pattern(layout(FULL).placements, 92)
    assert starter is not None
    assert len({note.velocity for note in starter.pattern.notes}) >= 4
    assert Pattern.read(starter.pattern.to_bytes()) == starter.pattern


def test_open_and_closed_hat_never_sound_together() -> None:
    for tempo in (92, 124, 140, 174):
        starter = starter_pattern(layout(FULL).placements, tempo)
        assert starter is not None
        notes = starter.pattern.notes
        closed, opened = ({note.tick for note in notes if str(note.slot) == pad} for pad in ("A15", "A16"))
        assert opened
        assert not closed & opened


@pytest.mark.parametrize(
    ("classes", "pads"),
    [
        (("kick",), {"A13"}),
        (("clap",), {"A14"}),
        (("open-hat", "kick"), {"A13", "A16"}),
        (("kick", "snare", "percussion"), {"A13", "A14", "A15"}),
        (("kick", "snare", "closed-hat"), {"A13", "A14", "A15"}),
    ],
)
def test_what_is_missing_is_left_out_or_played_by_its_like(classes: tuple[str, ...], pads: set[str]) -> None:
    starter = starter_pattern(layout(kit(*classes)).placements, 90)
    assert starter is not None
    assert {str(note.slot) for note in starter.pattern.notes} == pads


def test_a_second_closed_hat_on_the_open_ones_pad_opens() -> None:
    starter = starter_pattern(layout(kit("kick", "closed-hat", "closed-hat")).placements, 124)
    assert starter is not None
    assert starter.words.endswith("hat on A15, open hat on A16")
    elsewhere = starter_pattern(layout(kit("kick", "closed-hat", "open-hat", "closed-hat")).placements, 124)
    assert elsewhere is not None
    assert elsewhere.words == starter.words


def test_without_an_open_hat_the_closed_one_goes_on() -> None:
    starter = starter_pattern(layout(kit("kick", "closed-hat")).placements, 124)
    assert starter is not None
    assert len([note for note in starter.pattern.notes if str(note.slot) == "A15"]) == 24


def test_nothing_is_written_for_what_is_no_kit() -> None:
    assert starter_pattern(layout(kit("cymbal", "vocal")).placements, 90) is None
    assert starter_pattern((), 90) is None


def test_each_kit_has_its_pattern_in_the_first_slot_of_its_bank() -> None:
    made = layout([*kit("kick", "snare", group="a"), *kit("kick", "closed-hat", group="b")])
    starters = starter_patterns(made, dict.fromkeys(range(10), 90.0))
    assert list(starters) == [PadSlot(0, 0), PadSlot(1, 0)]
    assert {note.slot.bank for note in starters[PadSlot(1, 0)].pattern.notes} == {1}


def test_every_line_of_every_groove_is_a_whole_bar() -> None:
    for groove in GROOVES:
        for lines in groove.steps.values():
            assert [len(line) for line in lines] == [16] * groove.bars
