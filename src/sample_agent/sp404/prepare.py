"""Turn any sound into what the SP-404MK2 plays: 16-bit PCM at 48 kHz, mono or stereo."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from sample_agent.sp404.wav import SAMPLE_RATE

MAX_FRAMES = 46_126_464
"""The longest sample seen in a unit's own recording: 16 minutes in stereo. Taken for mono as well."""

MIN_FRAMES = SAMPLE_RATE // 10
"""The unit refuses samples that are too short; 100 ms is known to be enough."""

_FULL_SCALE = 32_768.0
_LOUDEST = 32_766.0 / _FULL_SCALE
_ABSURD = 65_536.0
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
    """Convert `samples`, float[frames, channels] or float[frames] with full scale at ±1, for the unit.

    Resampled once (soxr, very high quality); more than two channels are folded to stereo, mono stays mono.
    What is 16-bit at 48 kHz already comes out bit for bit; everything else is rounded with TPDF dither
    of ±1 LSB, seeded from the content so that the same sound always gives the same bytes (Lipshitz,
    Wannamaker, Vanderkooy: "Quantization and Dither", JAES 40(5), 1992). Digital silence stays silent.
    A sound that would clip is turned down as a whole. NaN, infinity and values beyond any sound become silence.

    Raises `NothingToPrepareError` for an empty array, ValueError for one that is no sound.
    """
    sound, sample_rate = _checked(samples, sample_rate)
    source_frames, source_channels = sound.shape
    longest = -(-MAX_FRAMES * sample_rate // SAMPLE_RATE)
    truncated = source_frames > longest
    sound, repaired = _repaired(sound[:longest])
    seed = _seed(sound, sample_rate)

    if source_channels > 2:
        sound = _folded(sound)
    if sample_rate != SAMPLE_RATE:
        sound = soxr.resample(sound, sample_rate, SAMPLE_RATE, quality="VHQ")[:MAX_FRAMES]
    gain = _gain(sound)
    dithered = gain != 1.0 or not _is_sixteen_bit(sound)
    pcm = _quantised(sound, gain, np.random.PCG64(seed) if dithered else None)

    padding = max(0, MIN_FRAMES - len(pcm))
    if padding:
        pcm = np.concatenate([pcm, np.zeros((padding, pcm.shape[1]), dtype=np.int16)])
    report = Preparation(
        source_rate=sample_rate,
        source_channels=source_channels,
        source_frames=source_frames,
        channels=pcm.shape[1],
        frames=len(pcm),
        resampled=sample_rate != SAMPLE_RATE,
        folded=source_channels > 2,
        dithered=dithered,
        gain_db=round(20 * math.log10(gain), 3),
        padded_frames=padding,
        truncated=truncated,
        repaired_values=repaired,
    )
    return Prepared(pcm, report)


def _checked(samples: NDArray[np.floating], sample_rate: int) -> tuple[NDArray[np.float32], int]:
    if not np.issubdtype(samples.dtype, np.floating):
        raise ValueError("Samples have to be floating point with full scale at 1.")
    if not 1_000 <= sample_rate <= 768_000:
        raise ValueError(f"{sample_rate} Hz is not a sample rate this can convert.")
    sound = samples[:, np.newaxis] if samples.ndim == 1 else samples
    if sound.ndim != 2:
        raise ValueError("Samples have to be an array of [frames, channels].")
    if sound.size == 0:
        raise NothingToPrepareError("The sound is empty.")
    return np.ascontiguousarray(sound, dtype=np.float32), int(sample_rate)


def _repaired(sound: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    # The extremes are NaN when anything is.
    if sound.min() >= -_ABSURD and sound.max() <= _ABSURD:
        return sound, 0
    sane = np.abs(sound) <= _ABSURD
    return np.where(sane, sound, np.float32(0)), sound.size - int(np.count_nonzero(sane))


def _seed(sound: NDArray[np.float32], sample_rate: int) -> int:
    digest = hashlib.blake2b(f"{sample_rate} {sound.shape[1]}".encode(), digest_size=16)
    digest.update(sound.astype("<f4", copy=False).data)
    return int.from_bytes(digest.digest(), "big")


def _folded(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    channels = sound.shape[1]
    if channels in _LEFT_WEIGHTS:
        left = np.array(_LEFT_WEIGHTS[channels], dtype=np.float32)
        right = left[list(_PAIRS[channels])]
    else:
        # No agreed layout: odd channels left, even ones right.
        left = (np.arange(channels) % 2 == 0).astype(np.float32)
        right = 1 - left
        left, right = left / left.sum(), right / right.sum()
    return np.ascontiguousarray(sound @ np.stack([left, right], axis=1))


def _gain(sound: NDArray[np.float32]) -> float:
    peak = max(float(sound.max(initial=0)), -float(sound.min(initial=0)))
    return _LOUDEST / peak if peak > 1.0 else 1.0


def _is_sixteen_bit(sound: NDArray[np.float32]) -> bool:
    for start in range(0, len(sound), _CHUNK_FRAMES):
        steps = sound[start : start + _CHUNK_FRAMES] * np.float32(_FULL_SCALE)
        if not np.array_equal(steps, np.rint(steps)) or float(steps.max()) > 32_767:
            return False
    return True


def _quantised(sound: NDArray[np.float32], gain: float, noise: np.random.PCG64 | None) -> NDArray[np.int16]:
    pcm = np.empty(sound.shape, dtype=np.int16)
    for start in range(0, len(sound), _CHUNK_FRAMES):
        chunk = sound[start : start + _CHUNK_FRAMES].astype(np.float64)
        steps = chunk * (gain * _FULL_SCALE)
        if noise is not None:
            steps += np.where(chunk == 0, 0.0, _triangular(noise, chunk.shape))
        pcm[start : start + _CHUNK_FRAMES] = np.clip(np.rint(steps), -32_768, 32_767)
    return pcm


def _triangular(noise: np.random.PCG64, shape: tuple[int, ...]) -> NDArray[np.float64]:
    # The raw stream is what NumPy promises never to change; two uniform halves of a word make a triangle.
    words = noise.random_raw(math.prod(shape)).reshape(shape)
    high, low = words >> np.uint64(32), words & np.uint64(0xFFFFFFFF)
    return (high.astype(np.float64) - low.astype(np.float64)) / 2.0**32
