"""Audio files of every kind, good and bad, written on the spot."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import soundfile

from tests.sounds import RATE, tone

AUDIO = Path(__file__).parent.parent / "audio"

WRITABLE = (
    ("wav", "WAV", "PCM_U8"),
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "PCM_24"),
    ("wav", "WAV", "PCM_32"),
    ("wav", "WAV", "FLOAT"),
    ("wav", "WAV", "DOUBLE"),
    ("wav", "WAV", "ULAW"),
    ("wav", "WAV", "ALAW"),
    ("wav", "WAV", "IMA_ADPCM"),
    ("wav", "WAV", "MS_ADPCM"),
    ("wav", "WAVEX", "PCM_24"),
    ("wav", "WAVEX", "FLOAT"),
    ("wav", "RF64", "PCM_16"),
    ("aiff", "AIFF", "PCM_S8"),
    ("aiff", "AIFF", "PCM_16"),
    ("aiff", "AIFF", "PCM_24"),
    ("aiff", "AIFF", "PCM_32"),
    ("aiff", "AIFF", "FLOAT"),
    ("aiff", "AIFF", "DOUBLE"),
    ("aiff", "AIFF", "ULAW"),
    ("aiff", "AIFF", "ALAW"),
    ("aiff", "AIFF", "IMA_ADPCM"),
    ("flac", "FLAC", "PCM_16"),
    ("flac", "FLAC", "PCM_24"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
)
"""What `sniff_format` should say, and how soundfile writes it."""


def write(path: Path, container: str = "WAV", subtype: str = "PCM_16", samples: np.ndarray | None = None) -> Path:
    """A file with two seconds of a sine, louder on the left, unless given other samples."""
    if samples is None:
        sine = tone(440, 2.0)
        samples = np.stack((sine, sine / 2), axis=1)
    soundfile.write(path, samples, 48_000 if subtype == "OPUS" else RATE, format=container, subtype=subtype)
    return path


def pcm_wav(data: bytes, *, claimed: int | None = None, rate: int = RATE, channels: int = 1) -> bytes:
    """A 16-bit WAV file whose header claims `claimed` bytes of samples, whatever follows."""
    claimed = len(data) if claimed is None else claimed
    layout = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16)
    riff = struct.pack("<I", (36 + claimed) & 0xFFFFFFFF)
    return b"RIFF" + riff + b"WAVEfmt " + layout + b"data" + struct.pack("<I", claimed) + data


def with_flac_length(flac: bytes, frames: int) -> bytes:
    """The same FLAC file, claiming to be `frames` long (0: unknown)."""
    packed = int.from_bytes(flac[18:26], "big")
    return flac[:18] + (packed >> 36 << 36 | frames).to_bytes(8, "big") + flac[26:]


def zeros_in_flac(path: Path, seconds: int) -> Path:
    """Silence of any length in a few kilobytes, of unknown length by its header."""
    block = np.zeros((RATE, 2), np.int16)
    with soundfile.SoundFile(path, "w", RATE, 2, format="FLAC", subtype="PCM_16") as file:
        for _ in range(seconds):
            file.write(block)
    path.write_bytes(with_flac_length(path.read_bytes(), 0))
    return path
