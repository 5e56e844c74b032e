"""Turn any sound into what the SP-404MK2 plays: 16-bit PCM at 48 kHz, mono or stereo.

The sound passes through block by block, twice: to learn how loud it gets, then to be rounded. Memory stays the
same however long it is.
"""

from __future__ import annotations

import hashlib
import io
import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np
import soxr
from numpy.typing import NDArray

from sample_agent.sp404.wav import SAMPLE_RATE, read_wav, wav_header

MAX_FRAMES = 46_126_464
"""The longest sample seen in a unit's own recording: 16 minutes in stereo. Taken for mono as well."""

MIN_FRAMES = SAMPLE_RATE // 10
"""The unit refuses samples that are too short; 100 ms is known to be enough."""

_FULL_SCALE = 32_768.0
_LOUDEST = 32_766.0 / _FULL_SCALE
_ABSURD = 65_536.0
_SCRATCH_IN_MEMORY = 32 * 1024 * 1024
_CHUNK_FRAMES = 1 << 18
_HALF_POWER = math.sqrt(0.5)

# What the left side hears of each channel, by number of channels in WAV order (FL FR FC LFE BL BR SL SR); the
# right side is its mirror. Rec. ITU-R BS.775: centre and surrounds 3 dB down, no LFE.
_LEFT_WEIGHTS: dict[int, tuple[float, ...]] = {
    3: (1, 0, _HALF_POWER),
    4: (1, 0, _HALF_POWER, 0),
    5: (1, 0, _HALF_POWER, _HALF_POWER, 0),
    6: (1, 0, _HALF_POWER, 0, _HALF_POWER, 0),
    8: (1, 0, _HALF_POWER, 0, _HALF_POWER, 0, _HALF_POWER, 0),
}
_PAIRS: dict[int, tuple[int, ...]] = {
    3: (1, 0, 2),
    4: (1, 0, 3, 2),
    5: (1, 0, 2, 4, 3),
    6: (1, 0, 2, 3, 5, 4),
    8: (1, 0, 2, 3, 5, 4, 7, 6),
}


class NothingToPrepareError(ValueError):
    """The sound has no samples at all."""


@dataclass(frozen=True)
class Preparation:
    """What was done to a sound. `gain_db` is 0 or negative; it is never made louder."""

    source_rate: int
    source_channels: int
    source_frames: int
    channels: int
    frames: int
    resampled: bool
    folded: bool
    dithered: bool
    gain_db: float
    padded_frames: int
    truncated: bool
    repaired_values: int


@dataclass(frozen=True)
class Prepared:
    """`pcm` is int16[frames, channels] at 48 kHz."""

    pcm: NDArray[np.int16]
    report: Preparation


def prepare(samples: NDArray[np.floating], sample_rate: int) -> Prepared:
    """`write_prepared` for a sound in memory: float[frames, channels], or float[frames] for mono."""
    sound = samples[:, np.newaxis] if samples.ndim == 1 else samples
    file = io.BytesIO()
    blocks = (sound[start : start + _CHUNK_FRAMES] for start in range(0, len(sound), _CHUNK_FRAMES))
    report = write_prepared(file, blocks, sample_rate)
    return Prepared(read_wav(file.getvalue()), report)


def write_prepared(
    file: BinaryIO,
    blocks: Iterable[NDArray[np.floating]],
    sample_rate: int,
    *,
    scratch_dir: Path | None = None,
) -> Preparation:
    """Write a sound that comes in `blocks`, float[frames, channels] with full scale at ±1, as a WAV for the unit.

    Resampled once (soxr, very high quality); more than two channels are folded to stereo, mono stays mono.
    What is 16-bit at 48 kHz already comes out bit for bit; everything else is rounded with TPDF dither
    of ±1 LSB, seeded from the content so that the same sound always gives the same bytes (Lipshitz,
    Wannamaker, Vanderkooy: "Quantization and Dither", JAES 40(5), 1992). Digital silence stays silent.
    A sound that would clip is turned down as a whole. NaN, infinity and values beyond any sound become silence.
    What is too short is padded with silence; what is too long is cut, and no block behind the cut is asked for.

    A long sound lies in an unnamed file in `scratch_dir` (the system's folder by default) meanwhile.
    Raises `NothingToPrepareError` when nothing comes, ValueError for blocks that are no sound.
    """
    if not 1_000 <= sample_rate <= 768_000:
        raise ValueError(f"{sample_rate} Hz is not a sample rate this can convert.")
    folder = None if scratch_dir is None else str(scratch_dir)
    with tempfile.SpooledTemporaryFile(_SCRATCH_IN_MEMORY, dir=folder) as scratch:
        intake = _Intake(sample_rate)
        for sound in intake.converted(blocks):
            scratch.write(sound.tobytes())
        scratch.seek(0)
        gain = _LOUDEST / intake.peak if intake.peak > 1.0 else 1.0
        dithered = gain != 1.0 or not intake.sixteen_bit
        padding = max(0, MIN_FRAMES - intake.frames)
        file.write(wav_header(intake.channels, intake.frames + padding))
        file.writelines(_quantised(scratch, intake, gain, dithered))
        file.write(bytes(padding * intake.channels * 2))
    return Preparation(
        source_rate=sample_rate,
        source_channels=intake.source_channels,
        source_frames=intake.source_frames,
        channels=intake.channels,
        frames=intake.frames + padding,
        resampled=sample_rate != SAMPLE_RATE,
        folded=intake.source_channels > 2,
        dithered=dithered,
        gain_db=round(20 * math.log10(gain), 3),
        padded_frames=padding,
        truncated=intake.truncated,
        repaired_values=intake.repaired_values,
    )


class _Intake:
    """What is learned of a sound while it is brought to 48 kHz and at most two channels."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.source_channels = 0
        self.source_frames = 0
        self.channels = 0
        self.frames = 0
        self.peak = 0.0
        self.sixteen_bit = True
        self.truncated = False
        self.repaired_values = 0
        self._digest = hashlib.blake2b(str(sample_rate).encode(), digest_size=16)

    @property
    def seed(self) -> int:
        """A number that only this sound has."""
        return int.from_bytes(self._digest.digest(), "big")

    def converted(self, blocks: Iterable[NDArray[np.floating]]) -> Iterator[NDArray[np.float32]]:
        longest = -(-MAX_FRAMES * self.sample_rate // SAMPLE_RATE)
        resampler: soxr.ResampleStream | None = None
        for block in blocks:
            if self.source_frames + len(block) > longest:
                self.truncated = True
                block = block[: longest - self.source_frames]  # noqa: PLW2901 (the cut one is the one to use)
            sound = self._folded(self._repaired(self._checked(block)))
            if self.sample_rate != SAMPLE_RATE:
                resampler = resampler or soxr.ResampleStream(
                    self.sample_rate, SAMPLE_RATE, self.channels, dtype="float32", quality="VHQ"
                )
                sound = resampler.resample_chunk(sound)
            yield from self._measured(sound)
            if self.truncated:
                break
        if self.source_frames == 0:
            raise NothingToPrepareError("The sound is empty.")
        if resampler is not None:
            rest = np.empty((0, self.channels), dtype=np.float32)
            yield from self._measured(resampler.resample_chunk(rest, last=True))

    def _checked(self, block: NDArray[np.floating]) -> NDArray[np.float32]:
        if not np.issubdtype(block.dtype, np.floating):
            raise ValueError("Samples have to be floating point with full scale at 1.")
        if block.ndim != 2:
            raise ValueError("Samples have to be an array of [frames, channels].")
        if block.shape[1] == 0:
            raise NothingToPrepareError("The sound has no channels.")
        if self.source_channels not in (0, block.shape[1]):
            raise ValueError("The number of channels changes within the sound.")
        self.source_channels = block.shape[1]
        self.channels = min(2, self.source_channels)
        self.source_frames += len(block)
        return np.ascontiguousarray(block, dtype=np.float32)

    def _repaired(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        sane = np.abs(sound) <= _ABSURD
        if not sane.all():
            self.repaired_values += sound.size - int(np.count_nonzero(sane))
            sound = np.where(sane, sound, np.float32(0))
        self._digest.update(sound.astype("<f4", copy=False).data)
        return sound

    def _folded(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        return sound if self.source_channels <= 2 else np.ascontiguousarray(sound @ _weights(self.source_channels))

    def _measured(self, sound: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        sound = sound[: MAX_FRAMES - self.frames]
        if len(sound) == 0:
            return
        self.frames += len(sound)
        self.peak = max(self.peak, float(sound.max()), -float(sound.min()))
        if self.sixteen_bit:
            steps = sound * np.float32(_FULL_SCALE)
            self.sixteen_bit = np.array_equal(steps, np.rint(steps)) and float(steps.max()) <= 32_767
        yield sound


def _weights(channels: int) -> NDArray[np.float32]:
    """The matrix float32[channels, 2] that folds a sound to stereo."""
    if channels in _LEFT_WEIGHTS:
        left = np.array(_LEFT_WEIGHTS[channels], dtype=np.float32)
        right = left[list(_PAIRS[channels])]
    else:
        # No agreed layout: odd channels left, even ones right.
        left = (np.arange(channels) % 2 == 0).astype(np.float32)
        right = 1 - left
        left, right = left / left.sum(), right / right.sum()
    return np.stack([left, right], axis=1)


def _quantised(scratch: IO[bytes], intake: _Intake, gain: float, dithered: bool) -> Iterator[bytes]:
    noise = np.random.PCG64(intake.seed)
    while content := scratch.read(_CHUNK_FRAMES * intake.channels * 4):
        sound = np.frombuffer(content, dtype=np.float32).astype(np.float64)
        steps = sound * (gain * _FULL_SCALE)
        if dithered:
            steps += np.where(sound == 0, 0.0, _triangular(noise, len(sound)))
        yield np.clip(np.rint(steps), -32_768, 32_767).astype("<i2").tobytes()


def _triangular(noise: np.random.PCG64, count: int) -> NDArray[np.float64]:
    # The raw stream is what NumPy promises never to change; two uniform halves of a word make a triangle.
    words = noise.random_raw(count)
    high, low = words >> np.uint64(32), words & np.uint64(0xFFFFFFFF)
    return (high.astype(np.float64) - low.astype(np.float64)) / 2.0**32
