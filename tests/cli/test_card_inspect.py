import json
from pathlib import Path

import pytest

from sample_agent.sp404.projects.output import write_card, write_folder
from sample_agent.sp404.projects.sx_card import write_sx_card
from tests.cli.cards import card
from tests.device_files import UGC, UTTORI, needs_device_files
from tests.sp404.projects import full
from tests.sp404.test_sx_card import card as sx_card


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(full(), tmp_path / "PROJECT_01")
    return tmp_path / "PROJECT_01"


def test_a_project_is_shown_as_tables(folder: Path) -> None:
    done = card("inspect", folder)
    assert done.code == 0
    for words in (
        "'Test', PADCONF version 3",
        "Tempo 92.50 BPM, the bank's tempo counts",
        "Kick",
        "one-shot",
        "gate, mute A",
        "loop, BPM sync, 3 chops",
        "link B, pitch -3",
        "Chain: A1 C4 A1 J16",
        "Pictures: startup_1.bmp",
    ):
        assert words in done.out


def test_a_project_is_written_as_json(folder: Path) -> None:
    read = json.loads(card("inspect", folder, "--json").out)
    assert (read["kind"], read["name"], read["tempo"], read["tempo_select"]) == ("project", "Test", 92.5, "bank")
    kick, hat, loop, _ = read["pads"]
    assert (kick["pad"], kick["name"], kick["one_shot"], kick["gate"]) == ("A1", "Kick", True, False)
    assert kick["audio"] == {"channels": 2, "frames": 6000, "seconds": 0.125, "sample_rate": 48000, "size": 24512}
    assert (hat["mute_group"], hat["audio"]["channels"]) == (1, 1)
    assert (loop["tempo"], loop["loop"], loop["bpm_sync"], loop["chops"]) == (88.0, True, True, [0, 1000, 4000])
    assert [pattern["pattern"] for pattern in read["patterns"]] == ["A1", "C4", "J16"]
    assert read["patterns"][0]["note_count"] == 4
    assert read["chain"]["patterns"] == ["A1", "C4", "A1", "J16"]
    assert read["banks"][0] == {"bank": "A", "tempo": 92.5, "protect": False, "volume": 127}


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("PADCONF.BIN", "PADCONF.BIN", "Kick"),
        ("SMPL/BANK1-02.SMP", "SMP", "channels: 1"),
        ("PTN/PTN00001.BIN", "PTN", "1 bar of 4/4, 1920 ticks"),
        ("PTN/PATTERNCHAIN_00.CHN", "CHN", "A1, C4, A1, J16"),
        ("PICTURE/startup_1.bmp", "BMP", "█"),
    ],
)
def test_every_file_of_a_project_is_shown(name: str, kind: str, words: str, folder: Path) -> None:
    done = card("inspect", folder / name)
    assert done.code == 0
    assert words in done.out
    assert json.loads(card("inspect", folder / name, "--json").out)["kind"] == kind


def test_a_pattern_lists_its_notes(folder: Path) -> None:
    read = json.loads(card("inspect", folder / "PTN" / "PTN00036.BIN", "--json").out)
    assert read["notes"] == [
        {"tick": 0, "pad": "J16", "velocity": 100, "length": 60, "semitones": 0},
        {"tick": 120, "pad": "A2", "velocity": 100, "length": 60, "semitones": 0},
    ]


def test_missing_and_damaged_samples_are_shown(folder: Path) -> None:
    (folder / "SMPL" / "BANK1-01.SMP").unlink()
    (folder / "SMPL" / "BANK1-02.SMP").write_bytes(b"RFWV")
    done = card("inspect", folder)
    assert "missing" in done.out
    assert "damaged" in done.out


def test_a_card_of_an_sx_is_shown(tmp_path: Path) -> None:
    written = write_sx_card(sx_card(), tmp_path)
    assert "B0000002.WAV" in card("inspect", tmp_path).out
    (pad,) = json.loads(card("inspect", tmp_path, "--json").out)["pads"]
    assert (pad["pad"], pad["channels"], pad["user_tempo"], pad["file_size"]) == ("B2", 1, 90.0, 10512)
    (alone,) = json.loads(card("inspect", written / "SMPL" / "PAD_INFO.BIN", "--json").out)["pads"]
    assert alone["original_end"] == 10512
    assert "pad: B2" in card("inspect", written / "SMPL" / "B0000002.WAV").out


@needs_device_files
def test_what_was_changed_on_the_unit_is_what_is_shown() -> None:
    read = json.loads(card("inspect", UGC / "pad-params" / "PADCONF.BIN", "--json").out)
    pads = {pad["pad"]: pad for pad in read["pads"]}
    assert (pads["A2"]["loop"], pads["A3"]["mute_group"], pads["A6"]["link"]) == (True, 1, 10)
    assert (pads["A8"]["bus"], pads["A9"]["bus"], pads["A10"]["roll"], pads["A12"]["roll"]) == ("bus_2", "dry", 0, 7)
    assert (pads["A13"]["chromatic"], pads["A14"]["chromatic"]) == ("legato", "poly")
    assert pads["B3"]["chops"] == [0, 4795, 9590, 14384]
    assert len(pads["B4"]["chops"]) == 16


@needs_device_files
def test_single_records_and_unknown_files_of_an_sx_are_shown() -> None:
    assets = UTTORI / "test" / "assets"
    assert "109.9" in card("inspect", assets / "PAD_A1.BIN").out
    assert "size: 124" in card("inspect", assets / "STPINFO.BIN").out


def test_a_project_is_shown_with_the_patterns_that_cannot_be_read(folder: Path) -> None:
    (folder / "PTN" / "PTN00001.BIN").write_bytes(b"\0" * 9)
    done = card("inspect", folder)
    assert done.code == 0
    assert "Patterns that cannot be read: A1" in done.out


def test_what_cannot_be_shown_is_an_error_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    (folder / "PTN" / "PTN00001.BIN").write_bytes(b"\0" * 9)
    (tmp_path / "text").write_text("hello")
    for path, words in (
        (folder / "PTN" / "PTN00001.BIN", "PTN00001.BIN, PTN"),
        (tmp_path / "text", "none of the files an SP-404 writes"),
        (tmp_path / "nothing", "no such file or folder"),
    ):
        done = card("inspect", path)
        assert (done.code, done.out) == (1, "")
        assert words in done.err


def test_several_projects_are_listed(tmp_path: Path) -> None:
    for number in (1, 2):
        write_card(full(), tmp_path, number)
    (tmp_path / "EXPORT" / "PROJECT" / "PROJECT_02" / "PADCONF.BIN").write_bytes(b"RFPD")
    done = card("inspect", tmp_path)
    assert "2 projects" in done.out
    assert "EXPORT/PROJECT/PROJECT_01" in done.out
    first, second = json.loads(card("inspect", tmp_path, "--json").out)["projects"]
    assert (first["name"], first["tempo"], first["pads"], first["patterns"]) == ("Test", 92.5, 4, 3)
    assert "less than the first 16" in second["error"]
    assert "'Test'" in card("inspect", tmp_path / "EXPORT" / "PROJECT" / "PROJECT_01").out
