import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.formats.pattern import Note, Pattern
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.formats.smp import MAX_FRAMES, SmpHeader, smp_size
from sample_agent.sp404.projects.content import BytesContent
from sample_agent.sp404.projects.output import write_card, write_folder, write_zip
from sample_agent.sp404.projects.project import Pad, Project
from sample_agent.sp404.projects.recognize import Kind, recognize
from sample_agent.sp404.projects.verify import Finding, verify, verify_project
from sample_agent.sp404.slots import PadSlot
from tests.damage import damaged
from tests.device_files import UGC, UTTORI, every_device_file, needs_device_files
from tests.sp404.projects import full, hits, pad, project, slot, smp


def errors(path: Path) -> list[str]:
    return [str(each) for each in verify(path) if each.severity == "error"]


def warnings(made: Project) -> list[str]:
    findings = verify_project(made)
    assert {each.severity for each in findings} <= {"warning"}
    return [f"{each.where}: {each.message}" for each in findings]


def altered(made: Project, label: str, **words: int) -> Project:
    """The project with raw words of a pad's record changed, in range or not."""
    place = slot(label)
    entry = made.padconf.pad(place)
    changed = list(entry.settings.words)
    for word, value in words.items():
        changed[int(word.removeprefix("w"))] = value
    settings = replace(entry.settings, words=tuple(changed))
    entries = list(made.padconf.pads)
    entries[place.index] = replace(entry, settings=settings)
    return made.with_entries(entries, made.audio)


@pytest.mark.parametrize("path", every_device_file("*.BIN") + every_device_file("*.bmp"))
def test_no_file_of_a_real_unit_has_an_error(path: Path) -> None:
    assert errors(path) == []


@pytest.mark.parametrize("path", every_device_file("*.[wW][aA][vV]"))
def test_no_real_sound_of_an_sx_has_a_finding(path: Path) -> None:
    assert verify(path) == []


@needs_device_files
def test_a_real_project_is_clean_but_for_what_was_taken_out_of_it(tmp_path: Path) -> None:
    source = UGC / "pad-sequencer" / "2026-04-08"
    assert errors(source) == [
        "error: A1: SMPL/BANK1-01.SMP is missing; the unit drops the pad",
        "error: B1: SMPL/BANK2-01.SMP is missing; the unit drops the pad",
    ]
    # The headers of the samples and their sizes are there; silence makes them whole again.
    whole = tmp_path / "PROJECT_08"
    for each in source.rglob("*"):
        if each.is_file() and each.suffix not in (".head", ".size"):
            (whole / each.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (whole / each.relative_to(source)).write_bytes(each.read_bytes())
    (whole / "SMPL").mkdir()
    for head in source.rglob("*.head"):
        content = head.read_bytes() + bytes(int(head.with_suffix(".size").read_text()) - 512)
        (whole / "SMPL" / head.stem).write_bytes(content)
    assert verify(whole) == [Finding("warning", "pattern B4", "1 of its notes are on empty pads (F1)")]


def test_a_project_made_in_code_is_clean_wherever_it_is_written(tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "folder")
    write_zip(full(), tmp_path / "a.zip", "EXPORT/PROJECT/PROJECT_01")
    write_card(full(), tmp_path / "card", 16)
    for path in (tmp_path / "folder", tmp_path / "a.zip", tmp_path / "card"):
        assert verify(path) == []
    for file in (tmp_path / "folder").rglob("*.*"):
        assert verify(file) == []


@pytest.mark.parametrize(
    ("word", "value", "message"),
    [
        ("w0", 24_508, "says 24,508 bytes, its file has 24,512"),
        ("w1", 100, "start 100"),
        ("w2", 30_000, "end 30000"),
        ("w3", 128, "level is 128"),
        ("w7", 11, "mute_group is 11"),
        ("w9", 3_999, "tempo is 39.99"),
        ("w11", 99_999, "loop_top 99999"),
        ("w13", -13, "pitch is -13"),
        ("w15", 4, "play_mode is 4"),
        ("w16", 4_999, "speed is 49.99"),
        ("w18", 12, "pan is 12"),
        ("w20", 3, "bus is 3"),
        ("w23", 0, "hold is 0"),
    ],
)
def test_a_value_the_unit_does_not_have_is_an_error(word: str, value: int, message: str) -> None:
    findings = verify_project(altered(full(), "A1", **{word: value}))
    assert any(each.severity == "error" and each.where == "A1" and message in each.message for each in findings)


def test_chops_out_of_order_are_only_unusual() -> None:
    project = full()
    slot = PadSlot.parse("A1")
    entry = project.padconf.pad(slot)
    words = (0, 900, 500, *entry.chop_words[3:])
    unsorted = replace(project, padconf=project.padconf.with_pad(slot, replace(entry, chop_words=words)))
    [finding] = verify_project(unsorted)
    assert (finding.severity, finding.where) == ("warning", "A1")
    assert "rising" in finding.message


def test_words_of_unknown_meaning_are_nobody_s_business() -> None:
    assert verify_project(altered(full(), "A1", w25=1, w30=-7, w42=99)) == []


@pytest.mark.parametrize(
    ("damage", "where", "message"),
    [
        (lambda p: (p / "SMPL/BANK1-01.SMP").unlink(), "A1", "is missing"),
        (lambda p: _edit(p / "SMPL/BANK1-01.SMP", 0x20), "SMPL/BANK1-01.SMP", "checksum"),
        (lambda p: _edit(p / "SMPL/BANK1-01.SMP", 0), "SMPL/BANK1-01.SMP", "begins with"),
        (lambda p: _cut(p / "SMPL/BANK1-01.SMP", 4), "SMPL/BANK1-01.SMP", "promises"),
        (lambda p: _cut(p / "SMPL/BANK1-01.SMP", 24_100), "SMPL/BANK1-01.SMP", "less than a header"),
        (lambda p: (p / "SMPL/BANK1-01.SMP").write_bytes(smp(1, frames=5_000)), "A1", "its file has 20,512"),
        (lambda p: (p / "SMPL/BANK2-01.SMP").write_bytes(smp(1, frames=3_000)), "B1", "chop at frame 4000"),
        (lambda p: _cut(p / "PTN/PTN00001.BIN", 8), "PTN/PTN00001.BIN", "follow the end"),
        (lambda p: _edit(p / "PTN/PTN00001.BIN", -8, 65), "pattern A1", "bars is 65"),
        (lambda p: (p / "PTN/PATTERNCHAIN_00.CHN").write_bytes(b"<a/>"), "PTN/PATTERNCHAIN_00.CHN", "not a pattern"),
        (lambda p: _cut(p / "PICTURE/startup_1.bmp", 100), "PICTURE/startup_1.bmp", "end too soon"),
        (lambda p: _edit(p / "PADCONF.BIN", 0x12, 0xFF), "PADCONF.BIN", "project tempo"),
        (lambda p: _edit(p / "PADCONF.BIN", 0x42, 0xFF), "PADCONF.BIN", "tempo of bank A"),
    ],
)
def test_damage_to_a_project_is_an_error(
    damage: Callable[[Path], object], where: str, message: str, tmp_path: Path
) -> None:
    write_folder(full(), tmp_path / "P")
    damage(tmp_path / "P")
    found = [each for each in verify(tmp_path / "P") if each.severity == "error"]
    assert any(each.where == where and message in each.message for each in found), found


def test_a_project_without_its_main_file_is_one_error(tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "P")
    _cut(tmp_path / "P" / "PADCONF.BIN", 1)
    (found,) = verify(tmp_path / "P")
    assert "version 3 has 52,000 bytes, the file has 51,999" in found.message


def _edit(path: Path, at: int, value: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    content[at] = content[at] ^ 1 if value is None else value
    path.write_bytes(content)


def _cut(path: Path, count: int) -> None:
    path.write_bytes(path.read_bytes()[:-count])


def test_what_is_odd_is_a_warning(tmp_path: Path) -> None:
    made = full()
    stray = replace(made, audio={**made.audio, slot("D1"): BytesContent(smp(7))})
    assert warnings(stray) == ["D1: SMPL/BANK4-01.SMP is there, but the pad is empty; the unit does not load it"]
    short = Pad.of(BytesContent(smp(5, frames=4_799)), "Short")
    assert warnings(project({"A1": short})) == ["A1: the sample has 99 ms; under 100 ms the unit may call it too short"]
    long = SmpHeader(1, MAX_FRAMES + 48_000).to_bytes()
    (tmp_path / "LONG.SMP").write_bytes(long)
    os.truncate(tmp_path / "LONG.SMP", smp_size(1, MAX_FRAMES + 48_000))
    assert list(map(str, verify(tmp_path / "LONG.SMP"))) == [
        "warning: LONG.SMP: the sample has 16.0 minutes; whether the unit takes over 16 is not known"
    ]
    near = project({"A1": pad(1).with_settings(start=512, end=512 + 999 * 4)})
    assert warnings(near) == ["A1: start and end are 999 frames apart; the unit keeps 1000"]
    within = project({"A1": pad(1).with_settings(loop_top=514)})
    assert warnings(within) == ["A1: its loop top (514) lies within a frame"]
    silent = project({"A1": pad(1)}, {"A1": hits("A1", "C5", "C5", "B2")})
    assert warnings(silent) == ["pattern A1: 3 of its notes are on empty pads (B2, C5)"]
    chain = replace(made, chain=PatternChain((1, 2, 0, 161)))
    assert warnings(chain) == [
        "PTN/PATTERNCHAIN_00.CHN: pattern 0 is in the chain; there are 160",
        "PTN/PATTERNCHAIN_00.CHN: pattern A2 is in the chain and not there",
        "PTN/PATTERNCHAIN_00.CHN: pattern 161 is in the chain; there are 160",
    ]
    picture = made.with_pictures({"me.bmp": made.pictures["startup_1.bmp"]})
    assert warnings(picture) == ["PICTURE/me.bmp: the unit looks for startup_1 to 2 and screen_saver_1 to 16"]
    other = replace(made, other_files={"a.txt": BytesContent(b"")})
    assert warnings(other) == ["a.txt: not a file the unit is known to use; it is kept as it is"]
    assert warnings(project()) == [
        "PADCONF.BIN: there is no sample in the project; the unit does not export such a one"
    ]


def test_a_pattern_that_does_not_fill_its_bars_is_a_warning() -> None:
    cut = replace(Pattern.of([Note(0, PadSlot(0, 0), 100, 60)], bars=2), trailer=bytes((1, 0, 0, 0, 0, 0x80, 1, 1)))
    assert warnings(project({"A1": pad(1)}, {"A1": cut})) == ["pattern A1: It ends at tick 3840, 1 bars at 1920"]


def test_names_the_unit_does_not_show_are_warnings() -> None:
    made = full()
    entries = list(made.padconf.pads)
    entries[0] = replace(entries[0], name_bytes="Žába".encode().ljust(24, b"\0"))
    entries[1] = replace(entries[1], name_bytes=b"x" * 24)
    assert warnings(made.with_entries(entries, made.audio)) == [
        "A1: its name has characters the unit does not show",
        "A2: its name has no end: there is no room for the zero behind it",
    ]


@pytest.mark.parametrize("name", ["PROJECT_17", "PROJECT_1", "My Set"])
def test_a_folder_the_unit_does_not_look_for_is_a_warning(name: str, tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "EXPORT" / "PROJECT" / name)
    (found,) = verify(tmp_path)
    assert verify(tmp_path / "EXPORT" / "PROJECT" / name) == [found]
    assert found == Finding(
        "warning", name, "the unit loads folders from a card that are called PROJECT_01 to PROJECT_16"
    )


def test_all_projects_of_a_card_are_checked(tmp_path: Path) -> None:
    for number in (1, 7, 16):
        write_card(full(), tmp_path, number)
    assert verify(tmp_path) == []
    (tmp_path / "EXPORT" / "PROJECT" / "PROJECT_07" / "SMPL" / "BANK1-01.SMP").unlink()
    (tmp_path / "EXPORT" / "PROJECT" / "PROJECT_16" / "PADCONF.BIN").write_bytes(b"RFPD")
    missing, damaged_file = errors(tmp_path)
    assert missing.startswith("error: EXPORT/PROJECT/PROJECT_07: A1: SMPL/BANK1-01.SMP is missing")
    assert damaged_file.startswith("error: EXPORT/PROJECT/PROJECT_16: ")


def test_litter_is_a_warning(tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "P")
    (tmp_path / "P" / "._PADCONF.BIN").write_bytes(b"")
    (found,) = verify(tmp_path / "P")
    assert "1 file of macOS" in found.message


def test_every_byte_of_an_archive_is_checked(tmp_path: Path) -> None:
    write_zip(full(), tmp_path / "a.zip", "P")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[content.index(b"SMPL/BANK2-01.SMP") + 9_000] ^= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert errors(tmp_path / "a.zip")[0].startswith("error: SMPL/BANK2-01.SMP: it is damaged")


def test_what_is_nothing_of_a_unit_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    assert [each.severity for each in verify(tmp_path / "text.txt")] == ["error"]
    assert [each.severity for each in verify(tmp_path / "empty")] == ["error"]
    with pytest.raises(FileNotFoundError):
        verify(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PADCONF.BIN", Kind.PADCONF),
        ("SMPL/BANK1-01.SMP", Kind.SMP),
        ("PTN/PTN00001.BIN", Kind.PATTERN),
        ("PTN/PATTERNCHAIN_00.CHN", Kind.CHAIN),
        ("PICTURE/startup_1.bmp", Kind.PICTURE),
    ],
)
def test_a_file_is_known_under_any_name(name: str, kind: Kind, tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "P")
    assert recognize(tmp_path / "P" / name) is kind
    (tmp_path / "renamed").write_bytes((tmp_path / "P" / name).read_bytes())
    assert recognize(tmp_path / "renamed") is kind
    (tmp_path / "P" / name).write_bytes(b"")
    assert recognize(tmp_path / "P" / name) is kind
    assert errors(tmp_path / "P" / name)


@needs_device_files
def test_files_of_an_sx_are_known(tmp_path: Path) -> None:
    assets = UTTORI / "test" / "assets"
    assert recognize(assets / "PAD_INFO.BIN") is Kind.PAD_INFO
    assert recognize(assets / "PAD_A1.BIN") is Kind.PAD_RECORD
    assert recognize(assets / "STPINFO.BIN") is Kind.STPINFO
    assert recognize(UTTORI / "audio-wave" / "A0000001.wav") is Kind.SX_WAV


SAMPLE = {name: content.open().read() for name, content in full().files().items()}


@given(st.sampled_from(sorted(SAMPLE)).flatmap(lambda name: st.tuples(st.just(name), damaged(SAMPLE[name]))))
def test_damage_to_any_file_is_told_and_never_raised(
    tmp_path_factory: pytest.TempPathFactory, damage: tuple[str, bytes]
) -> None:
    name, content = damage
    folder = tmp_path_factory.mktemp("damaged") / "P"
    for each, whole in {**SAMPLE, name: content}.items():
        (folder / each).parent.mkdir(parents=True, exist_ok=True)
        (folder / each).write_bytes(whole)
    if content == SAMPLE[name]:
        assert verify(folder) == []
    else:
        verify(folder)
        try:
            verify(folder / name)
        except FormatError:
            pytest.fail("verify tells damage, it does not raise it")
