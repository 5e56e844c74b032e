import io
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.padconf import TempoSelect
from sample_agent.sp404.projects import output
from sample_agent.sp404.projects.content import BytesContent, FileContent, read_content
from sample_agent.sp404.projects.edit import EditError, move_pattern
from sample_agent.sp404.projects.output import (
    AlreadyThereError,
    card_folder,
    project_zip,
    write_card,
    write_folder,
    write_zip,
)
from sample_agent.sp404.projects.project import Pad, Project
from sample_agent.sp404.projects.reading import load_project, project_folders
from sample_agent.sp404.slots import PadSlot
from tests.device_files import UGC, needs_device_files
from tests.sp404.projects import contents, full, hits, older, pad, project, slot, smp


def archive(files: dict[str, bytes], **options: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as made:  # type: ignore[arg-type]
        for name, content in files.items():
            made.writestr(name, content)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(full(), tmp_path / "PROJECT_01")
    return tmp_path / "PROJECT_01"


def test_a_project_made_in_code_says_what_was_put_in() -> None:
    made = project({"A1": pad(1, "Kick", one_shot=True), "B2": pad(2)}, tempo_select=TempoSelect.PROJECT)
    made = made.with_bank(1, tempo=120.0, volume=100).with_name("Other")
    assert (made.name, made.tempo, made.tempo_select) == ("Other", 92.5, TempoSelect.PROJECT)
    assert list(made.pads) == [slot("A1"), slot("B2")]
    kick = made.pads[slot("A1")]
    assert (kick.name, kick.settings.one_shot, kick.settings.gate) == ("Kick", True, False)
    assert (kick.settings.size, kick.settings.start, kick.settings.end) == (24_512, 512, 24_512)
    assert (made.banks[1].tempo, made.banks[1].volume, made.banks[0].tempo) == (120.0, 100, 92.5)
    assert [made.bank_tempo(1), made.with_tempo(tempo_select=TempoSelect.BANK).bank_tempo(1)] == [92.5, 120.0]
    header = kick.header()
    assert header is not None
    assert header.frames == 6_000


def test_a_project_cannot_be_changed() -> None:
    made = full()
    with pytest.raises(TypeError):
        made.patterns[slot("A1")] = hits("A1")  # type: ignore[index]
    with pytest.raises(AttributeError):
        made.chain = None  # type: ignore[misc]


def test_a_pad_of_another_size_than_its_file_is_refused() -> None:
    wrong = replace(pad(1), audio=BytesContent(smp(1)[:-4]))
    with pytest.raises(OutOfRangeError, match="size of A1"):
        Project.new().with_pads({slot("A1"): wrong})


def test_a_project_is_read_back_equal_from_its_folder(folder: Path) -> None:
    read = load_project(folder)
    made = full()
    assert (read.padconf, read.patterns, read.chain, read.pictures) == (
        made.padconf,
        made.patterns,
        read.chain,
        made.pictures,
    )
    assert read.chain is not None
    assert made.chain is not None
    assert read.chain.patterns == made.chain.patterns
    assert {place: audio.open().read() for place, audio in made.audio.items()} == {
        place: (folder / "SMPL" / place.smp_name).read_bytes() for place in read.audio
    }
    assert sorted(contents(folder)) == [
        "PADCONF.BIN",
        "PICTURE/startup_1.bmp",
        "PTN/PATTERNCHAIN_00.CHN",
        "PTN/PTN00001.BIN",
        "PTN/PTN00036.BIN",
        "PTN/PTN00160.BIN",
        "SMPL/BANK1-01.SMP",
        "SMPL/BANK1-02.SMP",
        "SMPL/BANK10-16.SMP",
        "SMPL/BANK2-01.SMP",
    ]


@needs_device_files
def test_a_real_project_is_written_again_with_the_same_bytes(tmp_path: Path) -> None:
    source = UGC / "pad-sequencer" / "2026-04-08"
    read = load_project(source)
    assert (read.name, len(read.patterns), len(read.pictures)) == ("PROJECT_08", 13, 6)
    assert read.missing_audio == (slot("A1"), slot("B1"))
    write_folder(read, tmp_path / "again")
    write_zip(read, tmp_path / "again.zip", "inside")
    write_folder(load_project(tmp_path / "again.zip"), tmp_path / "third")
    assert contents(tmp_path / "again") == contents(tmp_path / "third") == contents(source)


def test_everything_unknown_is_kept(folder: Path, tmp_path: Path) -> None:
    (folder / "PADCONF.BIN").write_bytes(older(full()))
    (folder / "NOTES").mkdir()
    (folder / "NOTES" / "read me.txt").write_bytes(b"\0\1")
    (folder / "SMPL" / "BANK1-17.SMP").write_bytes(b"no such pad")
    (folder / "PTN" / "PTN00161.BIN").write_bytes(b"no such pattern")
    (folder / "SMPL" / "BANK3-01.SMP").write_bytes(smp(9))
    (folder / "PICTURE" / "holiday.png").write_bytes(b"png")
    read = load_project(folder)
    assert read.stray_audio == (slot("C1"),)
    assert list(read.other_files) == [
        "NOTES/read me.txt",
        "PICTURE/holiday.png",
        "PTN/PTN00161.BIN",
        "SMPL/BANK1-17.SMP",
    ]
    write_folder(read, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder)


@pytest.mark.parametrize("inside", ["", "PROJECT_03", "P16_My Set", "EXPORT/PROJECT/PROJECT_16", "a/b/PROJECT_01"])
def test_a_project_is_found_wherever_it_lies_in_an_archive(inside: str, tmp_path: Path) -> None:
    write_zip(full(), tmp_path / "a.zip", inside)
    for path in (tmp_path / "a.zip", tmp_path / "a.zip" / inside, tmp_path / "a.zip" / inside.lower()):
        assert load_project(path).pads.keys() == full().pads.keys()


def test_a_project_is_found_below_the_top_of_a_card(tmp_path: Path) -> None:
    assert write_card(full(), tmp_path, 16) == tmp_path / "EXPORT" / "PROJECT" / "PROJECT_16"
    (tmp_path / "IMPORT").mkdir()
    assert load_project(tmp_path).name == "Test"


def test_of_several_projects_one_has_to_be_named(tmp_path: Path) -> None:
    for number in (1, 16):
        write_card(full(), tmp_path, number)
    assert project_folders(tmp_path) == [card_folder(1), card_folder(16)]
    with pytest.raises(
        FormatError, match=r"name the folder of one: EXPORT/PROJECT/PROJECT_01, EXPORT/PROJECT/PROJECT_16"
    ):
        load_project(tmp_path)
    assert load_project(tmp_path / card_folder(16)).name == "Test"


def test_letter_case_does_not_matter(folder: Path, tmp_path: Path) -> None:
    lower = tmp_path / "lower"
    for name, content in contents(folder).items():
        (lower / name.lower()).parent.mkdir(parents=True, exist_ok=True)
        (lower / name.lower()).write_bytes(content)
    write_folder(load_project(lower), tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder)


def test_what_macos_leaves_about_is_passed_over(folder: Path, tmp_path: Path) -> None:
    clean = contents(folder)
    for name in (
        "Icon\r",
        ".DS_Store",
        "SMPL/._BANK1-01.SMP",
        "._PADCONF.BIN",
        ".Spotlight-V100/store.db",
        "__MACOSX/PTN/x",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"litter")
    write_folder(load_project(folder), tmp_path / "again")
    assert contents(tmp_path / "again") == clean


def test_an_archive_packed_by_others_is_read(folder: Path, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "PROJECT_01")
    read = load_project(Path(packed))
    write_folder(read, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder)
    backslashes = archive({f"X\\{name}".replace("/", "\\"): each for name, each in contents(folder).items()})
    (tmp_path / "b.zip").write_bytes(backslashes)
    assert load_project(tmp_path / "b.zip").pads.keys() == full().pads.keys()


def test_the_same_project_gives_the_same_archive(folder: Path) -> None:
    whole = b"".join(project_zip(full(), card_folder(3)))
    assert b"".join(project_zip(full(), card_folder(3))) == whole
    with zipfile.ZipFile(io.BytesIO(whole)) as made:
        assert made.testzip() is None
        assert made.namelist()[0] == "EXPORT/PROJECT/PROJECT_03/PADCONF.BIN"
        assert {f"{card_folder(3)}/{name}" for name in contents(folder)} == set(made.namelist())


def test_a_project_is_not_written_over_another_unless_asked(folder: Path) -> None:
    before = contents(folder)
    with pytest.raises(AlreadyThereError) as refused:
        write_folder(project(), folder)
    assert refused.value.replaceable
    assert contents(folder) == before
    write_folder(project(name="New"), folder, replace=True)
    assert list(contents(folder)) == ["PADCONF.BIN"]
    assert load_project(folder).name == "New"
    assert [each.name for each in folder.parent.iterdir()] == [folder.name]


def test_a_project_can_be_written_over_the_one_it_was_read_from(folder: Path) -> None:
    before = contents(folder)
    write_folder(load_project(folder), folder, replace=True)
    assert contents(folder) == before


def test_a_folder_with_other_things_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "monday.txt").write_text("dear diary")
    with pytest.raises(AlreadyThereError, match="other things") as refused:
        write_folder(full(), tmp_path / "diary", replace=True)
    assert not refused.value.replaceable
    with pytest.raises(AlreadyThereError, match="is a file"):
        write_folder(full(), tmp_path / "diary" / "monday.txt", replace=True)
    with pytest.raises(AlreadyThereError, match="is a folder"):
        write_zip(full(), tmp_path / "diary", replace=True)
    assert contents(tmp_path / "diary") == {"monday.txt": b"dear diary"}


def test_an_empty_folder_may_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    write_folder(full(), tmp_path / "new")
    assert load_project(tmp_path / "new").name == "Test"


@pytest.mark.parametrize("grown", [-4, 4])
def test_nothing_is_left_of_a_project_whose_sample_changed_meanwhile(grown: int, folder: Path, tmp_path: Path) -> None:
    read = load_project(folder)
    sample = folder / "SMPL" / "BANK2-01.SMP"
    sample.write_bytes(sample.read_bytes()[:grown] if grown < 0 else sample.read_bytes() + bytes(grown))
    kept = tmp_path / "kept"
    write_folder(project(), kept)
    before = contents(kept)
    for target, replacing in ((tmp_path / "fresh", False), (kept, True)):
        with pytest.raises(FormatError, match=r"BANK2-01\.SMP"):
            write_folder(read, target, replace=replacing)
    with pytest.raises(FormatError, match=r"BANK2-01\.SMP"):
        write_zip(read, tmp_path / "fresh.zip")
    assert contents(kept) == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["PROJECT_01", "kept"]


@pytest.mark.parametrize("hidden", [".PROJECT_01.1a2b3c4d.part", ".Trash-1000/files/PROJECT_01", "$RECYCLE.BIN/1/P"])
def test_what_was_thrown_away_or_never_finished_is_no_project(hidden: str, folder: Path, tmp_path: Path) -> None:
    write_folder(project(name="Hidden"), tmp_path / hidden)
    assert load_project(tmp_path).name == load_project(folder).name != "Hidden"
    assert load_project(tmp_path / hidden).name == "Hidden"


KILLED = """
import os, signal, sys
from pathlib import Path
from sample_agent.sp404.projects.output import write_folder, write_zip
from tests.sp404.projects import full, pad, slot

class Deadly:
    size = 4_096
    def open(self):
        os.kill(os.getpid(), signal.SIGKILL)

made = full()
made = type(made)(made.padconf, {**made.audio, slot("J16"): Deadly()})
target = Path(sys.argv[1])
write_zip(made, target, replace=True) if target.suffix else write_folder(made, target, replace=True)
"""


@pytest.mark.parametrize("name", ["P", "p.zip"])
def test_a_program_that_is_killed_leaves_what_was_there(name: str, tmp_path: Path) -> None:
    target = tmp_path / name
    root = Path(__file__).parent.parent.parent
    for there_before in (False, True):
        if there_before:
            write = write_zip if target.suffix else write_folder
            write(project(name="Old"), target)
        done = subprocess.run([sys.executable, "-c", KILLED, target], check=False, cwd=root, timeout=60)
        assert done.returncode == -signal.SIGKILL
        assert target.exists() is there_before
        assert not there_before or load_project(target).name == "Old"


def test_a_number_the_unit_does_not_have_is_refused(tmp_path: Path) -> None:
    for number in (0, 17):
        with pytest.raises(OutOfRangeError):
            write_card(full(), tmp_path, number)


def written(project: Project) -> dict[str, bytes]:
    return {path: read_content(each, path, 1 << 20) for path, each in project.files().items()}


noise = st.integers(0, 999).map(lambda seed: np.random.default_rng(seed).bytes(31_360))
sameness = st.integers(0, 255).map(lambda value: bytes([value]) * 31_360)


@given(noise | sameness, st.binary(max_size=112), st.binary(max_size=40), st.sets(st.integers(0, 159), max_size=6))
def test_whatever_a_unit_may_have_written_is_written_again(
    tmp_path_factory: pytest.TempPathFactory, pads: bytes, settings: bytes, name: bytes, samples: set[int]
) -> None:
    chops = (pads * 2)[:20_480]
    newer = full().padconf.to_bytes()[:16] + settings.ljust(112, b"\0") + name[:32].ljust(32, b"\0") + pads + chops
    folder = tmp_path_factory.mktemp("any")
    for content in (newer, older(full())[:16] + settings.ljust(112, b"\0") + pads):
        files = {"PADCONF.BIN": content, "NEW/THING.BIN": name}
        files |= {f"SMPL/{PadSlot.from_index(number).smp_name}": bytes([number]) for number in samples}
        for path, each in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(each)
        read = load_project(folder)
        assert written(read) == files
        (folder / "a.zip").write_bytes(b"".join(project_zip(read, "P")))
        assert written(load_project(folder / "a.zip")) == files
        (folder / "a.zip").unlink()


def test_a_missing_sample_is_a_pad_without_audio(folder: Path) -> None:
    (folder / "SMPL" / "BANK1-02.SMP").unlink()
    read = load_project(folder)
    assert read.missing_audio == (slot("A2"),)
    assert read.pads[slot("A2")].header() is None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "PADCONF.BIN").unlink(), "no PADCONF.BIN"),
        (lambda f: (f / "PADCONF.BIN").write_bytes(b"RFPD"), "PADCONF.BIN"),
        (lambda f: (f / "PADCONF.BIN").write_bytes(bytes(70_000)), "most there can be"),
        (lambda f: (f / "padconf.bin").write_bytes(b""), "holds several|same to the unit"),
        (lambda f: (f / "SMPL" / "bank1-01.smp").write_bytes(b""), "the same to the unit"),
        (lambda f: (f / "SMPL" / "BANK4-01.SMP").symlink_to("/etc/passwd"), "link"),
        (lambda f: (f / "link").symlink_to(f), "link"),
        (lambda f: (f / "a\\b").write_bytes(b""), "no name for a file"),
    ],
)
def test_a_damaged_folder_is_refused_with_the_reason(
    damage: Callable[[Path], object], message: str, folder: Path
) -> None:
    damage(folder)
    with pytest.raises(FormatError, match=message):
        load_project(folder)


def test_a_chain_or_picture_nobody_can_read_is_kept_as_it_is(folder: Path, tmp_path: Path) -> None:
    (folder / "PTN" / "PATTERNCHAIN_00.CHN").write_bytes(b"<a")
    (folder / "PICTURE" / "startup_1.bmp").write_bytes(b"BM")
    read = load_project(folder)
    assert read.chain is None
    assert not read.pictures
    write_folder(read, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder)
    with pytest.raises(EditError, match="chain cannot be read"):
        move_pattern(read, slot("A1"), slot("A2"))


def test_a_pattern_nobody_can_read_does_not_lock_its_project(folder: Path, tmp_path: Path) -> None:
    (folder / "PTN" / "PTN00001.BIN").write_bytes(b"\0\x2f")
    read = load_project(folder)
    assert list(read.patterns) == [slot("C4"), slot("J16")]
    assert read.unread_patterns == {slot("A1"): "PTN/PTN00001.BIN"}
    write_folder(read, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder)


def test_a_pipe_in_a_folder_does_not_stop_the_reading(folder: Path) -> None:
    os.mkfifo(folder / "SMPL" / "BANK5-01.SMP")
    with pytest.raises(FormatError, match="no plain file"):
        load_project(folder)
    with pytest.raises(FormatError, match="not a plain file"):
        FileContent(folder / "SMPL" / "BANK5-01.SMP", 0).open()


def test_nothing_at_all_is_said_to_be_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path / "nothing.zip" / "PROJECT_01"):
        with pytest.raises(FileNotFoundError, match="no such file or folder"):
            load_project(path)
    write_zip(full(), tmp_path / "a.zip", "PROJECT_01")
    with pytest.raises(FileNotFoundError, match="no folder PROJECT_02"):
        load_project(tmp_path / "a.zip" / "PROJECT_02")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(FormatError, match="neither a folder nor an archive"):
        load_project(tmp_path / "text")


PADCONF = project().padconf.to_bytes()


@pytest.mark.parametrize(
    "name", ["../PADCONF.BIN", "/PADCONF.BIN", "C:/PADCONF.BIN", "a/../../b", "a//b", "./a", "..\\a", "a/\tb"]
)
def test_a_path_that_leads_out_of_an_archive_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(archive({"PADCONF.BIN": PADCONF, name: b"x"}))
    with pytest.raises(FormatError, match=r"no path inside|no name for a file"):
        load_project(tmp_path / "a.zip")
    assert [each.name for each in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["PADCONF.BIN", "PADCONF.BIN"], "twice"),
        (["PADCONF.BIN", "PTN/a", "ptn/A"], "the same to the unit"),
        (["PADCONF.BIN", "SMPL", "SMPL/BANK1-01.SMP"], "file and a folder"),
        (["a/PADCONF.BIN", "b/PADCONF.BIN"], "several"),
        (["a/b/c/d/e/f/PADCONF.BIN"], "no PADCONF.BIN"),
        ([], "no PADCONF.BIN"),
    ],
)
def test_an_archive_that_is_ambiguous_is_refused(names: list[str], message: str, tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, PADCONF)
    (tmp_path / "a.zip").write_bytes(file.getvalue())
    with pytest.raises(FormatError, match=message):
        load_project(tmp_path / "a.zip")


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr("PADCONF.BIN", PADCONF)
        for number in range(1, 5):
            made.writestr(f"SMPL/BANK1-0{number}.SMP", bytes(180 << 20))
    with pytest.raises(FormatError, match="unpacked it would have"):
        load_project(tmp_path / "a.zip")


def test_an_archive_whose_files_share_their_bytes_is_refused(tmp_path: Path) -> None:
    whole = bytearray(archive({"PADCONF.BIN": PADCONF, "a": b"x" * 1_000, "b": b"x" * 1_000}))
    at = whole.rindex(b"PK\1\2")
    first = whole.index(b"PK\1\2", whole.index(b"PK\1\2") + 1)
    whole[at + 42 : at + 46] = whole[first + 42 : first + 46]
    (tmp_path / "a.zip").write_bytes(whole)
    with pytest.raises(FormatError, match="lies over another"):
        load_project(tmp_path / "a.zip")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    whole = bytearray(archive({"PADCONF.BIN": PADCONF}))
    whole[6] |= 1
    whole[whole.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(whole)
    with pytest.raises(FormatError, match="encrypted"):
        load_project(tmp_path / "a.zip")


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("PADCONF.BIN", PADCONF)
        link = zipfile.ZipInfo("SMPL/BANK1-01.SMP")
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")
    with pytest.raises(FormatError, match="link"):
        load_project(tmp_path / "a.zip")


def test_other_compressions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(archive({"PADCONF.BIN": PADCONF}, compression=zipfile.ZIP_LZMA))
    with pytest.raises(FormatError, match="unusual"):
        load_project(tmp_path / "a.zip")


def test_an_archive_with_too_many_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(archive({f"{number}": b"" for number in range(10_001)}))
    with pytest.raises(FormatError, match="more than 10,000 files"):
        load_project(tmp_path / "a.zip")


def test_the_directory_of_an_archive_is_not_read_when_it_is_too_large(tmp_path: Path) -> None:
    whole = bytearray(archive({"PADCONF.BIN": PADCONF}))
    end = whole.rindex(b"PK\5\6")
    for value in (100_000_000, 0xFFFFFFFF):
        whole[end + 12 : end + 16] = value.to_bytes(4, "little")
        (tmp_path / "a.zip").write_bytes(whole)
        with pytest.raises(FormatError, match="more than 10,000 files"):
            load_project(tmp_path / "a.zip")


def test_an_archive_inside_an_archive_is_a_file_like_any_other(tmp_path: Path) -> None:
    inner = archive({"PADCONF.BIN": PADCONF})
    (tmp_path / "a.zip").write_bytes(archive({"P/PADCONF.BIN": PADCONF, "P/more.zip": inner}))
    assert list(load_project(tmp_path / "a.zip").other_files) == ["more.zip"]


def test_a_damaged_member_is_refused_when_it_is_read(tmp_path: Path) -> None:
    whole = bytearray(b"".join(project_zip(full())))
    whole[whole.index(b"RFPD") + 0x100] ^= 1
    (tmp_path / "a.zip").write_bytes(whole)
    with pytest.raises(FormatError, match="damaged"):
        load_project(tmp_path / "a.zip")
    packed = bytearray(b"".join(project_zip(full())))
    packed[packed.index(b"SMPL/BANK2-01.SMP") + 5_000] ^= 1
    (tmp_path / "b.zip").write_bytes(packed)
    read = load_project(tmp_path / "b.zip")
    with pytest.raises(FormatError, match="damaged"):
        write_folder(read, tmp_path / "out")
    assert not (tmp_path / "out").exists()


WHOLE = archive({f"PROJECT_01/{name}": each.open().read() for name, each in project({"A1": pad(1)}).files().items()},
                compression=zipfile.ZIP_DEFLATED)  # fmt: skip


@given(st.data())
def test_a_damaged_archive_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 6))):
        near_end = len(content) - 1 - data.draw(st.integers(0, min(600, len(content) - 1)))
        anywhere = data.draw(st.integers(0, len(content) - 1))
        content[data.draw(st.sampled_from([near_end, anywhere]))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    path.write_bytes(content)
    try:
        for audio in load_project(path).files().values():
            with audio.open() as file:
                while file.read(1 << 16):
                    pass
    except FormatError:
        pass


def test_a_project_of_five_gigabytes_is_a_small_value_and_a_large_archive(tmp_path: Path) -> None:
    size = 184_506_368
    with (tmp_path / "long.smp").open("wb") as file:
        file.truncate(size)
    long = Pad.of(FileContent.of(tmp_path / "long.smp"), "Long")
    tracemalloc.start()
    made = Project.new("Long").with_pads(
        {slot(f"{bank}{number}"): long for bank in "ABCDEFGHIJ" for number in (1, 2, 3)}
    )
    read = sum(len(block) for _, block in zip(range(100), project_zip(made), strict=False))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read > 100_000
    assert peak < 8_000_000


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from sample_agent.sp404.projects import output
from tests.sp404.projects import full

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(output, sys.argv[2], killed)
output.write_folder(full(), Path(sys.argv[1]), replace=True)
"""


def killed_at(step: str, target: Path) -> None:
    """Write a project in a process that is killed when it comes to a step."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT, target, step], check=False, timeout=60, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == -9


def test_the_next_write_sweeps_what_a_killed_one_left(tmp_path: Path) -> None:
    killed_at("_put_in_place", tmp_path / "P")
    (left,) = tmp_path.iterdir()
    assert left.name.endswith(".part")
    (tmp_path / ".Q.00000000.part").mkdir()
    write_folder(full(), tmp_path / "P")
    assert {each.name for each in tmp_path.iterdir()} == {"P", ".Q.00000000.part"}


def test_what_a_living_process_writes_is_not_swept(tmp_path: Path) -> None:
    with output._beside(tmp_path / "P", folder=True) as part:
        write_folder(full(), tmp_path / "P")
        assert part.is_dir()
    assert [each.name for each in tmp_path.iterdir()] == ["P"]


def test_a_project_whose_replacement_was_killed_is_put_back(tmp_path: Path) -> None:
    write_folder(project(name="Old"), tmp_path / "P")
    (tmp_path / "P").rename(tmp_path / ".P.0a1b2c3d.old")
    with pytest.raises(AlreadyThereError):
        write_folder(full(), tmp_path / "P")
    assert load_project(tmp_path / "P").name == "Old"
    (tmp_path / ".P.0a1b2c3d.old").mkdir()
    write_folder(full(), tmp_path / "P", replace=True)
    assert [each.name for each in tmp_path.iterdir()] == ["P"]
