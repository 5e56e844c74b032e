"""An audio file while it is read: what every decoder gives, and what is said of damage."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sample_agent.engine.decoding.sniff import AudioFormat
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
            AudioError: "too-long" past `max_seconds`, "empty-audio" when there is nothing, "corrupt-audio" when the
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
            promised = self.claimed_frames or self.warnings
            raise corrupt(self.format) if promised else AudioError("empty-audio", "The file holds no audio.")
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


def too_long(max_seconds: float) -> AudioError:
    return AudioError("too-long", f"The audio is longer than {_spoken_duration(max_seconds)}, the most we take.")


def corrupt(audio_format: AudioFormat) -> AudioError:
    return AudioError(
        "corrupt-audio",
        f"The file starts like {audio_format.upper()} but cannot be decoded: it is damaged or incomplete.",
    )


def cut(blocks: Iterator[Block], skip: int, length: int = sys.maxsize) -> Iterator[Block]:
    """`length` frames after the first `skip`, or all that come."""
    for block in blocks:
        start = min(skip, len(block))
        kept = block[start : start + length]
        skip -= start
        length -= len(kept)
        if len(kept):
            yield kept
        if length <= 0:
            return


def _spoken_duration(seconds: float) -> str:
    if seconds >= 7200:
        return f"{seconds / 3600:.0f} hours"
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
