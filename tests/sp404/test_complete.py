"""Samples of a pool for the pads a kit has left empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sample_agent.sp404.kits.complete import Completion, Weights, complete
from sample_agent.sp404.kits.kit import KitSample
from sample_agent.sp404.kits.layout import layout


def sample(name: str, sound_class: Any, **more: Any) -> KitSample:
    return KitSample(id=name, name=name, sound_class=sound_class, **more)


def loop(name: str, sound_class: str = "melodic-loop", **more: Any) -> KitSample:
    return sample(name, sound_class, kind="loop", **more)


def filled(made: Completion) -> dict[str, str]:
    return {str(each.placement.slot): each.placement.sample.name for each in made.suggestions}


KIT = layout([sample("kick", "kick", loudness=-12.0), loop("pad", tempo=90.0, key="Am", loudness=-14.0)])


def test_each_pad_gets_the_class_it_is_for() -> None:
    pool = [sample("a hat", "closed-hat"), sample("a snare", "snare"), sample("a tom", "tom"), sample("a song", None)]
    made = complete(KIT, pool)
    assert filled(made) == {"A5": "a tom", "A14": "a snare", "A15": "a hat"}
    assert made.suggestions[0].placement.reason == "The pad is for a snare."
    assert made.suggestions[1].placement.mute_group == 1


def test_a_stand_in_is_called_one() -> None:
    made = complete(KIT, [sample("a clap", "clap")])
    assert filled(made) == {"A14": "a clap"}
    assert "There is no snare left, so a clap" in made.suggestions[0].placement.reason


def test_no_sample_is_suggested_twice_or_again() -> None:
    made = complete(KIT, [sample("kick", "kick"), sample("snare", "snare"), sample("snare", "snare")])
    assert filled(made) == {"A14": "snare"}


def test_of_several_loops_the_one_in_tempo_and_key_is_taken() -> None:
    pool = [
        loop("wrong key", tempo=90.0, key="Ebm"),
        loop("wrong tempo", tempo=126.0, key="Am"),
        loop("double time", tempo=180.0, key="Em"),
    ]
    best = complete(KIT, pool).suggestions[0].placement
    assert best.sample.name == "double time"
    assert "Em (9A) mixes with the kit's Am (8A)" in best.reason
    assert "180 BPM beside the kit's 90" in best.reason


def test_the_project_tempo_counts_when_it_is_given() -> None:
    pool = [loop("at 90", tempo=90.0), loop("at 126", tempo=126.0)]
    assert complete(KIT, pool, tempo=126).suggestions[0].placement.sample.name == "at 126"


def test_loudness_near_the_kit_decides_between_equals() -> None:
    pool = [sample("quiet", "snare", loudness=-30.0), sample("near", "snare", loudness=-13.2)]
    made = complete(KIT, pool)
    assert filled(made)["A14"] == "near"
    assert "as loud as the kit" in made.suggestions[0].placement.reason


def test_an_embedding_near_the_kits_drums_is_preferred() -> None:
    kit = layout([sample("kick", "kick", embedding=(1.0, 0.0))])
    pool = [sample("far", "snare", embedding=(-1.0, 0.2)), sample("near", "snare", embedding=(0.9, 0.1))]
    made = complete(kit, pool)
    assert filled(made)["A14"] == "near"
    assert "sounds like the kit" in made.suggestions[0].placement.reason
    assert filled(complete(kit, pool, weights=Weights(embedding=0)))["A14"] == "far"


def test_an_empty_kit_is_begun_from_the_bottom_row() -> None:
    made = complete(layout([]), [sample("s", "snare"), sample("k", "kick")])
    assert filled(made) == {"A13": "k", "A14": "s"}


def test_pads_that_nothing_is_for_say_what_they_take() -> None:
    made = complete(KIT, [])
    assert len(made.unfilled) == 14
    assert "snare, clap, rim" in made.unfilled[0].reason


def test_a_bank_of_loops_wants_drum_loops_below_and_melodic_ones_above() -> None:
    kit = layout([loop(f"l{n}", tempo=90.0, key="Am") for n in range(3)])
    made = complete(kit, [loop("d", "drum-loop", tempo=90.0), loop("m", tempo=90.0, key="Am")])
    assert filled(made) == {"A4": "m", "A13": "d"}


def test_the_fit_is_between_none_and_perfect() -> None:
    pool = [sample(f"{n}", "snare", loudness=-60.0 + n, embedding=(0.1, 1.0)) for n in range(20)]
    assert all(0 <= each.fit <= 1 for each in complete(KIT, pool).suggestions)


def test_the_example_in_the_documentation_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs/sp404-loading.md").read_text()
    example = page.split("```python")[1].split("```")[0]
    exec(example, {})
    promised = [line.removeprefix("# ") for line in example.splitlines() if line.startswith("# ")]
    assert capsys.readouterr().out.splitlines() == promised
