import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.padconf import (
    PAD_FIELDS,
    BankSettings,
    Bus,
    Chromatic,
    Padconf,
    PadEntry,
    PadSettings,
    PlayMode,
    ProjectSettings,
    TempoSelect,
    Vari,
)
from sample_agent.sp404.formats.padconf_fields import Choice, Field, Flag, Hundredths, Switch, Whole
from sample_agent.sp404.slots import ALL_SLOTS, PadSlot
from tests.damage import damaged
from tests.device_files import UGC, UTTORI, every_device_file, needs_device_files

SAMPLE = PadSettings.for_sample(77_224)
CHOP = PadSlot.parse("B4")
FORMATS_PAGE = Path(__file__).parents[2] / "docs" / "sp404-formats.md"
FIXED = {"fixed_velocity": True}


def hexdump(path: Path) -> bytes:
    """The bytes in a listing of "offset: bytes  text" lines."""
    return b"".join(bytes.fromhex(line[9:59]) for line in path.read_text().splitlines())


def example() -> Padconf:
    """A project with something everywhere."""
    project = Padconf.new("My Set", 93.5)
    settings_ = project.settings.with_bank(3, tempo=174.01, protect=True, volume=0).replace(
        tempo_select=TempoSelect.PROJECT
    )
    drum = PadEntry.of(PadSettings.for_sample(48_512, one_shot=True, mute_group=10, pitch=-12), "KICK dusty")
    loop = PadEntry.of(PadSettings.for_sample(192_512, loop=True, bpm_sync=True, tempo=93.5), "LOOP", (0, 1_000, 9_999))
    project = replace(project, settings=settings_)
    return project.with_pad(PadSlot(0, 0), drum).with_pad(PadSlot(9, 15), loop)


def as_version_2(project: Padconf) -> bytes:
    content = project.to_bytes()
    head = b"RFPD" + (0x80).to_bytes(4) + b"\x02\0\0\0" + (31_360).to_bytes(4)
    return head + content[16:128] + content[160 : 160 + 31_360]


# What real units wrote


@pytest.mark.parametrize("path", every_device_file("*PADCONF*.BIN"))
def test_a_units_own_file_is_read_and_written_again(path: Path) -> None:
    content = path.read_bytes()
    padconf = Padconf.read(content)
    assert padconf.to_bytes() == content
    assert padconf.version == 3
    assert padconf.problems() == []
    empty = [pad for pad in padconf.pads if pad.settings.is_empty]
    assert empty
    assert set(empty) == {PadEntry.empty()}


# The listings were taken while the pads were set, one after the other. The two of the buses show a pad before its bus
# was set or another pad; the project they are of has both right. None of the ping-pong pads had its gate off.
LISTED: dict[str, dict[str, Any]] = {
    "A01 regular - baseline": {},
    "A01 regular - fixed velocity": FIXED,
    "A02 regular - loop on": {"loop": True},
    "A02 regular - reverse": {"play_mode": PlayMode.REVERSE},
    "A03 regular - mute group A": {"mute_group": 1},
    "A03 regular - oneshot - gate off": {"one_shot": True},
    "A04 regular - oneshot - reverse - gate off": {"one_shot": True, "play_mode": PlayMode.REVERSE},
    "A05 regular - fwd pingpong - gate off": {"play_mode": PlayMode.FORWARD_PING_PONG},
    "A05 regular - pad link A": FIXED | {"link": 1},
    "A06 regular - pad link J": FIXED | {"link": 10},
    "A06 regular - rev pingpong - gate off": {"play_mode": PlayMode.REVERSE_PING_PONG, "speed": 84.08},
    "A08 regular - bus fx 2": FIXED | {"bus": Bus.BUS_1},
    "A09 regular - bus fx dry": FIXED | {"bus": Bus.BUS_2},
    "A10 regular - roll off": FIXED | {"roll": 0},
    "A11 regular - roll 1_16": FIXED | {"roll": 4},
    "A12 regular - roll 3_8": FIXED | {"roll": 7},
    "A13 regular - legato": FIXED | {"chromatic": Chromatic.LEGATO},
    "A14 regular - mono": FIXED | {"chromatic": Chromatic.MONO},
    "A14 regular - poly": FIXED | {"chromatic": Chromatic.POLY},
    "B01 regular - one marker - one deleted": FIXED,
    "B02 regular - two markers": FIXED,
    "B03 regular - four grid markers - auto": FIXED,
    "B04 regular - sixteen grid markers - auto": FIXED,
}


@pytest.mark.parametrize("path", every_device_file("pad-params/*.txt"))
def test_a_listed_pad_reads_as_what_was_set_on_the_unit(path: Path) -> None:
    record = hexdump(path)
    pad = PadSettings.read(record)
    expected = LISTED[path.stem]
    for name, value in expected.items():
        assert getattr(pad, name) == value, name
    assert pad == SAMPLE.replace(**expected)
    assert pad.to_bytes() == record
    assert pad.problems() == []


PADS_OF_THE_PROJECT: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "A1": (FIXED, (0,)),
    "A2": ({"loop": True}, (0,)),
    "A3": ({"mute_group": 1}, (0,)),
    "A4": ({"mute_group": 2}, (0,)),
    "A5": (FIXED | {"link": 1}, (0,)),
    "A6": (FIXED | {"link": 10}, (0,)),
    "A7": ({}, ()),
    "A8": (FIXED | {"bus": Bus.BUS_2}, (0,)),
    "A9": (FIXED | {"bus": Bus.DRY}, (0,)),
    "A10": (FIXED | {"roll": 0}, (0,)),
    "A11": (FIXED | {"roll": 4}, (0,)),
    "A12": (FIXED | {"roll": 7}, (0,)),
    "A13": (FIXED | {"chromatic": Chromatic.LEGATO}, (0,)),
    "A14": (FIXED | {"chromatic": Chromatic.POLY}, (0,)),
    "A15": (FIXED, (0,)),
    "A16": (FIXED, (0,)),
    "B1": (FIXED, (0, 4_104, 12_288)),
    "B2": (FIXED, (0, 4_104)),
    "B3": (FIXED, (0, 4_795, 9_590, 14_384)),
    "B4": (
        FIXED,
        (0, 1199, 2398, 3597, 4796, 5995, 7194, 8393, 9592, 10791, 11990, 13188, 14386, 15584, 16782, 17980),
    ),
}


@needs_device_files
def test_the_project_the_listings_are_of_has_the_same_pads() -> None:
    padconf = Padconf.read((UGC / "pad-params" / "PADCONF.BIN").read_bytes())
    assert padconf.name == "PROJECT_16"
    for slot in ALL_SLOTS:
        pad = padconf.pad(slot)
        if str(slot) in PADS_OF_THE_PROJECT:
            fields, chops = PADS_OF_THE_PROJECT[str(slot)]
            assert pad == PadEntry.of(SAMPLE.replace(**fields), "001 short hendry - 5PLH", chops), slot
        else:
            assert pad == PadEntry.empty(), slot


@needs_device_files
def test_the_pair_with_and_without_chops_differs_in_nothing_else() -> None:
    without, with_chops = (
        Padconf.read((UGC / "pad-chops" / f"01-PADCONF-single-sample-{kind}.BIN").read_bytes())
        for kind in ("no-chops", "four-chops")
    )
    pad = with_chops.pads[0]
    assert without.pads[0].chops == ()
    assert pad.chops == (0, 28_672, 63_488, 96_256)
    assert pad.chops[-1] < pad.settings.end_frame(2)
    assert without.with_pad(PadSlot(0, 0), without.pads[0].with_chops(pad.chops)) == with_chops


@needs_device_files
def test_an_older_project_reads_with_its_names_loops_and_tempos() -> None:
    padconf = Padconf.read((UTTORI / "PADCONF.BIN").read_bytes())
    loaded = [pad for pad in padconf.pads if not pad.settings.is_empty]
    assert len(loaded) == 104
    first = padconf.pads[0]
    assert first.name == "Wave Race 64 - M"
    assert first.name_bytes == b"Wave Race 64 - M\0      \0"
    assert (first.settings.loop, first.settings.gate, first.settings.vinyl) == (True, False, False)
    assert (first.settings.fixed_velocity, first.settings.vari) == (True, Vari.ENSEMBLE)
    assert first.settings.tempo == 81.0
    assert first.settings.loop_top == 8_103_336
    assert padconf.pad(PadSlot.parse("B3")).name == "1080° Snow Boar"
    assert padconf.pad(PadSlot.parse("F4")).name == "SwuM - Finland"
    assert padconf.pad(PadSlot.parse("J15")).name == "XO-3 SNARE (processed)"
    assert [bank.tempo for bank in padconf.settings.banks] == [126, 90, 90, 90, 126, 90, 90, 90, 90, 90]
    edited = padconf.pad(PadSlot.parse("G3")).settings
    assert edited.words[25] == 1
    assert edited.replace(level=1).words[25] == 1
    assert edited.end_frame(2) == 5_277_371


@needs_device_files
def test_a_project_exported_this_year_reads_with_its_two_pads() -> None:
    padconf = Padconf.read((UGC / "pad-sequencer" / "2026-04-08" / "PADCONF.BIN").read_bytes())
    kick, snare = (padconf.pad(PadSlot.parse(label)) for label in ("A1", "B1"))
    assert (padconf.name, padconf.settings) == ("PROJECT_08", ProjectSettings())
    assert kick == PadEntry.of(PadSettings.for_sample(308_716, gate=False, tempo=75.17), "indust - houst kck - AR")
    assert snare == PadEntry.of(PadSettings.for_sample(294_012, tempo=118.47), "hiphop - another life k")
    assert (kick.settings.start_frame(2), kick.settings.end_frame(2)) == (0, 77_051)


# The range of every field


RANGED = [(name, field) for name, field in PAD_FIELDS.items() if isinstance(field, Whole | Hundredths)]
SWITCHES = [name for name, field in PAD_FIELDS.items() if isinstance(field, Switch | Flag)]
CHOICES = [(name, field) for name, field in PAD_FIELDS.items() if isinstance(field, Choice)]


def test_every_setting_of_the_unit_has_a_field() -> None:
    assert set(PAD_FIELDS) == {
        *("size", "start", "end", "loop_top"),
        *("level", "pan", "bus", "mute_group", "link", "roll", "fixed_velocity"),
        *("gate", "loop", "one_shot", "play_mode", "attack", "hold", "release"),
        *("tempo", "bpm_sync", "speed", "vinyl", "vari", "pitch", "fine", "chromatic"),
    }


def shown(value: object) -> str:
    """A value as the documentation writes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.2f}" if isinstance(value, float) else getattr(value, "name", str(value))


@pytest.mark.parametrize(("name", "field"), PAD_FIELDS.items())
def test_the_documentation_has_the_word_range_and_default_of_every_field(name: str, field: Field[Any]) -> None:
    allowed = "off, on" if name in SWITCHES else field.allowed
    row = f"| {field.word} | `{name}` | {allowed} | {shown(field.decode(field.default))} |"
    assert row in FORMATS_PAGE.read_text()


@pytest.mark.parametrize(("name", "field"), RANGED)
def test_both_ends_of_a_range_are_taken_and_what_lies_beyond_is_not(name: str, field: Whole | Hundredths) -> None:
    step = 1 if isinstance(field, Whole) else 0.01
    for value in (field.lowest, field.highest):
        pad = SAMPLE.replace(**{name: value})
        assert getattr(pad, name) == value
        assert getattr(PadSettings.read(pad.to_bytes()), name) == value
        assert field.problem(pad.words[field.word]) is None
    for value in (field.lowest - step, field.highest + step, float("nan"), float("inf"), "64", None):
        with pytest.raises(OutOfRangeError) as caught:
            SAMPLE.replace(**{name: value})
        assert (caught.value.field, caught.value.allowed) == (name, field.allowed)


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_is_off_or_on_and_nothing_else(name: str) -> None:
    for value in (True, False):
        assert getattr(SAMPLE.replace(**{name: value}), name) is value
    for bad in (2, -1, "on", None):
        with pytest.raises(OutOfRangeError, match=name):
            SAMPLE.replace(**{name: bad})


@pytest.mark.parametrize(("name", "field"), CHOICES)
def test_a_choice_takes_each_of_its_values_and_no_other(name: str, field: Choice[Any]) -> None:
    for value in field.values:
        pad = SAMPLE.replace(fixed_velocity=True, one_shot=True, **{name: value})
        assert getattr(pad, name) is value
        assert pad.fixed_velocity
        assert pad.one_shot
    for bad in (-1, 3 + max(field.values), "POLY", None):
        with pytest.raises(OutOfRangeError, match=name):
            SAMPLE.replace(**{name: bad})


def test_a_setting_that_does_not_exist_cannot_be_set() -> None:
    with pytest.raises(TypeError, match="colour"):
        SAMPLE.replace(colour=3)


@given(words=st.lists(st.integers(-0x80000000, 0x7FFFFFFF), min_size=43, max_size=43), data=st.data())
def test_setting_one_field_changes_its_own_word_alone(words: list[int], data: st.DataObject) -> None:
    pad = PadSettings(tuple(words))
    name, field = data.draw(st.sampled_from([item for item in PAD_FIELDS.items() if item[0] != "one_shot"]))
    changed = pad.replace(**{name: field.decode(field.default)})
    assert getattr(changed, name) == field.decode(field.default)
    assert [i for i in range(43) if changed.words[i] != pad.words[i]] in ([], [field.word])
    for other in PAD_FIELDS:
        if other != name:
            assert getattr(changed, other) == getattr(pad, other)


def test_a_one_shot_has_neither_gate_nor_loop_unless_they_are_given() -> None:
    held = SAMPLE.replace(gate=True, loop=True)
    assert [getattr(held.replace(one_shot=True), name) for name in ("one_shot", "gate", "loop")] == [True, False, False]
    assert held.replace(one_shot=True, gate=True).gate
    assert held.replace(one_shot=False).loop


@pytest.mark.parametrize("on", [1, 0x7FFFFFFF, -1, 2])
def test_a_loop_is_on_whichever_number_says_so_and_the_number_stays(on: int) -> None:
    words = list(SAMPLE.words)
    words[5] = on
    pad = PadSettings(tuple(words))
    assert pad.loop
    assert pad.replace(loop=True, level=3).words[5] == on
    assert pad.replace(loop=False).replace(loop=True).words[5] == 0x7FFFFFFF


def test_an_empty_pad_is_as_the_unit_writes_it() -> None:
    words = [0] * 43
    words[3:10] = [127, 1, 0, 1, 0, 0, 9000]
    words[16:24] = [10_000, 1, 64, 0, 1, 2, 0, 100]
    assert PadSettings.empty().words == tuple(words)
    assert PadSettings.empty().is_empty
    assert PadEntry.empty().name == ""
    assert PadEntry.empty().chops == ()


def test_frames_are_counted_from_the_first_one_in_the_file() -> None:
    pad = PadSettings.for_sample(512 + 4_000, start=512 + 400)
    assert (pad.start_frame(2), pad.end_frame(2)) == (100, 1_000)
    assert (pad.start_frame(1), pad.end_frame(1)) == (200, 2_000)


def test_odd_values_are_read_as_they_are_and_named_as_problems() -> None:
    words = list(SAMPLE.words)
    for word, value in ((3, 200), (9, 1), (10, 6), (13, -13), (15, 9), (20, 7), (2, 10), (11, 600_000)):
        words[word] = value
    pad = PadSettings(tuple(words))
    assert (pad.level, pad.tempo, pad.vari, pad.pitch, pad.play_mode, pad.bus) == (200, 0.01, 6, -13, 9, 7)
    found = " ".join(pad.problems())
    for name in ("level", "tempo", "vari", "pitch", "play_mode", "bus", "start 512 and end 10", "loop_top"):
        assert name in found
    assert PadSettings.read(pad.to_bytes()) == pad


# Names and chops


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (b"KICK\0".ljust(24, b"\0"), "KICK"),
        (b" " * 23 + b"\0", ""),
        (bytes(24), ""),
        (b"sixteen characte\0      \0", "sixteen characte"),
        (b"24 bytes without an end!", "24 bytes without an end!"),
        ("1080° Snow".encode().ljust(24, b"\0"), "1080° Snow"),
        (b"abcdefghijklmnopqrstuv" + "é".encode()[:1] + b"\0", "abcdefghijklmnopqrstuv"),
        ("Café".encode("latin-1").ljust(24, b"\0"), "Café"),
        (b"\xff".ljust(24, b"\0"), "ÿ"),
        (b"a\0b\0".ljust(24, b"\0"), "a"),
    ],
)
def test_a_name_is_read_however_it_is_padded_or_encoded(field: bytes, name: str) -> None:
    pad = PadEntry(SAMPLE, field)
    assert pad.name == name
    padconf = Padconf.new().with_pad(CHOP, pad)
    assert Padconf.read(padconf.to_bytes()).pad(CHOP).name_bytes == field


@pytest.mark.parametrize("name", ["x" * 24, "Café", "tab\there", "new\nline", "nul\0"])
def test_a_name_the_unit_cannot_show_is_not_written(name: str) -> None:
    with pytest.raises(OutOfRangeError, match="23 printable ASCII"):
        PadEntry.of(SAMPLE, name)


def test_names_may_fill_their_fields() -> None:
    pad = PadEntry.of(SAMPLE, "x" * 23)
    project = Padconf.new("y" * 31).with_pad(CHOP, pad)
    assert Padconf.read(project.to_bytes()).name == "y" * 31
    assert Padconf.read(project.to_bytes()).pad(CHOP).name == "x" * 23
    assert pad.with_name("") == PadEntry(SAMPLE)
    with pytest.raises(OutOfRangeError, match="31"):
        Padconf.new("y" * 32)


def test_chops_with_gaps_between_them_are_read_and_kept() -> None:
    words = [0, 0xFFFFFFFF, 500, 0xFFFFFFFF, 0xFFFFFFFF, 900, *[0xFFFFFFFF] * 10, *range(16)]
    project = Padconf.new().with_pad(CHOP, replace(PadEntry.of(SAMPLE, "x"), chop_words=tuple(words)))
    again = Padconf.read(project.to_bytes())
    assert again == project
    assert again.pad(CHOP).chops == (0, 500, 900)
    assert again.pad(CHOP).with_chops((0, 7)).chop_words[16:] == tuple(range(16))


@pytest.mark.parametrize("chops", [(5,), (0, 9, 9), (0, 9, 8), tuple(range(17)), (0, -1), (0, 92_252_929)])
def test_chops_are_up_to_sixteen_rising_frames_from_the_beginning(chops: tuple[int, ...]) -> None:
    with pytest.raises(OutOfRangeError, match="chops"):
        PadEntry.of(SAMPLE, "x", chops)


def test_sixteen_chops_are_written() -> None:
    chops = tuple(range(0, 16_000, 1_000))
    assert PadEntry.of(SAMPLE, "x", chops).chops == chops


# Project and banks


def test_a_new_project_has_its_name_and_tempo_everywhere_and_no_sample() -> None:
    project = Padconf.new("My Set", 140.25)
    assert (project.version, project.name, len(project.to_bytes())) == (3, "My Set", 52_000)
    assert project.settings.tempo == 140.25
    assert set(project.settings.banks) == {BankSettings(140.25, protect=False, volume=127)}
    assert set(project.pads) == {PadEntry.empty()}
    assert project.problems() == []


@given(
    bank=st.integers(0, 9),
    tempo=st.integers(4_000, 20_000),
    protect=st.booleans(),
    volume=st.integers(0, 127),
    words=st.lists(st.integers(0, 0xFFFFFFFF), min_size=28, max_size=28),
)
def test_a_banks_settings_come_back_and_the_other_banks_keep_theirs(
    bank: int, tempo: int, protect: bool, volume: int, words: list[int]
) -> None:
    before = ProjectSettings(tuple(words))
    after = before.with_bank(bank, tempo=tempo / 100, protect=protect, volume=volume)
    assert after.bank(bank) == BankSettings(tempo / 100, protect, volume)
    assert ProjectSettings.read(after.to_bytes()) == after
    for other in range(10):
        if other != bank:
            assert after.bank(other) == before.bank(other)
    assert (after.tempo, after.tempo_select) == (before.tempo, before.tempo_select)
    assert after.words[12 + bank] >> 17 == before.words[12 + bank] >> 17


@pytest.mark.parametrize(
    "change",
    [
        lambda project: project.with_bank(0, tempo=39.99),
        lambda project: project.with_bank(0, tempo=200.01),
        lambda project: project.with_bank(0, tempo=float("nan")),
        lambda project: project.with_bank(0, volume=-1),
        lambda project: project.with_bank(0, volume=128),
        lambda project: project.with_bank(10, volume=1),
        lambda project: project.replace(tempo=39.99),
        lambda project: project.replace(tempo=200.01),
    ],
)
def test_tempos_and_volumes_outside_the_units_range_are_refused(
    change: Callable[[ProjectSettings], ProjectSettings],
) -> None:
    with pytest.raises(OutOfRangeError):
        change(ProjectSettings())


def test_tempos_and_volumes_no_unit_has_are_named_as_problems() -> None:
    words = list(ProjectSettings().words)
    words[0], words[12], words[23] = 0, 2, 0x00FF0000
    assert len(ProjectSettings(tuple(words)).problems()) == 3
    assert ProjectSettings(tuple(words)).bank(1).volume == -128


def test_the_tempo_select_is_one_bit_and_leaves_the_tempo() -> None:
    project = ProjectSettings().replace(tempo=200, tempo_select=TempoSelect.PROJECT)
    assert project.words[0] == 0x10000 | 20_000
    assert project.replace(tempo_select=TempoSelect.BANK).words[0] == 20_000


# Whole files


def test_a_project_is_read_back_as_it_was_written() -> None:
    assert Padconf.read(example().to_bytes()) == example()


def test_a_version_2_file_is_read_written_again_and_can_be_made_version_3() -> None:
    project = Padconf.new("", 93.5).with_pad(CHOP, PadEntry.of(SAMPLE.replace(pitch=-7), "KICK"))
    content = as_version_2(project)
    assert len(content) == 31_488
    old = Padconf.read(content)
    assert old.to_bytes() == content
    assert (old.version, old.name, old.pad(CHOP).name, old.pad(CHOP).settings.pitch) == (2, "", "KICK", -7)
    assert old.upgraded() == project
    assert project.upgraded() is project


def test_a_version_2_project_takes_no_name_and_no_chops() -> None:
    old = Padconf.read(as_version_2(Padconf.new()))
    with pytest.raises(OutOfRangeError, match="version"):
        old.with_name("My Set")
    with pytest.raises(OutOfRangeError, match="version"):
        old.with_pad(CHOP, PadEntry.of(SAMPLE, "x", (0, 5)))
    assert old.upgraded().with_name("My Set").name == "My Set"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "less than the first 16"),
        (b"RFP", "less than the first 16"),
        (b"RIFF" + bytes(51_996), "begins with"),
        (example().to_bytes()[:-1], "52,000"),
        (example().to_bytes() + b"\0", "52,000"),
        (as_version_2(example())[:-1], "31,488"),
        (example().to_bytes()[:31_488], "52,000"),
        (b"RFPD\0\0\0\xa0\x04" + bytes(51_991), "version 4"),
        (b"RFPD\0\0\0\xa1\x03\0\0\0\0\0\x7a\x80" + bytes(51_984), "byte 0x0004: the sections"),
        (b"RFPD\0\0\0\xa0\x03\0\0\0\0\0\x7a\x81" + bytes(51_984), "byte 0x000C: the sections"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_the_reason(content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=re.escape(message)):
        Padconf.read(content)


def reads_or_is_refused(content: bytes) -> None:
    try:
        padconf = Padconf.read(content)
    except FormatError:
        return
    assert padconf.to_bytes() == content
    assert isinstance(padconf.problems(), list)
    assert isinstance(repr(padconf.name), str)
    for pad in padconf.pads:
        assert isinstance(pad.name, str)
        for name in PAD_FIELDS:
            getattr(pad.settings, name)


@settings(deadline=None, max_examples=50)
@given(content=st.one_of(st.binary(max_size=200), damaged(example().to_bytes()), damaged(as_version_2(Padconf.new()))))
def test_a_damaged_file_is_read_as_it_is_or_refused(content: bytes) -> None:
    reads_or_is_refused(content)


@settings(deadline=None, max_examples=25)
@given(
    records=st.binary(min_size=172, max_size=172),
    name=st.binary(min_size=24, max_size=24),
    chops=st.binary(min_size=128, max_size=128),
    project=st.binary(min_size=144, max_size=144),
)
def test_any_values_in_a_whole_file_are_kept(records: bytes, name: bytes, chops: bytes, project: bytes) -> None:
    head = example().to_bytes()[:16]
    reads_or_is_refused(head + project + records * 160 + name * 160 + chops * 160)
    Padconf.read(head + project + records * 160 + name * 160 + chops * 160)


FIELD_VALUES = st.fixed_dictionaries(
    {},
    optional={
        name: st.integers(field.lowest, field.highest)
        if isinstance(field, Whole)
        else st.integers(round(field.lowest * 100), round(field.highest * 100)).map(lambda value: value / 100)
        if isinstance(field, Hundredths)
        else st.sampled_from(list(field.values))
        if isinstance(field, Choice)
        else st.booleans()
        for name, field in PAD_FIELDS.items()
    },
)


@settings(deadline=None, max_examples=50)
@given(
    slot=st.sampled_from(ALL_SLOTS),
    fields=FIELD_VALUES,
    name=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=23),
    chops=st.sets(st.integers(1, 46_126_464), max_size=15),
)
def test_a_project_built_in_code_is_read_back_equal(
    slot: PadSlot, fields: dict[str, Any], name: str, chops: set[int]
) -> None:
    points = (0, *sorted(chops)) if chops else ()
    pad = PadEntry.of(PadSettings.empty().replace(**fields), name, points)
    again = Padconf.read(Padconf.new("x").with_pad(slot, pad).to_bytes()).pad(slot)
    assert again == pad
    assert (again.name, again.chops) == (name, points)
    for field, value in fields.items():
        assert getattr(again.settings, field) == value
