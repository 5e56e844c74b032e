from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sample_agent.sp404.errors import OutOfRangeError
from sample_agent.sp404.formats.padconf import TempoSelect
from sample_agent.sp404.projects.content import BytesContent
from sample_agent.sp404.projects.merge import (
    BankPart,
    DroppedNotes,
    LeftBehind,
    MergeError,
    Regrouped,
    SilentPad,
    merge_banks,
)
from sample_agent.sp404.projects.output import write_folder
from sample_agent.sp404.projects.project import Pad, Project
from sample_agent.sp404.projects.reading import load_project
from sample_agent.sp404.projects.verify import verify
from sample_agent.sp404.slots import BANK_LETTERS
from tests.device_files import UGC, needs_device_files
from tests.sp404.projects import full, hits, older, pad, project, slot, sounding


def part(source: Project, banks: str, label: str = "X") -> BankPart:
    """Bank "A" or "A=C" of a project."""
    old, _, new = banks.partition("=")
    return BankPart(source, BANK_LETTERS.index(old), BANK_LETTERS.index(new or old), label)


def groups(pads: Mapping[object, Pad]) -> dict[str, tuple[int, int]]:
    return {str(place): (each.settings.mute_group, each.settings.link) for place, each in pads.items()}


def test_banks_of_two_projects_become_one() -> None:
    drums = project({"A1": pad(1, "Kick"), "A2": pad(2, "Hat")}, {"A1": hits("A1", "A2")}, name="Drums", tempo=90.0)
    keys = project({"C5": pad(3, "Keys")}, {"C9": hits("C5", "C5")}, name="Keys", tempo=120.0)
    keys = keys.with_bank(2, tempo=123.45, volume=80, protect=True)
    merged = merge_banks([part(drums, "A"), part(keys, "C=B")])
    made = merged.project
    assert merged.notices == ()
    assert made.name == "Drums"
    assert {str(place): each.name for place, each in made.pads.items()} == {"A1": "Kick", "A2": "Hat", "B5": "Keys"}
    assert list(map(str, made.patterns)) == ["A1", "B9"]
    assert {str(note.slot) for note in made.patterns[slot("B9")].notes} == {"B5"}
    assert made.banks[1] == keys.banks[2]
    assert made.banks[0] == drums.banks[0]
    assert sorted(sounding(made).values()) == sorted([*sounding(drums).values(), *sounding(keys).values()])


def test_a_merged_project_verifies_clean(tmp_path: Path) -> None:
    merged = merge_banks([part(full(), "B=A"), part(full(), "J=B")], "Merged")
    write_folder(merged.project, tmp_path / "PROJECT_02")
    assert verify(tmp_path / "PROJECT_02") == []
    assert load_project(tmp_path / "PROJECT_02").name == "Merged"


def test_notes_follow_their_pads_through_all_banks_of_their_project() -> None:
    made = merge_banks([part(full(), "A=D"), part(whole := full(), "A=B"), part(whole, "B=A")]).project
    assert [str(note.slot) for note in made.patterns[slot("B1")].notes] == ["B1", "B2", "B1", "A1"]
    assert [str(note.slot) for note in made.patterns[slot("D1")].notes] == ["D1", "D2", "D1"]


def test_a_bank_taken_twice_plays_itself_each_time() -> None:
    source = project({"A1": pad(1)}, {"A1": hits("A1")})
    made = merge_banks([part(source, "A=B"), part(source, "A=E")]).project
    for bank in "BE":
        assert [str(note.slot) for note in made.patterns[slot(f"{bank}1")].notes] == [f"{bank}1"]


def test_notes_on_banks_that_stay_behind_are_dropped_and_named() -> None:
    merged = merge_banks([part(full(), "A", "Mine")])
    assert merged.notices[0] == DroppedNotes("Mine", slot("A1"), (slot("B1"),), 1)
    assert str(merged.notices[0]) == "Mine: pattern A1 loses 1 note on pads that were not merged (B1)."
    assert [str(note.slot) for note in merged.project.patterns[slot("A1")].notes] == ["A1", "A2", "A1"]
    assert merged.project.patterns[slot("A1")].end_tick == 1_920


def test_two_banks_for_one_place_are_refused() -> None:
    with pytest.raises(MergeError, match="Bank A cannot be both bank A of Mine and bank B of Yours"):
        merge_banks([part(full(), "A", "Mine"), part(full(), "B=A", "Yours")])


def test_a_bank_in_which_there_is_nothing_is_refused() -> None:
    with pytest.raises(MergeError, match="nothing in bank D of Mine"):
        merge_banks([part(full(), "D", "Mine")])
    with pytest.raises(MergeError, match="no bank"):
        merge_banks([])
    with pytest.raises(MergeError, match="A to J"):
        merge_banks([BankPart(full(), 0, 10, "Mine")])


def test_a_name_the_unit_does_not_take_is_refused() -> None:
    with pytest.raises(OutOfRangeError, match="project name"):
        merge_banks([part(full(), "A")], "x" * 32)


def test_groups_of_two_projects_stay_apart() -> None:
    one = project({"A1": pad(1, mute_group=1), "A2": pad(2, mute_group=2, link=3)})
    two = project({"A1": pad(3, mute_group=2), "A2": pad(4, mute_group=3, link=3), "A3": pad(5, mute_group=2)})
    merged = merge_banks([part(one, "A", "One"), part(two, "A=B", "Two")])
    assert groups(merged.project.pads) == {"A1": (1, 0), "A2": (2, 3), "B1": (4, 0), "B2": (3, 1), "B3": (4, 0)}
    assert merged.notices == (Regrouped("Two", "mute", 2, 4), Regrouped("Two", "link", 3, 1))
    assert str(merged.notices[0]) == "Two: mute group B is also used by another project; its pads are in group D now."


def test_groups_within_one_project_stay_together() -> None:
    one = project({"A1": pad(1, mute_group=1), "B1": pad(2, mute_group=1)})
    merged = merge_banks([part(one, "A=C"), part(one, "B=D")])
    assert groups(merged.project.pads) == {"C1": (1, 0), "D1": (1, 0)}
    assert merged.notices == ()


def test_groups_that_find_no_free_letter_are_named() -> None:
    one = project({f"A{number}": pad(number, mute_group=number) for number in range(1, 11)})
    two = project({"A1": pad(20, mute_group=5)})
    merged = merge_banks([part(one, "A", "One"), part(two, "A=B", "Two")])
    assert merged.notices == (Regrouped("Two", "mute", 5, None),)
    assert "the two now act as one" in str(merged.notices[0])


def test_every_bank_keeps_the_tempo_it_played_at() -> None:
    by_bank = project({"A1": pad(1)}, tempo=90.0).with_bank(0, tempo=77.0)
    by_project = project({"A1": pad(2)}, tempo=140.0, tempo_select=TempoSelect.PROJECT).with_bank(0, tempo=60.0)
    made = merge_banks([part(by_bank, "A"), part(by_project, "A=B")]).project
    assert (made.bank_tempo(0), made.bank_tempo(1)) == (77.0, 140.0)
    same = merge_banks([part(by_project, "A"), part(by_project, "A=B")]).project
    assert (same.tempo_select, same.tempo, same.banks[0].tempo) == (TempoSelect.PROJECT, 140.0, 60.0)
    alike = replace(by_project)
    again = merge_banks([part(by_project, "A"), part(alike, "A=B")]).project
    assert (again.tempo_select, again.bank_tempo(1)) == (TempoSelect.PROJECT, 140.0)


def test_the_first_project_s_chain_and_pictures_are_kept() -> None:
    merged = merge_banks([part(first := full(), "A=B"), part(first, "J=A"), part(full(), "B=C")])
    assert merged.project.pictures == first.pictures
    assert merged.project.chain is not None
    assert merged.project.chain.patterns == (17, 17, 16)
    assert "X: 3 of the 4 patterns of the chain were merged." in map(str, merged.notices)


def test_files_that_go_with_no_bank_are_named() -> None:
    content = BytesContent(b"?")
    odd = replace(project({"A1": pad(1), "B1": pad(2)}), other_files={"PTN/PATTERNCHAIN_00.CHN": content})
    odd = replace(odd, audio={**odd.audio, slot("A2"): content, slot("J1"): content})
    merged = merge_banks([part(odd, "A", "Odd"), part(odd, "B", "Odd"), part(project({"C1": pad(3)}), "C", "Plain")])
    assert merged.notices == (LeftBehind("Odd", ("SMPL/BANK1-02.SMP", "PTN/PATTERNCHAIN_00.CHN")),)
    assert str(merged.notices[0]) == "Odd: not merged: SMPL/BANK1-02.SMP, PTN/PATTERNCHAIN_00.CHN."


def test_a_pad_without_its_sample_is_kept_and_named() -> None:
    source = full()
    lacking = replace(source, audio={place: each for place, each in source.audio.items() if place != slot("B1")})
    merged = merge_banks([part(lacking, "B=A", "Mine")])
    assert merged.project.pads[slot("A1")] == Pad(source.pads[slot("B1")].entry)
    assert merged.notices[0] == SilentPad("Mine", slot("B1"), "Loop")


def test_projects_of_older_firmware_are_merged_into_a_new_one(tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "old")
    (tmp_path / "old" / "PADCONF.BIN").write_bytes(older(full()))
    merged = merge_banks([part(load_project(tmp_path / "old"), "J=A"), part(full(), "B")], "New")
    assert merged.project.padconf.version == 3
    assert merged.project.name == "New"
    assert merged.project.pads[slot("B1")].chops == (0, 1_000, 4_000)


@needs_device_files
def test_banks_of_real_projects_are_merged_word_by_word() -> None:
    pads = load_project(UGC / "pad-params")
    sequence = load_project(UGC / "pad-sequencer" / "2026-04-08")
    made = merge_banks([part(pads, "B=A"), part(sequence, "B=B"), part(sequence, "A=C")]).project
    for old, new, source in (("B4", "A4", pads), ("B1", "B1", sequence), ("A1", "C1", sequence)):
        assert made.pads[slot(new)].entry == source.pads[slot(old)].entry
    assert [str(note.slot) for note in made.patterns[slot("C6")].notes] == ["C1", "B1"] * 4


def test_a_pattern_that_cannot_be_read_is_left_behind_and_named() -> None:
    unread = {"PTN/PTN00001.BIN": BytesContent(b"odd"), "PTN/PTN00160.BIN": BytesContent(b"odd")}
    source = replace(full().with_patterns({slot("A1"): None, slot("J16"): None}), other_files=unread)
    merged = merge_banks([part(source, "A", "Odd")])
    assert merged.project.unread_patterns == {}
    assert merged.project.chain is None
    assert LeftBehind("Odd", ("PTN/PTN00001.BIN",)) in merged.notices
    assert slot("A1") in merged.project.pads
