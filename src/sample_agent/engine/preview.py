"""A copy of a file that every browser plays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sample_agent.engine.decoding.decode import open_audio
from sample_agent.engine.decoding.stream import MAX_SECONDS, AudioStream, Block
from sample_agent.engine.signal.frames import downmix

if TYPE_CHECKING:
    import soundfile

LOSSLESS_SECONDS = 60.0
"""Up to this length a preview is FLAC, whose ends meet without a gap; beyond, MP3."""

_MAX_SAMPLE_RATE = 48_000
_MP3_SAMPLE_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True)
class PreviewInfo:
    """What was written: `content_type` is "audio/flac" or "audio/mpeg"; `duration` in seconds."""

    content_type: str
    duration: float
    sample_rate: int
    channels: int


def render_preview(path: str | Path, destination: str | Path, *, max_seconds: float = MAX_SECONDS) -> PreviewInfo:
    """Write a preview of `path` to `destination`: FLAC of 16 bits up to a minute, MP3 above.

    Mono and stereo keep their channels, more become mono; sample rates above 48 kHz come down. Reads and writes block
    by block. Leaves no file behind when it fails.

    Raises:
        AudioError: the file cannot be decoded; see `open_audio`.
    """
    destination = Path(destination)
    try:
        with open_audio(path, max_seconds=max_seconds) as stream:
            return _render(stream, destination)
    except BaseException:
        destination.unlink(missing_ok=True)
        raise


def _render(stream: AudioStream, destination: Path) -> PreviewInfo:
    # The length decides the format and is known only at the end: the first minute waits in memory.
    blocks, held, frames = stream.blocks(), [], 0
    for block in blocks:
        held.append(block)
        frames += len(block)
        if frames > LOSSLESS_SECONDS * stream.sample_rate:
            break
    lossless = frames <= LOSSLESS_SECONDS * stream.sample_rate
    rate = _target_rate(stream.sample_rate, lossless=lossless)
    channels = stream.channels if stream.channels <= 2 else 1
    written = 0
    with _writer(destination, rate, channels, lossless=lossless) as sound:
        for block in _resampled(_chained(held, blocks), stream.sample_rate, rate, channels):
            # FLAC of integers would wrap around above full scale.
            sound.write(np.clip(block, -1.0, 1.0))
            written += len(block)
    return PreviewInfo("audio/flac" if lossless else "audio/mpeg", written / rate, rate, channels)


def _target_rate(sample_rate: int, *, lossless: bool) -> int:
    if lossless:
        return min(sample_rate, _MAX_SAMPLE_RATE)
    return next((rate for rate in _MP3_SAMPLE_RATES if rate >= sample_rate), _MAX_SAMPLE_RATE)


@contextmanager
def _writer(destination: Path, rate: int, channels: int, *, lossless: bool) -> "Iterator[soundfile.SoundFile]":
    import soundfile

    kind = {"format": "FLAC", "subtype": "PCM_16"} if lossless else {"format": "MP3", "subtype": "MPEG_LAYER_III"}
    level = {} if lossless else {"bitrate_mode": "VARIABLE", "compression_level": 0.3}
    with (
        destination.open("wb+") as file,
        soundfile.SoundFile(file, "w", samplerate=rate, channels=channels, **kind, **level) as sound,
    ):
        yield sound


def _chained(held: list[Block], rest: Iterator[Block]) -> Iterator[Block]:
    while held:
        yield held.pop(0)
    yield from rest


def _resampled(blocks: Iterator[Block], source_rate: int, rate: int, channels: int) -> Iterator[Block]:
    folded = (block if block.shape[1] == channels else downmix(block)[:, None] for block in blocks)
    if source_rate == rate:
        yield from folded
        return
    import soxr

    resampler = soxr.ResampleStream(source_rate, rate, channels, dtype="float32")
    for block in folded:
        yield resampler.resample_chunk(np.ascontiguousarray(block))
    yield resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True)
