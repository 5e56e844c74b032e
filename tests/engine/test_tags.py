"""What files say about themselves in chunks and tags, and what becomes of it."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sample_agent.engine import AudioError, analyze_file
from sample_agent.engine.metadata.hints import Hint, read_hints, tagged_tempo
from sample_agent.engine.metadata.spelling import tagged_key
from sample_agent.engine.metadata.tags import read_tags

RATE = 44_100


def test_an_acid_chunk_gives_tempo_and_root(tmp_path: Path) -> None:
    path = wav(tmp_path, b"acid", struct.pack("<IHHfIHHf", 2, 61, 0x8000, 0.0, 8, 4, 4, 174.0))
    assert read_tags(path) == (
        Hint("kind", "loop", "acid chunk"),
        Hint("tempo", "174", "acid chunk"),
        Hint("root", "C#", "acid chunk"),
    )


def test_an_acid_one_shot_has_no_tempo(tmp_path: Path) -> None:
    path = wav(tmp_path, b"acid", struct.pack("<IHHfIHHf", 1, 60, 0x8000, 0.0, 0, 4, 4, 120.0))
    assert read_tags(path) == (Hint("kind", "one-shot", "acid chunk"),)


@pytest.mark.parametrize("version", [2, 3, 4])
def test_id3_gives_tempo_and_key_in_every_version(tmp_path: Path, version: int) -> None:
    tag = id3(version, {"TBPM": "92", "TKEY": "F#m"})
    expected = (Hint("tempo", "92", "ID3"), Hint("key", "F#m", "ID3"))
    assert read_tags(wav(tmp_path, b"id3 ", tag)) == expected
    mp3 = tmp_path / "tagged.mp3"
    soundfile.write(mp3, np.zeros(RATE), RATE, format="MP3")
    mp3.write_bytes(tag + mp3.read_bytes())
    assert read_tags(mp3) == expected


def test_an_apple_loop_gives_beats_and_key(tmp_path: Path) -> None:
    path = tmp_path / "loop.aiff"
    soundfile.write(path, np.zeros(RATE * 4), RATE)
    chunk = struct.pack(">IIHHHHH", 1, 8, 57, 1, 4, 4, 2).ljust(84, b"\0")
    path.write_bytes(path.read_bytes() + b"basc" + struct.pack(">I", len(chunk)) + chunk)
    assert read_tags(path) == (
        Hint("kind", "loop", "Apple loop"),
        Hint("tempo", "120", "Apple loop"),
        Hint("key", "Am", "Apple loop"),
    )


@pytest.mark.parametrize("exponent", [0x7FFF, 0x7C00, 0x403F, 0x3FBD, 0x0001, 0xFFFF])
def test_an_absurd_sample_rate_gives_an_apple_loop_no_tempo(tmp_path: Path, exponent: int) -> None:
    path = tmp_path / "loop.aiff"
    soundfile.write(path, np.zeros(RATE * 4), RATE)
    common = struct.pack(">hIhHQ", 1, RATE * 4, 16, exponent, (1 << 64) - 1)
    chunk = struct.pack(">IIHHHHH", 1, 8, 57, 1, 4, 4, 2).ljust(84, b"\0")
    extra = b"".join(name + struct.pack(">I", len(body)) + body for name, body in ((b"COMM", common), (b"basc", chunk)))
    content = path.read_bytes()
    path.write_bytes(content[:12] + extra + content[12:])
    assert read_tags(path) == (Hint("kind", "loop", "Apple loop"), Hint("key", "Am", "Apple loop"))
    with suppress(AudioError):
        analyze_file(path)


@pytest.mark.parametrize("suffix", ["flac", "ogg", "opus"])
def test_comments_of_flac_and_ogg_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    comments = vorbis_comments("BPM=140.5", "title=x", "initialkey=8A")
    if suffix == "flac":
        streaminfo = bytes(34)
        blocks = bytes([0]) + len(streaminfo).to_bytes(3, "big") + streaminfo
        blocks += bytes([0x84]) + len(comments).to_bytes(3, "big") + comments
        path.write_bytes(b"fLaC" + blocks)
    else:
        first, mark = (b"\x01vorbis", b"\x03vorbis") if suffix == "ogg" else (b"OpusHead", b"OpusTags")
        path.write_bytes(ogg_page(first + bytes(22)) + ogg_page(mark + comments))
    assert read_tags(path) == (Hint("tempo", "140.5", "Vorbis comment"), Hint("key", "Am", "Vorbis comment"))


def test_mp4_items_are_read(tmp_path: Path) -> None:
    def box(name: bytes, *content: bytes) -> bytes:
        body = b"".join(content)
        return struct.pack(">I4s", 8 + len(body), name) + body

    tempo = box(b"tmpo", box(b"data", struct.pack(">IIH", 21, 0, 128)))
    key = box(b"----", box(b"mean", bytes(4), b"com.apple.iTunes"), box(b"name", bytes(4), b"initialkey"),
              box(b"data", struct.pack(">II", 1, 0), b"Ebm"))  # fmt: skip
    meta = box(b"meta", bytes(4), box(b"ilst", tempo, key))
    path = tmp_path / "a.m4a"
    path.write_bytes(box(b"ftyp", b"M4A ", bytes(4)) + box(b"moov", box(b"udta", meta)))
    assert read_tags(path) == (Hint("tempo", "128", "MP4"), Hint("key", "D#m", "MP4"))


def test_the_name_is_believed_before_the_tags_and_both_are_told() -> None:
    hints = read_hints("Break 165bpm.wav", [Hint("tempo", "120", "acid chunk"), Hint("key", "Am", "ID3")])
    assert (hints.tempo, hints.key) == (165, "Am")
    assert [(hint.value, hint.source) for hint in hints.found] == [
        ("165", "file name"),
        ("120", "acid chunk"),
        ("Am", "ID3"),
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [("Am", "Am"), ("8A", "Am"), ("11a", "F#m"), ("8B", "C"), ("1A", "G#m"), ("Gb minor", "F#m"), ("D dur", "D"),
     ("fis-moll", "F#m"), ("B-Dur", "A#"), ("H moll", "Bm"), ("E flat minor", "D#m"), ("F_sharp", "F#"),
     ("o", None), ("13A", None), ("All", None), ("", None)],
)  # fmt: skip
def test_keys_in_tags_are_read_in_every_spelling(text: str, key: str | None) -> None:
    assert tagged_key(text) == key


@pytest.mark.parametrize(
    ("text", "tempo"),
    [
        ("128", "128"),
        ("92,5", "92.5"),
        ("174 BPM", "174"),
        ("0", None),
        ("fast", None),
        ("nan", None),
        ("1_20", None),
        ("1e2", None),
        ("\u0661\u0662\u0660", None),
        ("+120", None),
        ("", None),
        ("bpm", None),
        ("120.000000", "120"),
        (" 87.5bpm ", "87.5"),
        ("0120", "120"),
        ("99999", None),
    ],
)
def test_a_tempo_tag_that_no_music_has_says_nothing(text: str, tempo: str | None) -> None:
    assert tagged_tempo(text) == tempo


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(["wav", "aiff", "flac", "ogg", "m4a", "mp3"]),
    cut=st.integers(0, 200),
    noise=st.binary(max_size=300),
)
def test_torn_tags_never_raise(tmp_path_factory: pytest.TempPathFactory, kind: str, cut: int, noise: bytes) -> None:
    acid = struct.pack("<IHHfIHHf", 2, 61, 0, 0, 8, 4, 4, 174.0)
    starts = {
        "wav": b"RIFF\0\0\0\0WAVEacid\x18\0\0\0" + acid + b"id3 \xff\0\0\0ID3\x03",
        "aiff": b"FORM\0\0\0\0AIFFbasc\0\0\0\x54",
        "flac": b"fLaC\x84\0\0\x20" + vorbis_comments("BPM=100"),
        "ogg": ogg_page(b"\x01vorbis" + bytes(22)) + ogg_page(b"\x03vorbis" + vorbis_comments("BPM=100")),
        "m4a": b"\0\0\0\x10ftypM4A \0\0\0\0\0\0\0\x40moov",
        "mp3": id3(4, {"TBPM": "100"}),
    }  # fmt: skip
    path = tmp_path_factory.mktemp("torn") / "file"
    path.write_bytes(starts[kind][: max(4, len(starts[kind]) - cut)] + noise)
    assert all(hint.value for hint in read_tags(path))


def wav(folder: Path, name: bytes, chunk: bytes) -> Path:
    path = folder / "a.wav"
    soundfile.write(path, np.zeros(RATE), RATE)
    path.write_bytes(path.read_bytes() + name + struct.pack("<I", len(chunk)) + chunk)
    return path


def id3(version: int, frames: dict[str, str]) -> bytes:
    body = b""
    for name, text in frames.items():
        content = b"\x00" + text.encode("latin-1")
        if version == 2:
            body += {"TBPM": b"TBP", "TKEY": b"TKE"}[name] + len(content).to_bytes(3, "big") + content
        else:
            body += name.encode() + len(content).to_bytes(4, "big") + b"\0\0" + content
    return b"ID3" + bytes([version, 0, 0, 0, 0, len(body) >> 7, len(body) & 0x7F]) + body


def vorbis_comments(*comments: str) -> bytes:
    fields = b"".join(struct.pack("<I", len(comment)) + comment.encode() for comment in comments)
    return struct.pack("<I", 4) + b"test" + struct.pack("<I", len(comments)) + fields


def ogg_page(packet: bytes) -> bytes:
    lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    return b"OggS" + bytes(22) + bytes([len(lacing)]) + lacing + packet
