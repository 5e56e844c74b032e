"""Samples on pads, as players lay them out."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sample_agent.sp404.kits.kit import SOUND_CLASSES, KitSample, around_the_wheel, camelot, fold_tempo
from sample_agent.sp404.kits.layout import Layout, common_tempo, layout
from sample_agent.sp404.kits.rules import PLAYERS, RulesError, rules_from_toml


def hits(*classes: str, group: str | None = None) -> list[KitSample]:
    return [
        KitSample(id=f"{group}{number}", name=f"{name} {number}", sound_class=name, group=group)
        for number, name in enumerate(classes)
    ]


def loops(*tempos_and_keys: tuple[float | None, str | None], of: str = "melodic-loop") -> list[KitSample]:
    return [
        KitSample(id=f"{of}{number}", name=f"Loop {number}", kind="loop", sound_class=of, tempo=tempo, key=key)
        for number, (tempo, key) in enumerate(tempos_and_keys)
    ]


def pads(made: Layout) -> dict[str, str]:
    return {str(each.slot): each.sample.name for each in made.placements}


def classes(made: Layout) -> dict[str, str]:
    return {str(each.slot): each.sample.played_as for each in made.placements}


def test_a_kit_lies_on_the_bottom_rows_from_left_to_right() -> None:
    made = layout(hits("open-hat", "snare", "closed-hat", "kick", "tom", "cymbal", "clap", "kick"))
    assert classes(made) == {
        "A5": "tom",
        "A9": "kick",
        "A10": "clap",
        "A12": "cymbal",
        "A13": "kick",
        "A14": "snare",
        "A15": "closed-hat",
        "A16": "open-hat",
    }
    assert pads(made)["A13"] == "kick 3"


def test_what_is_missing_is_replaced_by_its_like_and_said() -> None:
    made = layout(hits("kick", "clap", "closed-hat", "closed-hat"))
    assert classes(made) == {"A13": "kick", "A14": "clap", "A15": "closed-hat", "A16": "closed-hat"}
    reasons = {str(each.slot): each.reason for each in made.placements}
    assert "No snare was left for it, so a clap." in reasons["A14"]


def test_without_an_open_hat_the_one_that_rings_longest_takes_its_pad() -> None:
    hats = [
        KitSample(id=str(length), name=f"hat {length}", sound_class="closed-hat", duration=length)
        for length in (1.2, 0.1, 0.12)
    ]
    made = layout([*hits("kick", "snare"), *hats])
    assert pads(made) | {"A15": "hat 0.1", "A16": "hat 1.2", "A11": "hat 0.12"} == pads(made)
    made = layout([*hits("kick", "snare", "open-hat"), *hats])
    assert (pads(made)["A15"], pads(made)["A16"]) == ("hat 1.2", "open-hat 2")


def test_further_drums_leave_the_pads_of_what_is_missing_free() -> None:
    without_a_snare = classes(layout(hits("kick", *["closed-hat"] * 6)))
    assert "A14" not in without_a_snare
    assert [pad for pad, name in without_a_snare.items() if name == "closed-hat" and pad in ("A7", "A11", "A15")] == [
        "A7",
        "A11",
        "A15",
    ]
    assert "A14" in classes(layout(hits("kick", *["closed-hat"] * 15)))


def test_further_kicks_lie_among_the_drums_before_they_take_the_top_row() -> None:
    eleven = classes(layout(hits("snare", "closed-hat", "open-hat", *["kick"] * 8)))
    assert {pad for pad, name in eleven.items() if name == "kick"} == {
        "A13", "A9", "A10", "A11", "A12", "A5", "A6", "A7",
    }  # fmt: skip


def test_a_sample_that_may_be_something_else_comes_after_a_certain_one() -> None:
    doubtful, certain = hits("kick", "kick")
    made = layout([replace(doubtful, certain=False), certain])
    assert pads(made) == {"A13": "kick 1", "A9": "kick 0"}


def test_hats_are_one_mute_group_and_nothing_else_is_in_it() -> None:
    made = layout(hits("kick", "snare", "closed-hat", "open-hat", "cymbal"))
    assert {each.sample.played_as: each.mute_group for each in made.placements} == {
        "kick": 0, "snare": 0, "closed-hat": 1, "open-hat": 1, "cymbal": 0,
    }  # fmt: skip


def test_one_shots_loops_and_tracks_are_played_as_such() -> None:
    samples = [
        *hits("kick", "bass"),
        *loops((170, None), of="drum-loop"),
        *loops((92.5, "Am"), (None, "Am")),
        KitSample(id="t", name="Song", kind="track", tempo=120.0),
    ]
    made = {each.sample.name: each.settings() for each in layout(samples).placements}
    assert made["kick 0"] == {
        "one_shot": True, "gate": False, "loop": False, "bpm_sync": False, "vinyl": True, "mute_group": 0, "bus": 1,
    }  # fmt: skip
    assert made["bass 1"]["bus"] == 2
    by_slot = {each.sample.id: each.settings() for each in layout(samples).placements}
    for name, tempo, bus in (("drum-loop0", 170, 1), ("melodic-loop0", 92.5, 2)):
        assert by_slot[name] == {
            "one_shot": False, "gate": False, "loop": True, "bpm_sync": True, "vinyl": False, "mute_group": 0,
            "bus": bus, "tempo": tempo,
        }  # fmt: skip
    assert (by_slot["melodic-loop1"]["loop"], by_slot["melodic-loop1"]["bpm_sync"]) == (True, False)
    assert (by_slot["t"]["loop"], by_slot["t"]["one_shot"]) == (False, False)


def test_little_melodic_material_goes_above_the_kit_and_much_of_it_to_a_bank_of_its_own() -> None:
    kit = hits("kick", "snare", "closed-hat", "open-hat")
    made = layout([*kit, *loops((90, "Am"), (90, "Em"))])
    assert set(pads(made)) == {"A1", "A2", "A13", "A14", "A15", "A16"}
    made = layout([*kit, *loops(*[(90, "Am")] * 14)])
    assert {slot[0] for slot in pads(made)} == {"A", "B"}
    assert [plan.role for plan in made.banks] == ["kit", "loops"]
    assert made.banks[1].tempo == 90


def test_each_folder_that_makes_a_kit_has_a_bank() -> None:
    samples = [
        *hits("kick", "snare", "closed-hat", group="808"),
        *hits("kick", "snare", "open-hat", group="909"),
        *hits("kick", group="odd"),
    ]
    made = layout(samples)
    assert {str(each.slot): each.sample.group for each in made.placements} == {
        "A13": "808", "A14": "808", "A15": "808", "B13": "909", "B14": "909", "B16": "909", "C13": "odd",
    }  # fmt: skip
    assert {str(each.slot): each.mute_group for each in made.placements if each.mute_group} == {"A15": 1, "B16": 2}


def test_many_drums_of_one_folder_become_several_whole_kits() -> None:
    made = layout(hits(*["kick", "snare", "closed-hat"] * 8))
    found = classes(made)
    assert [found[f"{bank}{pad}"] for bank in "AB" for pad in (13, 14, 15)] == ["kick", "snare", "closed-hat"] * 2
    assert len(found) == 24
    assert {slot[0] for slot in found} == {"A", "B"}


def test_a_tempo_and_its_double_go_together() -> None:
    made = layout(loops(*[(85, "Am")] * 8, *[(110, "Am")] * 10, *[(170, "Am")] * 8))
    assert {each.slot.bank for each in made.placements if each.tempo in (85, 170)} == {0}


def test_loops_of_a_tempo_share_a_bank_and_keys_lie_in_the_order_of_the_wheel() -> None:
    slow = loops(*[(90, key) for key in ("Em", "Am", "C", "Dm", "Gm", "Bm", "F", "G", "Cm", "Bb")])
    fast = [replace(loop, id=f"fast{loop.id}", tempo=140.0) for loop in slow]
    made = layout([*fast, *slow])
    tempos = {bank: {each.tempo for each in made.placements if str(each.slot)[0] == bank} for bank in "AB"}
    assert tempos == {"A": {140.0}, "B": {90.0}}
    wheel = [str(camelot(each.sample.key)) for each in made.placements if each.tempo == 90]
    assert wheel == ["5A", "6A", "6B", "7A", "7B", "8A", "8B", "9A", "9B", "10A"]


def test_drum_loops_lie_below_melodic_ones() -> None:
    made = layout([*loops((90, None), (90, None), of="drum-loop"), *loops((90, "Am"), (90, "Em"))])
    assert classes(made) == {"A1": "melodic-loop", "A2": "melodic-loop", "A13": "drum-loop", "A14": "drum-loop"}


def test_a_hundred_and_sixty_pads_are_filled_and_the_rest_says_why() -> None:
    made = layout([*hits(*["kick"] * 180), *loops(*[(60 + n, "Am") for n in range(20)])])
    assert len(made.placements) == 160
    assert len({each.slot for each in made.placements}) == 160
    assert sum(each.sample.is_loop for each in made.placements) == 16
    assert len(made.leftovers) == 40
    assert "144 of the 180 kicks" in made.leftovers[0].reason


def test_a_class_of_one_is_not_lost_in_a_crowd() -> None:
    made = layout(hits(*["kick"] * 2000, "snare", "rim"))
    assert {each.sample.played_as for each in made.placements} == {"kick", "snare", "rim"}
    assert len(made.placements) == 160


def test_many_sections_move_together_when_ten_banks_would_not_do() -> None:
    kits = [each for number in range(10) for each in hits("kick", "snare", group=f"kit {number}")]
    made = layout([*kits, *loops(*[(90, "Am")] * 30)])
    assert len(made.placements) == 50
    assert not made.leftovers


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            KitSample,
            id=st.uuids().map(str),
            name=st.text(max_size=5),
            kind=st.sampled_from(["one-shot", "loop", "track"]),
            sound_class=st.sampled_from([None, *SOUND_CLASSES]),
            tempo=st.none() | st.floats(20, 400),
            key=st.sampled_from([None, "Am", "F#m", "Eb", "nonsense"]),
            group=st.sampled_from([None, "a", "b"]),
        ),
        max_size=220,
    )
)
def test_every_sample_is_placed_once_or_left_over_with_a_reason(samples: list[KitSample]) -> None:
    made = layout(samples)
    assert sorted([each.sample.id for each in (*made.placements, *made.leftovers)]) == sorted(s.id for s in samples)
    assert len(made.placements) == min(160, len(samples))
    assert len({each.slot for each in made.placements}) == len(made.placements)
    assert all(each.reason.endswith(".") for each in (*made.placements, *made.leftovers))
    assert layout(samples) == made


def test_the_commonest_tempo_is_that_of_most_loops() -> None:
    assert common_tempo(loops((90, None), (92, None), (92, None), (140, None))) == 92
    assert common_tempo(loops((240, None))) == 120
    assert common_tempo(loops((70, None), (95, None), (100.5, None), (138, None), (138.5, None), (110, None))) == 138
    assert common_tempo(loops((72, None), (97, None), (130, None))) == 97
    assert common_tempo(hits("kick")) is None


@pytest.mark.parametrize(("tempo", "folded"), [(90, 90), (240, 120), (35, 70), (201, 100.5), (1, 64), (93.337, 93.34)])
def test_tempos_fold_into_what_the_unit_can_be_set_to(tempo: float, folded: float) -> None:
    assert fold_tempo(tempo) == folded


def test_no_tempo_is_refused() -> None:
    for nonsense in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="no tempo"):
            fold_tempo(nonsense)


def test_keys_stand_on_the_camelot_wheel() -> None:
    wheel = {
        "Am": "8A",
        "C": "8B",
        "F#m": "11A",
        "Gbm": "11A",
        "Fsm": "11A",
        "Eb": "5B",
        "D#m": "2A",
        "B": "1B",
        "E": "12B",
    }
    assert {key: str(camelot(key)) for key in wheel} == wheel
    assert camelot("H") is None
    assert camelot(None) is None


def test_neighbours_on_the_wheel_lie_side_by_side_across_its_top() -> None:
    keys = [camelot(key) for key in ("Am", "Abm", "Dbm", "Em")]  # 8A 1A 12A 9A
    assert [str(key) for key in around_the_wheel(key for key in keys if key)] == ["8A", "9A", "12A", "1A"]


def test_a_rule_file_overrides_pads_and_playing() -> None:
    rules = rules_from_toml(
        """
        kits_by_group = false
        [pads]
        1 = ["kick"]
        13 = ["clap", "snare"]
        [playing.kick]
        bus = "dry"
        [playing.closed-hat]
        choke = false
        """
    )
    made = layout(hits("kick", "snare", "closed-hat", "kick", "kick"), rules)
    assert classes(made)["A13"] == "snare"
    assert classes(made)["A1"] == "kick"
    kick = next(each for each in made.placements if each.sample.played_as == "kick")
    assert kick.settings()["bus"] == 0
    assert not any(each.mute_group for each in made.placements)


def test_the_rule_file_in_the_documentation_works() -> None:
    page = (Path(__file__).parents[2] / "docs/sp404-loading.md").read_text()
    rules = rules_from_toml(page.split("```toml")[1].split("```")[0])
    assert rules.tempo_tolerance == 0.06
    assert not rules.playing["open-hat"].choke


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[pads", "not TOML"),
        ("colour = 1", "no rule 'colour'"),
        ("pads = 3", "table"),
        ("[pads]\n17 = ['kick']", "not a pad"),
        ("[pads]\n1 = []", "list"),
        ("[pads]\n1 = ['kik']", "'kik' is not one of"),
        ("[pads]\n1 = [['kick']]", "is not one of"),
        ("[playing.kik]\nbus = 'dry'", "not one of"),
        ("[playing.kick]\nbus = 'BUS 3'", "BUS 3"),
        ("[playing.kick]\nloop = 1", "true or false"),
        ("[playing.kick]\nloop = true", "either"),
        ("[playing.kick]\ncolour = true", "colour"),
        ("[playing]\nkick = 1", "table"),
        ("tempo_tolerance = 2", "0 to 0.5"),
        ("kits_by_group = 'yes'", "true or false"),
    ],
)
def test_a_rule_file_that_cannot_be_followed_says_where(text: str, words: str) -> None:
    with pytest.raises(RulesError, match=words):
        rules_from_toml(text)


@given(st.text() | st.from_regex(r"\[(pads|playing)(\.kick)?\]\n(13|bus|loop) = (\[.*\]|true|1|'.*')", fullmatch=True))
def test_any_text_gives_rules_or_says_what_is_wrong_with_it(text: str) -> None:
    with contextlib.suppress(RulesError):
        assert rules_from_toml(text).explained()


def test_every_rule_has_a_sentence() -> None:
    sentences = PLAYERS.explained()
    assert len(sentences) >= 16
    assert all(sentence.endswith(".") for sentence in sentences)
    assert "Pad 13 takes kick, else tom." in sentences[0]
