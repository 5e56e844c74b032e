"""The readers of device files: whatever the bytes, a value that is written as those bytes again, or `FormatError`."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from fuzz.target import Target
from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.padconf import PAD_FIELDS, Padconf, PadEntry, PadSettings
from sample_agent.sp404.formats.padconf_pads import read_chops
from sample_agent.sp404.formats.pattern import Note, Pattern
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.formats.picture import Picture
from sample_agent.sp404.formats.smp import read_smp_blocks, write_smp
from sample_agent.sp404.formats.sx import PadInfo, SxSlot
from sample_agent.sp404.formats.sx_wav import read_sx_wav_blocks, write_sx_wav
from sample_agent.sp404.projects.archive import MAX_FILE_BYTES
from sample_agent.sp404.projects.content import read_content
from sample_agent.sp404.projects.output import project_zip
from sample_agent.sp404.projects.project import Project
from sample_agent.sp404.projects.reading import load_project
from sample_agent.sp404.projects.verify import verify
from sample_agent.sp404.slots import PadSlot

MEMORY = Path("/dev/shm")
A1 = PadSlot(0, 0)
NOISE = np.arange(-64, 64, dtype=np.int16).reshape(64, 2)


def padconf(content: bytes) -> None:
    try:
        read = Padconf.read(content)
    except FormatError:
        return
    _same(read.to_bytes(), content)
    read.settings.problems()
    for found in set(read.pads) - {PadEntry.empty()}:
        _ = found.name, found.chops
    newer = read.upgraded()
    _same(Padconf.read(newer.to_bytes()), newer)


def pad(content: bytes) -> None:
    """One pad: its settings, name and chop points, of which any bytes are some."""
    content = content[:324].ljust(324, b"\0")
    settings = PadSettings.read(content[:172])
    _same(settings.to_bytes(), content[:172])
    read = PadEntry(settings, content[172:196], read_chops(content[196:]))
    _ = read.name, read.chops, read.problems(), settings.start_frame(1), settings.end_frame(2)
    for name, field in PAD_FIELDS.items():
        value = getattr(settings, name)
        try:
            again = settings.replace(**{name: value})
        except OutOfRangeError:
            again = settings.replace(**{name: field.decode(field.default)})
            _same(getattr(again, name), field.decode(field.default))
        else:
            _same(getattr(again, name), value)


def smp(content: bytes) -> None:
    try:
        header, blocks = read_smp_blocks(io.BytesIO(content))
        pcm = b"".join(block.astype(">i2").tobytes() for block in blocks)
    except FormatError:
        return
    _same(header.to_bytes() + pcm, content)


def pattern(content: bytes) -> None:
    try:
        read = Pattern.read(content)
    except FormatError:
        return
    _same(read.to_bytes(), content)
    read.problems()
    cleared = read.moved({A1: None})
    _same(Pattern.read(cleared.to_bytes()), cleared)
    _same(cleared.notes, tuple(note for note in read.notes if note.slot != A1))


def pattern_chain(content: bytes) -> None:
    try:
        read = PatternChain.read(content)
    except FormatError:
        return
    _same(read.to_bytes(), content)


def picture(content: bytes) -> None:
    try:
        read = Picture.read(content)
    except FormatError:
        return
    _same(read.to_bytes(), content)
    pixels = read.pixels
    _same(bool((Picture.of(pixels).pixels == pixels).all()), True)


def pad_info(content: bytes) -> None:
    try:
        read = PadInfo.read(content)
    except FormatError:
        return
    _same(read.to_bytes(), content)
    for found in read.pads:
        found.problems()


def sx_wav(content: bytes) -> None:
    try:
        header, blocks = read_sx_wav_blocks(io.BytesIO(content), len(content))
        frames = sum(len(block) for block in blocks)
    except FormatError:
        return
    _same(header.to_bytes(), content[:512])
    _same(frames, header.frames)


def project_archive(content: bytes) -> None:
    """An archive that may hold a project: read, checked, written and read again."""
    with tempfile.TemporaryDirectory(prefix="sample-agent-fuzz-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        path = Path(folder) / "project.zip"
        path.write_bytes(content)
        verify(path)
        try:
            files = _contents(load_project(path))
        except FormatError:
            return
        copy = Path(folder) / "copy.zip"
        copy.write_bytes(b"".join(project_zip(load_project(path))))
        _same(_contents(load_project(copy)), files)


def _contents(project: Project) -> dict[str, bytes]:
    return {name: read_content(content, "fuzz", MAX_FILE_BYTES) for name, content in project.files().items()}


def _same(found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"{found!r:.200} is not {expected!r:.200}")


def _padconf_seeds() -> list[bytes]:
    drum = PadEntry.of(PadSettings.for_sample(48_512, one_shot=True, mute_group=10, pitch=-12), "KICK")
    loop = PadEntry.of(PadSettings.for_sample(192_512, loop=True, tempo=93.5), "LOOP", (0, 1_000))
    project = Padconf.new("My Set", 93.5).with_pad(A1, drum).with_pad(PadSlot(9, 15), loop)
    content = project.to_bytes()
    older = b"RFPD" + (0x80).to_bytes(4) + b"\x02\0\0\0" + (31_360).to_bytes(4)
    return [content, older + content[16:128] + content[160 : 160 + 31_360]]


def _pattern_seeds() -> list[bytes]:
    notes = [Note(tick, PadSlot(tick // 480, 0), 90, 120, tick // 480 - 2) for tick in range(0, 3_840, 480)]
    empty = Pattern.of([], 1).to_bytes()
    recorded = bytes.fromhex("00 8E 02 00 00 10 7F 00  05 30 41 0D 7F 40 FF FF")
    return [Pattern.of(notes, 2).to_bytes(), empty, recorded + empty]


def _chain_seeds() -> list[bytes]:
    declared = b'<?xml version="1.0" encoding="utf-8"?>\n'
    bomb = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>'
    chain = PatternChain((1, 2, 160)).to_bytes()
    return [chain, declared + chain, declared + bomb + chain, (declared + chain).decode().encode("utf-16")]


def _picture_seeds() -> list[bytes]:
    rows = np.random.default_rng(1).random((64, 128)) < 0.5
    one_bit = Picture.of(rows).to_bytes()
    return [one_bit, one_bit[:28] + b"\x18" + one_bit[29:] + bytes(24_576)]


def _smp_seeds() -> list[bytes]:
    files = [io.BytesIO(), io.BytesIO()]
    for channels, file in enumerate(files, start=1):
        write_smp(file, channels, len(NOISE), [NOISE[:, :channels]])
    return [file.getvalue() for file in files]


def _sx_seeds() -> list[bytes]:
    file = io.BytesIO()
    write_sx_wav(file, SxSlot.parse("A1"), 2, 64, [NOISE])
    return [file.getvalue()]


def _archive_seeds() -> list[bytes]:
    smp_seed, *_ = _smp_seeds()
    loaded = PadEntry.of(PadSettings.for_sample(len(smp_seed)), "y")
    files = {
        "PADCONF.BIN": Padconf.new("x").with_pad(A1, loaded).to_bytes(),
        "SMPL/BANK1-01.SMP": smp_seed,
        "PTN/PTN00001.BIN": _pattern_seeds()[0],
        "PTN/PATTERNCHAIN_00.CHN": _chain_seeds()[0],
        "PICTURE/startup_1.bmp": _picture_seeds()[0],
        "notes.txt": b"kept",
    }
    archives = []
    for folder in ("", "EXPORT/PROJECT/PROJECT_01/"):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
            for name, content in files.items():
                writing.writestr(folder + name, content)
        archives.append(archive.getvalue())
    return archives


TARGETS = (
    Target("padconf", padconf, _padconf_seeds, 53_000),
    Target("pad", pad, lambda: [PadSettings.for_sample(48_512).to_bytes()], 324),
    Target("smp", smp, _smp_seeds),
    Target("pattern", pattern, _pattern_seeds),
    Target("pattern-chain", pattern_chain, _chain_seeds),
    Target("picture", picture, _picture_seeds, 30_000),
    Target("pad-info", pad_info, lambda: [PadInfo().to_bytes()]),
    Target("sx-wav", sx_wav, _sx_seeds),
    Target("project-archive", project_archive, _archive_seeds, 8_192),
)
