"""The short frames of a file: mel bands, statistics and spectrogram from one transform of each."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import Filters, address, checked, kernel
from sample_agent.engine.signal.frames import BATCH, Floats, FrameStream, magnitude_spectrum, transform
from sample_agent.engine.signal.mel import BANDS, mel_bands, mel_filters
from sample_agent.engine.signal.thinning import SPARSE_STEP, Thinning
from sample_agent.engine.timbre.contrast import contrast_bands
from sample_agent.engine.timbre.spectral import COLUMNS, FrameStatistics, Spectral, SpectralMeter
from sample_agent.engine.timbre.spectrogram import ROWS, Spectrogram, SpectrogramMeter, row_filters

_GATHERED = 256


class ShortFrames:
    """Frames of a mono signal that arrives in blocks.

    Args:
        sample_rate: in Hz.
        size, hop: of the frames, in samples.
        most: how many frames to keep mel bands and statistics of.
        dense: how many frames to describe one by one; of later ones, one in eight.
    """

    def __init__(self, sample_rate: int, size: int, hop: int, *, most: int, dense: int) -> None:
        self._sample_rate = sample_rate
        self._stream = FrameStream(size, hop)
        self._most, self._dense = most, dense
        self._spectral = SpectralMeter(sample_rate, most)
        self._spectrogram = SpectrogramMeter(sample_rate)
        self._thinning = Thinning(dense)
        self._mel: list[Floats] = []
        self._kept = self._frames = 0
        self._waiting: list[tuple[Floats, Floats]] = []
        self._first_waiting = 0

    def feed(self, mono: Floats, *, last: bool = False) -> None:
        """Take the next samples, shape (samples,)."""
        if kernel() is None:
            self._take_arrays(mono, last=last)
        else:
            self._take_natively(*self._stream.cut(mono, last=last))

    def finish(self, zero_crossing_rate: float) -> tuple[Floats, FrameStatistics, Spectral, Spectrogram]:
        """What was heard, once the last samples are in.

        Returns:
            Power in mel bands, float32, shape (frames, 40), and the statistics of what was kept; averages and picture
            of all.
        """
        for batch in self._thinning.finish():
            self._spectral.feed(batch)
        self._flush()
        mel = self._mel[0] if len(self._mel) == 1 else np.concatenate(self._mel)
        spectral = self._spectral.average(zero_crossing_rate)
        return mel, self._spectral.statistics(), spectral, self._spectrogram.finish()

    def _take_arrays(self, mono: Floats, *, last: bool) -> None:
        for frames in self._stream.feed(mono, last=last):
            magnitude = magnitude_spectrum(frames)
            power = magnitude * magnitude
            mel = mel_bands(power, self._sample_rate)
            self._keep(mel)
            self._spectrogram.feed(power)
            for batch in self._thinning.feed(magnitude, power, mel):
                self._spectral.feed(batch)

    def _take_natively(self, samples: Floats, count: int) -> None:
        for start in range(0, count, BATCH):
            self._take_batch(samples[start * self._stream.hop :], min(BATCH, count - start))

    def _take_batch(self, samples: Floats, count: int) -> None:
        """At most `BATCH` frames, after whose like the picture's step may change."""
        first, step = self._frames, self._spectrogram.step
        self._frames += count
        dense = min(max(self._dense - first, 0), count)
        mel = np.empty((count, BANDS), np.float32)
        # The picture looks at every frame at first, and later at the frames that are described, too.
        picture = np.empty((count, ROWS), np.float32) if step < SPARSE_STEP or dense else None
        described = np.empty((dense, COLUMNS), np.float32)
        if dense:
            self._run(samples, 1, dense, mel, picture, described)
            self._spectral.collect(first, 1, described, mel[:dense])
        if dense < count:
            rest = samples[dense * self._stream.hop :]
            self._run(rest, 1, count - dense, mel[dense:], None if picture is None else picture[dense:], None)
        self._keep(mel)
        start = dense + -(first + dense) % SPARSE_STEP
        sparse = len(range(start, count, SPARSE_STEP))
        if sparse:
            described = np.empty((sparse, COLUMNS), np.float32)
            rows = np.empty((sparse, ROWS), np.float32) if picture is None else None
            self._run(samples[start * self._stream.hop :], SPARSE_STEP, sparse, None, rows, described)
            self._wait(first + start, described, mel[start::SPARSE_STEP])
            if rows is not None:
                self._spectrogram.collect(rows)
        if picture is not None:
            chosen = picture[-first % step :: step]
            if len(chosen):
                self._spectrogram.collect(chosen)

    def _run(
        self, samples: Floats, step: int, count: int, mel: Floats | None, rows: Floats | None, described: Floats | None
    ) -> None:
        tables = _tables(self._stream.size, self._sample_rate)
        hop = step * self._stream.hop
        outputs = address(mel), address(rows), address(described)
        checked(_short_frames()(*tables, address(samples), hop, count, *outputs))

    def _keep(self, mel: Floats) -> None:
        if self._kept < self._most:
            self._mel.append(mel)
            self._kept += len(mel)

    def _wait(self, first: int, described: Floats, mel: Floats) -> None:
        if not self._waiting:
            self._first_waiting = first
        self._waiting.append((described, mel))
        if len(self._waiting) * BATCH // SPARSE_STEP >= _GATHERED:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            described, mel = (np.concatenate(arrays) for arrays in zip(*self._waiting, strict=True))
            self._spectral.collect(self._first_waiting, SPARSE_STEP, described, mel)
            self._waiting = []


def _short_frames() -> Any:
    loaded = kernel()
    return loaded.short_frames if loaded else None


@cache
def _tables(size: int, sample_rate: int) -> tuple[Any, ...]:
    """What the kernel knows of frames of this size: transform, filters, bands of contrast, highest frequency."""
    mel, rows, bands = _described(size, sample_rate)
    return transform(size), mel.struct, rows.struct, address(bands), sample_rate / 2


@cache
def _described(size: int, sample_rate: int) -> tuple[Filters, Filters, npt.NDArray[np.int32]]:
    bins = size // 2 + 1
    bands = np.array(contrast_bands(bins, sample_rate), np.int32)
    return Filters(mel_filters(bins, sample_rate)), Filters(row_filters(bins, sample_rate)), bands
