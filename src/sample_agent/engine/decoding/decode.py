"""Audio files in, float samples out: one front door, by content.

Nothing a header says is trusted: audio is decoded block by block and counted as it comes, so that neither a header
that claims ten hours nor a small file that unpacks into gigabytes takes more memory than the caller allows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from sample_agent.engine.decoding.sniff import SNIFF_BYTES, AudioFormat, sniff_format
from sample_agent.engine.errors import AudioError

Block = npt.NDArray[np.float32]

BLOCK_FRAMES = 1 << 16
MAX_SECONDS = 4 * 3600.0
MAX_BYTES = 1 << 30
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 1000, 768_000
MAX_CHANNELS = 64

# A float file may go over full scale; beyond +36 dB it is not audio, and powers of it would overflow.
MAX_AMPLITUDE = 64.0
DAMAGED = "The file is damaged; what could be decoded was used."
UNFINISHED = "The file has no proper end: it is cut short, or was still being written."
# A header that is off by a few frames (resampled, padded to a codec's frame) is nothing to warn about.
_MISSING_SECONDS = 0.05


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


@dataclass
class AudioStream:
    """An open audio file, read once from its beginning to its end.

    Attributes:
        format, sample_rate, channels: what the file is.
        claimed_frames: length by its header, or None when it gives none. Never to be trusted.
        warnings: grows while blocks are read.
    """

    format: AudioFormat
    sample_rate: int
    channels: int
    claimed_frames: int | None
    source: Iterator[Block]
    max_seconds: float
    warnings: list[str] = field(default_factory=list)

    def blocks(self) -> Iterator[Block]:
        """The samples, as float32 arrays of shape (frames, channels), finite, at most `BLOCK_FRAMES` frames each.

        Raises:
            AudioError: "too-long" past `max_seconds`, "empty-audio" when nothing comes, "corrupt-audio" when the
                very first block cannot be decoded. Damage further on ends the audio with a warning.
        """
        frames, limit = 0, self.max_seconds * self.sample_rate
        try:
            for block in self.source:
                frames += len(block)
                if frames > limit:
                    raise too_long(self.max_seconds)
                if len(block):
                    yield self._finite(block)
        except DecodingFailed as error:
            if frames == 0:
                raise corrupt(self.format) from error
            self._warn(f"The file is damaged after {frames / self.sample_rate:.1f} seconds; the rest is missing.")
        if frames == 0:
            raise corrupt(self.format) if self.claimed_frames else AudioError("empty-audio", "The file holds no audio.")
        self._warn_if_short(frames)

    def _finite(self, block: Block) -> Block:
        peak = max(float(block.max()), -float(block.min()))  # NaN when there is any
        if peak <= MAX_AMPLITUDE:
            return block
        self._warn("The file holds samples that are no numbers or far over full scale; they were silenced or limited.")
        return np.clip(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0), -MAX_AMPLITUDE, MAX_AMPLITUDE)

    def _warn_if_short(self, frames: int) -> None:
        missing = ((self.claimed_frames or 0) - frames) / self.sample_rate
        if missing > _MISSING_SECONDS and not self.warnings:
            self._warn(f"The file is cut short: {missing:.1f} seconds of what its header promises are missing.")

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


class DecodingFailed(Exception):
    """A decoder gave up on the data in front of it."""


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


def too_long(max_seconds: float) -> AudioError:
    return AudioError("too-long", f"The audio is longer than {_spoken_duration(max_seconds)}, the most we take.")


def corrupt(audio_format: AudioFormat) -> AudioError:
    return AudioError(
        "corrupt-audio",
        f"The file starts like {audio_format.upper()} but cannot be decoded: it is damaged or incomplete.",
    )


def _spoken_duration(seconds: float) -> str:
    if seconds >= 7200:
        return f"{seconds / 3600:.0f} hours"
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


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
        raise AudioError("corrupt-audio", f"The file claims a sample rate of {stream.sample_rate} Hz.")
    if not 1 <= stream.channels <= MAX_CHANNELS:
        raise AudioError("unsupported-format", f"The file has {stream.channels} channels; up to {MAX_CHANNELS} work.")
    if stream.claimed_frames is not None and stream.claimed_frames > stream.max_seconds * stream.sample_rate:
        raise too_long(stream.max_seconds)
