"""A layout and its sounds, put together to what is written on a card."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from sample_agent.sp404.cards.batch import Sound, Source, UnreadableSourceError
from sample_agent.sp404.cards.build import BuildOptions, BuiltProject, SoundOptions, built_project, scratch_bytes
from sample_agent.sp404.cards.build_wav import built_wav_card
from sample_agent.sp404.cards.manifest import project_manifest
from sample_agent.sp404.formats.padconf import TempoSelect
from sample_agent.sp404.formats.smp import read_smp_blocks
from sample_agent.sp404.formats.wav import read_wav
from sample_agent.sp404.kits.kit import KitSample
from sample_agent.sp404.kits.layout import layout
from sample_agent.sp404.projects.content import Content
from sample_agent.sp404.projects.output import write_card
from sample_agent.sp404.projects.reading import load_project
from sample_agent.sp404.projects.verify import verify

RATE = 44_100
AS_IT_IS = SoundOptions(trim=False, fade=False, remove_dc=False, merge_mono=False)


def noise(seconds: float = 0.3, channels: int = 2, seed: int = 1, level: float = 0.3) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return (level * random.uniform(-1, 1, (round(seconds * RATE), channels))).astype(np.float32)


def sound(samples: NDArray[np.float32], rate: int = RATE) -> Source:
    @contextmanager
    def opened() -> Iterator[Sound]:
        yield Sound(rate, (samples[start : start + 10_000] for start in range(0, len(samples), 10_000)))

    return opened


def broken(words: str) -> Source:
    @contextmanager
    def opened() -> Iterator[Sound]:
        raise UnreadableSourceError(words)
        yield

    return opened


def sample(name: str, sound_class: Any, **more: Any) -> KitSample:
    return KitSample(id=name, name=name, sound_class=sound_class, **more)


def loop(name: str, tempo: float | None, **more: Any) -> KitSample:
    return sample(name, "melodic-loop", kind="loop", tempo=tempo, duration=2.0, **more)


def whole(content: Content) -> bytes:
    with content.open() as file:
        return file.read()


Crate = dict[KitSample, Source]


@contextmanager
def built(crate: Crate, scratch: Path, **options: Any) -> Iterator[BuiltProject]:
    sources = {each.id: source for each, source in crate.items()}
    with built_project(layout(list(crate)), sources, BuildOptions(**options), scratch_dir=scratch) as made:
        yield made


def kit() -> Crate:
    return {
        sample("Kick.wav", "kick"): sound(noise(seed=1)),
        sample("Snare.wav", "snare"): sound(noise(seed=2)),
        sample("Hat.wav", "closed-hat"): sound(noise(0.02, 1, seed=3)),
        loop("Rhodes F#m.wav", 92.0, key="F#m", slices=(0.03, 0.5, 1.0, 1.5)): sound(noise(2.0, seed=4)),
    }


def test_what_is_built_verifies_and_reads_back_the_same(tmp_path: Path) -> None:
    with built(kit(), tmp_path, name="Été", chops=True, starter_pattern=True) as made:
        folder = write_card(made.project, tmp_path / "card", 16)
        pads = {str(slot): (pad.name, pad.settings, pad.chops) for slot, pad in made.project.pads.items()}
    assert verify(tmp_path / "card") == []
    read = load_project(folder)
    assert {str(slot): (pad.name, pad.settings, pad.chops) for slot, pad in read.pads.items()} == pads
    assert {slot: name for slot, (name, *_) in pads.items()} == {
        "A1": "Rhodes Fsm", "A13": "Kick", "A14": "Snare", "A15": "Hat",
    }  # fmt: skip
    assert (read.name, read.tempo, read.tempo_select) == ("Ete", 92.0, TempoSelect.PROJECT)
    assert {bank.tempo for bank in read.banks} == {92.0}
    assert [str(slot) for slot in read.patterns] == ["A1"]


def test_pads_play_as_the_layout_says(tmp_path: Path) -> None:
    with built(kit(), tmp_path, chops=True) as made:
        pads = {str(slot): pad for slot, pad in made.project.pads.items()}
    kick, hat, rhodes = (pads[slot].settings for slot in ("A13", "A15", "A1"))
    assert (kick.one_shot, kick.gate, kick.loop, kick.mute_group, int(kick.bus)) == (True, False, False, 0, 1)
    assert hat.mute_group == 1
    assert (rhodes.loop, rhodes.bpm_sync, rhodes.vinyl, rhodes.tempo, int(rhodes.bus)) == (True, True, False, 92.0, 2)
    assert pads["A1"].chops == (0, 24_000, 48_000, 72_000)
    assert pads["A13"].chops == ()


def test_untreated_audio_is_what_an_independent_conversion_gives(tmp_path: Path) -> None:
    crate = kit()
    with built(crate, tmp_path, sound=AS_IT_IS) as made:
        for placed, source in crate.items():
            item = next(each for each in made.report.items if each.sample_id == placed.id)
            slot = next(slot for slot in made.project.pads if str(slot) == item.pad)
            with made.project.audio[slot].open() as file:
                header, blocks = read_smp_blocks(file)
                arrived = np.concatenate(list(blocks)).astype(np.float64)
            with source() as opened:
                original = np.concatenate(list(opened.blocks)).astype(np.float64)
            expected = soxr.resample(original, RATE, 48_000, quality="HQ") * 32_768
            assert header.frames - item.processing.padded_frames == len(expected)
            assert np.abs(arrived[: len(expected)] - expected).max() <= 2  # rounding and ±1 step of dither
            assert not arrived[len(expected) :].any()


def test_what_was_written_stays_when_the_scratch_goes(tmp_path: Path) -> None:
    scratch, card = tmp_path / "scratch", tmp_path / "card"
    scratch.mkdir()
    with built(kit(), scratch) as made:
        contents = {name: whole(content) for name, content in made.project.files().items()}
        folder = write_card(made.project, card, 16)
    assert list(scratch.iterdir()) == []
    assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")} == contents
    assert {path.stat().st_nlink for path in folder.rglob("*.SMP")} == {1}


def test_a_disk_that_knows_no_links_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    with built(kit(), tmp_path) as made:
        write_card(made.project, tmp_path / "card", 16)
    assert verify(tmp_path / "card") == []


def test_the_scratch_is_gone_when_the_project_is_done_with(tmp_path: Path) -> None:
    with built(kit(), tmp_path):
        assert len(list(tmp_path.rglob("*.SMP"))) == 4
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_cannot_be_read_is_left_out_and_the_rest_built(tmp_path: Path) -> None:
    crate = kit() | {
        sample("Bad.wav", "clap"): broken("The file is damaged."),
        sample("None.wav", "rim"): sound(noise(0)),
    }
    with built(crate, tmp_path) as made:
        assert len(made.project.pads) == 4
        assert {each.original_name: each.reason for each in made.report.left_out} == {
            "Bad.wav": "The file is damaged.",
            "None.wav": "The sound is empty.",
        }
        assert any("Left out: 2 samples." in sentence for sentence in made.report.sentences())


@pytest.mark.parametrize("failing", ["progress", "source"])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, failing: str) -> None:
    class Interrupted(Exception):
        pass

    def fail(*_: object) -> None:
        raise Interrupted

    @contextmanager
    def failing_source() -> Iterator[Sound]:
        raise Interrupted
        yield

    crate = {sample(f"{n}", "kick"): sound(noise(1.0, seed=n)) for n in range(30)}
    if failing == "source":
        crate[sample("odd", "snare")] = failing_source
    sources = {each.id: source for each, source in crate.items()}
    on_progress: Callable[[int, int], None] | None = fail if failing == "progress" else None
    before = threading.active_count()
    with (
        pytest.raises(Interrupted),
        built_project(layout(list(crate)), sources, BuildOptions(), scratch_dir=tmp_path, on_progress=on_progress),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == before


def test_the_scratch_never_takes_more_than_was_said(tmp_path: Path) -> None:
    crate = {sample(f"{n}", "kick", duration=n / 10, channels=2): sound(noise(n / 10, seed=n)) for n in range(2, 9)}
    with built(crate, tmp_path):
        assert sum(path.stat().st_size for path in tmp_path.rglob("*.SMP")) <= scratch_bytes(crate)
    assert scratch_bytes([sample("endless", None, duration=1e6, channels=8)]) == 184_506_368


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    crate = kit()
    sources = {each.id: source for each, source in crate.items()}
    with built_project(
        layout(list(crate)), sources, BuildOptions(), scratch_dir=tmp_path, on_progress=lambda *now: told.append(now)
    ):
        assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_same_samples_give_the_same_project_in_any_number_of_threads(tmp_path: Path) -> None:
    def checksums(workers: int) -> list[str]:
        crate = kit()
        sources = {each.id: source for each, source in crate.items()}
        options = BuildOptions(chops=True, starter_pattern=True)
        with built_project(layout(list(crate)), sources, options, workers=workers) as made:
            return [hashlib.sha256(whole(content)).hexdigest() for content in made.project.files().values()]

    assert checksums(1) == checksums(4)


@pytest.mark.parametrize(
    ("tempo", "words", "expected"),
    [
        (None, "most of its loops", 92.0),
        (120.0, "as asked", 120.0),
        (240.0, "cannot be set to the 240 asked for", 120.0),
    ],
)
def test_the_tempo_is_decided_and_said(tmp_path: Path, tempo: float | None, words: str, expected: float) -> None:
    with built(kit(), tmp_path, tempo=tempo) as made:
        assert made.project.tempo == expected
        assert any(words in sentence for sentence in made.report.decisions)


def test_without_loops_the_tempo_is_the_units_own(tmp_path: Path) -> None:
    with built({sample("Kick", "kick"): sound(noise())}, tmp_path) as made:
        assert made.project.tempo == 90
        assert "No loop has a known tempo" in made.report.decisions[0]


def test_banks_can_have_the_tempo_of_their_own_loops(tmp_path: Path) -> None:
    crate = {loop(f"{tempo}-{n}", tempo): sound(noise(2.0, seed=n)) for tempo in (90.0, 120.0) for n in range(9)} | {
        sample("Kick", "kick"): sound(noise())
    }
    with built(crate, tmp_path, bank_tempos=True) as made:
        assert made.project.tempo_select is TempoSelect.BANK
        assert [bank.tempo for bank in made.project.banks[:3]] == [made.project.tempo, 90.0, 120.0]


@pytest.mark.parametrize(("bank_tempos", "groove"), [(False, "boom bap"), (True, "breakbeat")])
def test_a_first_groove_suits_the_tempo_its_bank_plays_at(tmp_path: Path, bank_tempos: bool, groove: str) -> None:
    crate = {sample(name, name): sound(noise()) for name in ("kick", "snare")} | {loop("t", 174.0): sound(noise(2.0))}
    with built(crate, tmp_path, starter_pattern=True, bank_tempos=bank_tempos, tempo=90.0) as made:
        assert next(each for each in made.report.decisions if "first groove" in each).startswith(
            f"Pattern A1 is a first groove ({groove},"
        )


def test_pads_without_a_tempo_of_their_own_have_that_of_their_bank(tmp_path: Path) -> None:
    crate = kit() | {loop("free", None): sound(noise(2.0))}
    with built(crate, tmp_path, tempo=120.0) as made:
        tempos = {pad.name: pad.settings.tempo for pad in made.project.pads.values()}
    assert tempos == {"Kick": 120.0, "Snare": 120.0, "Hat": 120.0, "free": 120.0, "Rhodes Fsm": 92.0}


def test_a_loop_out_of_reach_is_stretched_to_the_project_and_one_in_reach_is_not(tmp_path: Path) -> None:
    crate = {loop("slow", 60.0): sound(noise(2.0)), loop("near", 100.0): sound(noise(2.0))}
    with built(crate, tmp_path, tempo=120.0) as made:
        done = {each.original_name: each for each in made.report.items}
        pads = {pad.name: pad.settings for pad in made.project.pads.values()}
    assert done["slow"].processing.frames == 48_000
    assert "stretched" in {remark.code for remark in done["slow"].remarks}
    assert (pads["slow"].tempo, pads["near"].tempo) == (120.0, 100.0)
    assert done["near"].processing.frames == 96_000
    with built(crate, tmp_path, tempo=120.0, fit_tempo=False) as made:
        assert {each.processing.stretch for each in made.report.items} == {1.0}


def test_a_loop_too_long_to_stretch_is_built_as_it_is_and_said(tmp_path: Path) -> None:
    long = KitSample("long", "long", "loop", "melodic-loop", tempo=60.0, duration=100.0)
    with built({long: sound(noise(1.0))}, tmp_path, tempo=120.0) as made:
        assert made.report.items[0].processing.stretch == 1
        assert "Could not stretch 1 sample" in "\n".join(made.report.sentences())


def test_a_tempo_the_unit_does_not_have_is_folded_and_said(tmp_path: Path) -> None:
    with built({loop("fast", 240.0): sound(noise(2.0))}, tmp_path) as made:
        assert next(iter(made.project.pads.values())).settings.tempo == 120
        assert "240 BPM is set as 120" in [remark.words for remark in made.report.items[0].remarks]


def test_matched_loudness_brings_a_bank_together(tmp_path: Path) -> None:
    crate = {
        sample("loud", "kick", loudness=-10.0, peak_db=-2.0): sound(noise(level=0.5)),
        sample("middle", "snare", loudness=-16.0, peak_db=-8.0): sound(noise(level=0.3)),
        sample("quiet", "clap", loudness=-22.0, peak_db=-14.0): sound(noise(level=0.1)),
    }
    with built(crate, tmp_path, sound=SoundOptions(match_loudness=True)) as made:
        gains = {each.original_name: each.processing.gain_db for each in made.report.items}
    assert gains == {"loud": -6.0, "middle": 0.0, "quiet": 6.0}


def test_many_slices_become_sixteen_chops_and_stay_apart(tmp_path: Path) -> None:
    slices = (*(n * 0.05 for n in range(40)), 0.0001, 1.999)
    with built({loop("busy", 90.0, slices=slices): sound(noise(2.0))}, tmp_path, chops=True) as made:
        chops = next(iter(made.project.pads.values())).chops
    assert len(chops) == 16
    assert chops[0] == 0
    assert np.diff(chops).min() >= 1_000
    assert chops[-1] <= 95_000


def test_the_report_says_what_was_done_in_plain_words(tmp_path: Path) -> None:
    crate = kit() | {sample("a very long name that goes on and on.wav", "tom"): sound(noise(17 * 60 / 1000 + 0.1))}
    with built(crate, tmp_path) as made:
        by_name = {
            each.original_name: {remark.code: remark.words for remark in each.remarks} for each in made.report.items
        }
        text = "\n".join(made.report.sentences())
    assert by_name["Hat.wav"]["padded"] == "80 ms of silence added, to 100 ms"
    assert "44.1 kHz to 48 kHz" in by_name["Kick.wav"]["converted"]
    assert "renamed" not in by_name["Kick.wav"]
    assert "is called 'Rhodes Fsm'" in by_name["Rhodes F#m.wav"]["renamed"]
    assert "Renamed 2 samples, as names have to be plain, all different and of at most 23 characters" in text
    assert "Project: 5 samples" in text


def test_a_changed_level_has_its_reason(tmp_path: Path) -> None:
    def said(name: str, **options: Any) -> tuple[list[str], str]:
        crate = {sample("Kick", "kick"): sound(noise(level=1.2))}
        with built(crate, tmp_path, sound=SoundOptions(**options)) as made:
            (words,) = [each.words for each in made.report.items[0].remarks if each.code == name]
            return [each for each in made.report.sentences() if "Kick" in each], words

    sentences, words = said("turned-down")
    assert "Turned down 1 sample so that they do not clip: Kick." in sentences
    assert words.endswith(" dB, so that it does not clip")
    sentences, words = said("gain", normalise_db=-6.0)
    assert "Changed the level of 1 sample as asked: Kick." in sentences
    assert words.endswith(" dB to peak at -6 dBFS")


def test_what_does_not_fit_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with built(kit(), tmp_path, free_bytes=1_000) as made:
        assert "do not fit: 1.0 kB are free" in made.report.problems[0]
    with built(kit(), tmp_path, free_bytes=10**9) as made:
        assert made.report.problems == ()


def test_the_manifest_leads_from_each_file_back_to_its_sample(tmp_path: Path) -> None:
    with built(kit(), tmp_path, name="Drums", number=3) as made:
        found = json.loads(project_manifest(made.project, 3, made.report))
        contents = {f"EXPORT/PROJECT/PROJECT_03/{path}": whole(each) for path, each in made.project.files().items()}
    assert found["project"] == {"name": "Drums", "number": 3, "folder": "EXPORT/PROJECT/PROJECT_03", "tempo": 92.0}
    assert {each["pad"]: each["original_name"] for each in found["files"]}["A1"] == "Rhodes F#m.wav"
    for each in found["files"]:
        assert hashlib.sha256(contents[each["path"]]).hexdigest() == each["sha256"]
        assert len(contents[each["path"]]) == each["size"]
        assert each["reason"]
        assert each["processing"]["source_rate"] == RATE


def test_a_wav_card_has_the_same_samples_in_folders(tmp_path: Path) -> None:
    crate = kit()
    sources = {each.id: source for each, source in crate.items()} | {"bad": broken("Gone.")}
    samples = [*crate, KitSample(id="bad", name="bad")]
    with built_wav_card("Été", samples, sources, AS_IT_IS, scratch_dir=tmp_path) as made:
        assert list(made.files) == [f"IMPORT/Ete/{name}.WAV" for name in ("Kick", "Snare", "Hat", "Rhodes Fsm")]
        for path, content in made.files.items():
            pcm = read_wav(whole(content))
            item = next(each for each in made.report.items if each.path == path)
            assert len(pcm) == item.processing.frames
        assert [each.reason for each in made.report.left_out] == ["Gone."]
    assert list(tmp_path.iterdir()) == []
