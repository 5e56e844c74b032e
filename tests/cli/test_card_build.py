"""`sample-agent card build`, run as a user runs it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from sample_agent.sp404.formats.padconf import TempoSelect
from sample_agent.sp404.formats.smp import read_smp_blocks
from sample_agent.sp404.formats.wav import read_wav
from sample_agent.sp404.projects.project import Project
from sample_agent.sp404.projects.reading import load_project
from sample_agent.sp404.projects.verify import verify
from sample_agent.sp404.slots import PadSlot
from tests.engine.files import write
from tests.sounds import RATE, chord, drum_loop
from tests.waiting import until

AUDIO = Path(os.environ.get("SAMPLE_AGENT_AUDIO", Path(__file__).parents[3] / "shared/audio"))
DECODED = (".wav", ".flac", ".ogg", ".mp3")
STEP = 1 / 32_768
PROGRAM = (sys.executable, "-c", "from sample_agent.cli import main; main()", "card", "build")
ENVIRONMENT = {"PATH": "", "COLUMNS": "140", "NO_COLOR": "1"}


def hit(frequency: float, seconds: float = 0.4, *, noisy: float = 0.0, seed: int = 0) -> np.ndarray:
    at = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).uniform(-1, 1, len(at))
    mono = ((1 - noisy) * np.sin(2 * np.pi * frequency * at) + noisy * noise) * np.exp(-12 * at)
    return 0.6 * np.stack((mono, 0.8 * mono), axis=1)


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit, two loops, a file that is no audio and one that is damaged."""
    crate = tmp_path_factory.mktemp("Dusty Crate")
    write(crate / "Kick 01.wav", samples=hit(60))
    write(crate / "SNARE_crisp.wav", subtype="PCM_24", samples=hit(200, noisy=0.7))
    write(crate / "closed hat.flac", "FLAC", samples=hit(8000, 0.05, noisy=0.9))
    write(crate / "Open Hat.wav", samples=hit(8000, 0.5, noisy=0.9, seed=3))
    write(crate / "Break 100bpm.wav", samples=drum_loop(100, beats=8))
    write(crate / "Rhodes loop Am 100bpm.wav", samples=chord(220, 262, 330, seconds=4.8))
    (crate / "notes.txt").write_text("buy milk")
    (crate / "damaged.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    return crate


def run(*arguments: str | Path, cwd: str | Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
        env=ENVIRONMENT,
        cwd=cwd,
    )


def pads(project: Project) -> dict[str, str]:
    return {str(slot): pad.name for slot, pad in project.pads.items()}


def audio(project: Project, slot: str) -> np.ndarray:
    """float64[frames, channels], full scale at 1."""
    with project.audio[PadSlot.parse(slot)].open() as file:
        _, blocks = read_smp_blocks(file)
        return np.concatenate(list(blocks)).astype(np.float64) * STEP


def as_told(source: Path, processing: dict[str, Any]) -> np.ndarray:
    """What an independent decoder and resampler give, after what the report says was done to the sound."""
    samples, rate = soundfile.read(source, dtype="float64", always_2d=True)
    sound = samples if rate == 48_000 else soxr.resample(samples, rate, 48_000, quality="HQ")
    if processing["dc_offset"]:
        sound = sound - np.array(processing["dc_offset"])
    if processing["merged_to_mono"]:
        sound = sound.mean(axis=1, keepdims=True)
    sound = sound[processing["trimmed_start"] : len(sound) - processing["trimmed_end"]]
    sound = sound * 10 ** (processing["gain_db"] / 20)
    for length, ends in ((processing["faded_in"], sound), (processing["faded_out"], sound[::-1])):
        ends[:length] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / max(1, length)))[:, np.newaxis]
    return np.concatenate((sound, np.zeros((processing["padded_frames"], sound.shape[1]))))


def worst_steps(project: Project, item: dict[str, Any], source: Path) -> float:
    """How far, in steps of 16 bits, a pad is from `as_told` beyond the dither that was asked for."""
    arrived, expected = audio(project, item["pad"]), as_told(source, item["processing"])
    assert arrived.shape == expected.shape
    dither = 1.0 if item["processing"]["dithered"] else 0.0
    return float(np.abs(arrived - expected).max() / STEP) - dither


def test_files_become_a_project_that_verifies_and_reads_back(crate: Path, tmp_path: Path) -> None:
    done = run(crate, "--out", tmp_path, "--project", "7", "--name", "Dusty", "--starter-pattern", "--chops")
    assert done.returncode == 0, done.stderr
    assert [str(each) for each in verify(tmp_path)] == []
    project = load_project(tmp_path / "EXPORT/PROJECT/PROJECT_07")
    assert pads(project) == {
        "A1": "Break 100bpm",
        "A2": "Rhodes loop Am 100bpm",
        "A13": "Kick 01",
        "A14": "SNARE_crisp",
        "A15": "closed hat",
        "A16": "Open Hat",
    }
    assert (project.name, project.tempo, project.tempo_select) == ("Dusty", 100, TempoSelect.PROJECT)
    loop = project.pads[PadSlot.parse("A1")]
    assert (loop.settings.loop, loop.settings.bpm_sync, loop.settings.tempo, len(loop.chops) > 4) == (
        True,
        True,
        100,
        True,
    )
    assert {str(note.slot) for note in project.patterns[PadSlot(0, 0)].notes} == {"A13", "A14", "A15", "A16"}
    for words in ("Dusty: 6 samples", "100 BPM", "damaged.wav", "Left out: 1 sample", "Not yet tested on hardware"):
        assert words in done.stdout
    assert "PROJECT_07" in (tmp_path / "PROJECT_07-README.TXT").read_text()


def test_the_audio_is_that_of_an_independent_conversion_within_one_step(crate: Path, tmp_path: Path) -> None:
    done = run(crate, "--out", tmp_path, "--json")
    project = load_project(tmp_path)
    for item in json.loads(done.stdout)["items"]:
        assert worst_steps(project, item, crate / item["original_name"]) < 1, item["original_name"]


def test_the_same_files_give_the_same_archive(crate: Path, tmp_path: Path) -> None:
    archives = [tmp_path / "one.zip", tmp_path / "two.zip"]
    for archive in archives:
        assert run(crate, "--out", archive, "--jobs", str(1 + archives.index(archive)), "--fresh").returncode == 0
    first, second = (hashlib.sha256(archive.read_bytes()).hexdigest() for archive in archives)
    assert first == second
    assert [str(each) for each in verify(archives[0])] == []
    names = zipfile.ZipFile(archives[0]).namelist()
    assert "EXPORT/PROJECT/PROJECT_16/PADCONF.BIN" in names
    assert names[-2:] == ["PROJECT_16-README.TXT", "PROJECT_16-MANIFEST.json"]


def test_the_name_is_that_of_the_folder_when_none_is_given(crate: Path, tmp_path: Path) -> None:
    run(crate, "--out", tmp_path)
    assert load_project(tmp_path).name.startswith("Dusty Crate")


def test_the_manifest_tells_nothing_of_the_machine_and_nothing_depends_on_where_one_stands(tmp_path: Path) -> None:
    (tmp_path / "crate/Snares").mkdir(parents=True)
    write(tmp_path / "crate/one.wav", samples=hit(60))
    write(tmp_path / "crate/Snares/one.wav", samples=hit(200, noisy=0.7))
    archives = []
    for number, (place, given) in enumerate(
        ((tmp_path, "crate"), (tmp_path / "crate", "."), ("/", tmp_path / "crate"), (tmp_path, "./crate"))
    ):
        out = tmp_path / f"{number}.zip"
        assert run(given, "--out", out, "--name", "Same", cwd=place).returncode == 0
        archives.append(out.read_bytes())
    assert len(set(archives)) == 1
    manifest = json.loads(zipfile.ZipFile(tmp_path / "0.zip").read("PROJECT_16-MANIFEST.json"))
    assert {each["sample_id"] for each in manifest["files"]} == {"one.wav", "Snares/one.wav"}
    assert str(tmp_path) not in json.dumps(manifest)


def test_files_of_the_same_name_given_one_by_one_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    files = [write(tmp_path / folder / "one.wav", samples=hit(60)) for folder in ("a", "b")]
    items = json.loads(run(*files, "--out", tmp_path / "card", "--json").stdout)["items"]
    assert {each["sample_id"] for each in items} == {"one.wav", "one.wav (2)"}


def test_wav_files_go_into_the_import_folder(crate: Path, tmp_path: Path) -> None:
    done = run(crate, "--out", tmp_path, "--wav", "--name", "Dusty")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "IMPORT/Dusty"
    assert sorted(path.name for path in folder.iterdir()) == [
        "Break 100bpm.WAV",
        "Kick 01.WAV",
        "MANIFEST.json",
        "Open Hat.WAV",
        "README.TXT",
        "Rhodes loop Am 100bpm.WAV",
        "SNARE_crisp.WAV",
        "closed hat.WAV",
    ]
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    for file in manifest["files"]:
        content = (tmp_path / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert len(read_wav(content)) == file["processing"]["frames"]
    assert [each["original_name"] for each in manifest["skipped"]] == ["damaged.wav"]


def test_wav_files_of_an_earlier_run_are_not_taken_for_samples(tmp_path: Path) -> None:
    write(tmp_path / "Kick 01.wav", samples=hit(60))
    for _ in range(2):
        done = run(tmp_path, "--out", tmp_path, "--wav", "--name", "Dusty", "--replace")
        assert done.returncode == 0, done.stderr
        assert sorted(each.name for each in (tmp_path / "IMPORT/Dusty").glob("*.WAV")) == ["Kick 01.WAV"]
    done = run(tmp_path / "IMPORT/Dusty", "--out", tmp_path, "--wav", "--name", "Dusty", "--replace")
    assert done.returncode == 0, done.stderr


def test_what_is_there_is_replaced_only_when_asked(crate: Path, tmp_path: Path) -> None:
    kick, snare = crate / "Kick 01.wav", crate / "SNARE_crisp.wav"
    assert run(kick, "--out", tmp_path).returncode == 0
    refused = run(snare, "--out", tmp_path)
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    assert list(pads(load_project(tmp_path)).values()) == ["Kick 01"]
    assert run(snare, "--out", tmp_path, "--replace").returncode == 0
    assert list(pads(load_project(tmp_path)).values()) == ["SNARE_crisp"]


def test_a_project_keeps_out_of_the_way_of_what_else_is_on_the_card(crate: Path, tmp_path: Path) -> None:
    other = tmp_path / "EXPORT/PROJECT/PROJECT_01"
    other.mkdir(parents=True)
    (other / "PADCONF.BIN").write_bytes(b"somebody's")
    assert run(crate / "Kick 01.wav", "--out", tmp_path, "--project", "2").returncode == 0
    assert (other / "PADCONF.BIN").read_bytes() == b"somebody's"


def test_a_loop_out_of_reach_of_the_tempo_is_stretched(crate: Path, tmp_path: Path) -> None:
    loop = crate / "Break 100bpm.wav"
    assert "Stretched 1 sample" in run(loop, "--out", tmp_path / "fit", "--tempo", "180").stdout
    assert "Stretched" not in run(loop, "--out", tmp_path / "not", "--tempo", "180", "--no-fit-tempo").stdout
    fit, unfit = (load_project(tmp_path / name).pads[PadSlot(0, 12)] for name in ("fit", "not"))
    assert (fit.settings.tempo, unfit.settings.tempo) == (180, 100)
    assert abs((fit.settings.size - 512) / (unfit.settings.size - 512) - 100 / 180) < 1e-4


def test_rules_from_a_file_and_the_reasons_for_each_pad(crate: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text('[pads]\n1 = ["kick"]\n13 = ["snare"]\n14 = ["clap"]\n')
    done = run(crate / "Kick 01.wav", "--out", tmp_path / "card", "--rules", tmp_path / "rules.toml", "--explain")
    assert list(pads(load_project(tmp_path / "card"))) == ["A9"]
    assert "A9  Kick 01: A second kick is right above the first." in done.stdout
    assert "Pad 13 takes snare." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("notes.txt", "--out", "{out}"), 1, "no file can be read"),
        (("damaged.wav", "--out", "{out}"), 1, "damaged.wav"),
        (("missing.wav", "--out", "{out}"), 2, "No such file"),
        (("Kick 01.wav",), 2, "--out"),
        (("Kick 01.wav", "--out", "{out}", "--project", "17"), 2, "'--project'"),
        (("Kick 01.wav", "--out", "{out}", "--rules", "notes.txt"), 2, "not TOML"),
        (("Kick 01.wav", "--out", "{out}", "--rules", "none.toml"), 2, "cannot be read"),
        (("Kick 01.wav", "--out", "{out}", "--card-free", "0.00001"), 1, "do not fit"),
        (("Kick 01.wav", "--out", "notes.txt"), 1, "is a file"),
        (("Kick 01.wav", "--out", "{out}", "--match-loudness", "--normalise", "-1"), 2, "exclude each other"),
    ],
)
def test_what_cannot_be_done_is_explained_and_nothing_is_written(
    crate: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    given = [each.format(out=tmp_path / "out") for each in arguments]
    given = [str(crate / each) if "." in each and not each.startswith(("/", "0")) else each for each in given]
    done = run(*given)
    assert done.returncode == code
    assert words in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_what_is_broken_off_leaves_nothing_behind(tmp_path: Path, ending: signal.Signals) -> None:
    (tmp_path / "crate").mkdir()
    for number in range(24):
        write(tmp_path / f"crate/Kick {number}.wav", samples=np.tile(hit(60 + number, seed=number), (40, 1)))
    scratch, out = tmp_path / "scratch", tmp_path / "out"
    scratch.mkdir()
    process = subprocess.Popen(
        [*PROGRAM, tmp_path / "crate", "--out", out],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT | {"TMPDIR": str(scratch)},
    )
    until(lambda: list(scratch.glob("*/*.SMP")) or process.poll() is not None, 60)
    process.send_signal(ending)
    assert process.wait(60) == 128 + ending
    assert list(scratch.iterdir()) == []
    assert not out.exists()


@pytest.mark.skipif(not AUDIO.is_dir(), reason="no folder of real audio (SAMPLE_AGENT_AUDIO)")
def test_real_audio_becomes_a_project_that_is_what_its_sources_are(tmp_path: Path) -> None:
    files = sorted(path for path in AUDIO.rglob("*") if path.suffix in DECODED)[::24]
    sources = {path.name: path for path in files}
    crate = tmp_path / "crate"
    crate.mkdir()
    for path in files:
        shutil.copy(path, crate / path.name)
    done = run(crate, "--out", tmp_path / "card", "--json", "--starter-pattern", "--chops", "--no-fit-tempo")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert len(report["items"]) + len(report["left_out"]) == len(files)
    assert [str(each) for each in verify(tmp_path / "card") if each.severity == "error"] == []
    project = load_project(tmp_path / "card")
    assert pads(project) == {item["pad"]: item["name"] for item in report["items"]}
    for item in report["items"]:
        assert worst_steps(project, item, sources[item["original_name"]]) < 1, item["original_name"]
