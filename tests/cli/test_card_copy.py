import os
import subprocess
import sys
from pathlib import Path

import pytest

from sample_agent.sp404.projects.output import write_card, write_folder, write_zip
from sample_agent.sp404.projects.reading import load_project
from sample_agent.sp404.projects.sx_card import write_sx_card
from tests.cli.cards import card
from tests.device_files import UGC, UTTORI, every_device_file, needs_device_files
from tests.sp404.projects import contents, full, project
from tests.sp404.test_sx_card import card as sx_card


@pytest.mark.parametrize(
    "path", every_device_file("*.BIN") + every_device_file("*.bmp") + every_device_file("*.[wW][aA][vV]")
)
def test_every_file_of_a_real_unit_is_copied_with_the_same_bytes(path: Path, tmp_path: Path) -> None:
    done = card("copy", path, tmp_path / "copy")
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


@needs_device_files
def test_a_real_project_is_copied_from_and_to_folders_and_archives(tmp_path: Path) -> None:
    source = UGC / "pad-sequencer" / "2026-04-08"
    for start, end in ((source, "a"), (source, "b.zip"), (tmp_path / "b.zip", "c"), (tmp_path / "b.zip", "d.ZIP")):
        assert card("copy", start, tmp_path / end).code == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "c") == contents(source)
    assert (tmp_path / "b.zip").read_bytes() == (tmp_path / "d.ZIP").read_bytes()


def test_every_file_of_a_project_can_be_copied_alone(tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "P")
    for name, content in contents(tmp_path / "P").items():
        assert card("copy", tmp_path / "P" / name, tmp_path / "one").code == 0
        assert (tmp_path / "one").read_bytes() == content
        (tmp_path / "one").unlink()
    (tmp_path / "folder").mkdir()
    assert card("copy", tmp_path / "P" / "PADCONF.BIN", tmp_path / "folder").code == 0
    assert (tmp_path / "folder" / "PADCONF.BIN").is_file()


def test_a_card_s_project_keeps_its_place_in_an_archive(tmp_path: Path) -> None:
    write_card(full(), tmp_path / "card", 3)
    done = card("copy", tmp_path / "card", tmp_path / "a.zip")
    assert "(EXPORT/PROJECT/PROJECT_03)" in done.out
    card("copy", tmp_path / "a.zip", tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "card" / "EXPORT" / "PROJECT" / "PROJECT_03")


def test_a_card_of_an_sx_is_copied(tmp_path: Path) -> None:
    write_sx_card(sx_card(), tmp_path / "in")
    assert card("copy", tmp_path / "in", tmp_path / "out").code == 0
    assert card("copy", tmp_path / "in", tmp_path / "a.zip").code == 0
    assert card("copy", tmp_path / "a.zip", tmp_path / "third").code == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "third") == contents(tmp_path / "in")


def test_a_copy_within_what_is_copied_is_refused(tmp_path: Path) -> None:
    folder = write_card(full(), tmp_path / "card", 3)
    before = contents(tmp_path / "card")
    done = card("copy", folder, folder / "backup")
    assert done.code == 1
    assert "which is to be copied" in done.err
    assert contents(tmp_path / "card") == before
    assert card("copy", tmp_path / "card", tmp_path / "card" / "EXPORT" / "PROJECT" / "PROJECT_04").code == 0


@pytest.mark.parametrize("name", [b"P\xff", b"My: project", b"a\\b", b"tab\t"])
def test_a_folder_whose_name_does_not_go_into_an_archive_gets_another_there(name: bytes, tmp_path: Path) -> None:
    source = tmp_path / os.fsdecode(name)
    write_folder(full(), source)
    assert card("copy", source, tmp_path / "a.zip").code == 0
    assert card("copy", tmp_path / "a.zip", tmp_path / "out").code == 0
    assert contents(tmp_path / "out") == contents(source)


def test_nothing_is_written_over_unless_asked(tmp_path: Path) -> None:
    write_folder(project(name="Old"), tmp_path / "out")
    write_zip(project(name="Old"), tmp_path / "out.zip")
    write_folder(full(), tmp_path / "in")
    for out in ("out", "out.zip"):
        done = card("copy", tmp_path / "in", tmp_path / out)
        assert done.code == 1
        assert "is there already. Add --replace" in done.err
        assert card("copy", tmp_path / "in", tmp_path / out, "--replace").code == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "in")


@pytest.mark.parametrize(("answer", "code", "name"), [("y", 0, "Test"), ("n", 1, "Old")])
def test_a_person_is_asked_before_something_is_written_over(answer: str, code: int, name: str, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    write_folder(full(), tmp_path / "in")
    write_folder(project(name="Old"), tmp_path / "out")
    keyboard, terminal = pty.openpty()
    os.write(keyboard, f"{answer}\n".encode())
    command = [sys.executable, "-m", "sample_agent", "card", "copy", tmp_path / "in", tmp_path / "out"]
    done = subprocess.run(command, check=False, stdin=terminal, capture_output=True, text=True, timeout=60)
    os.close(keyboard)
    os.close(terminal)
    assert "Replace it?" in done.stderr
    assert done.returncode == code
    assert load_project(tmp_path / "out").name == name


def test_a_folder_of_other_things_is_not_replaced(tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "in")
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "monday.txt").write_text("dear diary")
    done = card("copy", tmp_path / "in", tmp_path / "diary", "--replace")
    assert done.code == 1
    assert "other things" in done.err
    assert contents(tmp_path / "diary") == {"monday.txt": b"dear diary"}


def test_a_project_with_a_pattern_that_cannot_be_read_is_copied_whole(tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "in")
    (tmp_path / "in" / "PTN" / "PTN00036.BIN").write_bytes(b"odd")
    assert card("copy", tmp_path / "in", tmp_path / "out").code == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "in")
    assert "PTN00036.BIN" in card("verify", tmp_path / "out").out
    assert card("verify", tmp_path / "out").code == 1


@pytest.mark.parametrize("name", ["PADCONF.BIN", "SMPL/BANK1-01.SMP", "PTN/PTN00001.BIN", "PICTURE/startup_1.bmp"])
def test_a_damaged_file_is_not_copied(name: str, tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "in")
    (tmp_path / "in" / name).write_bytes((tmp_path / "in" / name).read_bytes()[:-1])
    done = card("copy", tmp_path / "in" / name, tmp_path / "out")
    assert done.code == 1
    assert str(tmp_path / "in" / name) in done.err
    assert not (tmp_path / "out").exists()


def test_a_link_to_a_file_is_copied_as_the_file(tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "in")
    (tmp_path / "link").symlink_to(tmp_path / "in" / "SMPL" / "BANK1-01.SMP")
    assert card("copy", tmp_path / "link", tmp_path / "out").code == 0
    assert (tmp_path / "out").read_bytes() == (tmp_path / "link").read_bytes()
    assert not (tmp_path / "out").is_symlink()


@needs_device_files
def test_a_long_sample_is_copied(tmp_path: Path) -> None:
    source = UTTORI / "audio-wave" / "A0000001.wav"
    long = tmp_path / "long.WAV"
    content = bytearray(source.read_bytes())
    sound = 4 * 400_000
    content[4:8] = (sound + 504).to_bytes(4, "little")
    content[508:512] = sound.to_bytes(4, "little")
    long.write_bytes(content[:512] + bytes(sound))
    assert card("copy", long, tmp_path / "out.WAV").code == 0
    assert (tmp_path / "out.WAV").read_bytes() == long.read_bytes()
