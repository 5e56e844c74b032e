"""Audio files in, float samples out: one front door, by content.

Nothing a header says is trusted: audio is decoded block by block and counted as it comes, so that neither a header
that claims ten hours nor a small file that unpacks into gigabytes takes more memory than the caller allows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from sample_agent.engine.decoding.sniff import SNIFF_BYTES, AudioFormat, sniff_format
from sample_agent.engine.decoding.stream import (
    MAX_BYTES,
    MAX_CHANNELS,
    MAX_SAMPLE_RATE,
    MAX_SECONDS,
    MIN_SAMPLE_RATE,
    AudioStream,
    too_long,
)
from sample_agent.engine.errors import AudioError


@dataclass(frozen=True)
class Audio:
    """A decoded file.

    Attributes:
        samples: float32, shape (frames, channels), full scale at 1.0.
        sample_rate: in Hz.
        format: what the file was.
        warnings: what was wrong with it, in words for its owner.
    """

    samples: npt.NDArray[np.float32]
    sample_rate: int
    format: AudioFormat
    warnings: tuple[str, ...] = ()


@contextmanager
def open_audio(path: str | Path, *, max_seconds: float = MAX_SECONDS) -> Iterator[AudioStream]:
    """Open an audio file of any supported format, told by its content.

    Raises:
        AudioError: "file-not-found", "empty-audio", "unsupported-format", "corrupt-audio" or "too-long".
    """
    with _open_file(Path(path)) as file:
        head = file.read(SNIFF_BYTES)
        if not head:
            raise AudioError("empty-audio", "The file is empty (0 bytes).")
        audio_format = sniff_format(head)
        if audio_format is None:
            raise AudioError(
                "unsupported-format",
                "This is not an audio file we can read. WAV, AIFF, FLAC, MP3, OGG, Opus and M4A work.",
            )
        stream = _open_stream(file, head, audio_format, max_seconds)
        _check(stream)
        yield stream


def decode(path: str | Path, *, max_seconds: float = MAX_SECONDS, max_bytes: int = MAX_BYTES) -> Audio:
    """Decode a whole file into memory.

    Args:
        path: the file.
        max_seconds: longest audio accepted.
        max_bytes: largest result accepted (four bytes for each sample of each channel).

    Raises:
        AudioError: as `open_audio`; "too-long" also when the result would exceed `max_bytes`.
    """
    with open_audio(path, max_seconds=max_seconds) as stream:
        blocks, size = [], 0
        for block in stream.blocks():
            size += block.nbytes
            if size > max_bytes:
                raise AudioError("too-long", f"The file unpacks to more than {max_bytes // 2**20} MB of audio.")
            blocks.append(block)
        samples = np.concatenate(blocks)
        return Audio(samples, stream.sample_rate, stream.format, tuple(stream.warnings))


def _open_file(path: Path) -> BinaryIO:
    try:
        if not path.is_file():
            raise AudioError("file-not-found", f"There is no file {path.name!r}.")
        # Unbuffered: decoders read from the descriptor, whose position must be the real one.
        return path.open("rb", buffering=0)
    except OSError as error:
        raise AudioError("file-not-found", f"The file cannot be opened: {error.strerror}.") from error


def _open_stream(file: BinaryIO, head: bytes, audio_format: AudioFormat, max_seconds: float) -> AudioStream:
    if audio_format == "m4a":
        # Only M4A needs the AAC machinery; everything else starts faster without it.
        from sample_agent.engine.decoding.aac import open_m4a

        return open_m4a(file, max_seconds=max_seconds)
    from sample_agent.engine.decoding.sndfile import open_sndfile

    return open_sndfile(file, head, audio_format, max_seconds)


def _check(stream: AudioStream) -> None:
    if not MIN_SAMPLE_RATE <= stream.sample_rate <= MAX_SAMPLE_RATE:
        raise AudioError(
            "unsupported-format",
            f"The sample rate is {stream.sample_rate} Hz; rates from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz work.",
        )
    if not 1 <= stream.channels <= MAX_CHANNELS:
        raise AudioError("unsupported-format", f"The file has {stream.channels} channels; up to {MAX_CHANNELS} work.")
    if stream.claimed_frames is not None and stream.claimed_frames > stream.max_seconds * stream.sample_rate:
        raise too_long(stream.max_seconds)
