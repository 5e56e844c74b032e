"""The one pass over a file that every descriptor shares.

Samples come in blocks and leave as small things: sums, mel bands, statistics, outlines. Nothing the size of the file is
kept, so a long file takes little more memory than a short one.
"""

import numpy as np
import numpy.typing as npt

from sample_agent.engine.level.clipping import Clipping, ClippingMeter
from sample_agent.engine.level.loudness import Loudness, LoudnessMeter
from sample_agent.engine.level.peaks import PeakMeter
from sample_agent.engine.level.stereo import ChannelMeter, MonoCompatibility
from sample_agent.engine.level.waveform import Waveform, WaveformMeter
from sample_agent.engine.native import address, kernel
from sample_agent.engine.signal.cells import CellMeter, Cells, cell_size, joined
from sample_agent.engine.signal.frames import Floats, frame_size
from sample_agent.engine.signal.thinning import DENSE_SECONDS
from sample_agent.engine.signal.tonal import TonalFrames, TonalMeter
from sample_agent.engine.timbre.short_frames import ShortFrames
from sample_agent.engine.timbre.spectral import FrameStatistics, Spectral
from sample_agent.engine.timbre.spectrogram import Spectrogram

EXCERPT_SECONDS = 900.0
"""What belongs to a moment (frames, cells) is kept for this long; averages cover the whole file."""

HEAD_SAMPLES = 1 << 21
"""How much of the downmix itself is kept: 47 seconds at 44.1 kHz."""

_CANCELLED = 10 ** (-60 / 10)
"""Channels whose mean has no more than this share of their power cancel each other out."""

# 2048 samples at 44.1 kHz.
_SHORT_SECONDS = 0.0464


class Listening:
    """Takes the samples of one file and hands them to every meter.

    Args:
        sample_rate: in Hz.
        channels: how many.
        every_frame: have `statistics` for each frame; otherwise they thin out after three seconds.

    Attributes:
        frames: samples per channel so far.
        duration: in seconds.

    Attributes after `finish`, those of moments for the first `EXCERPT_SECONDS` only:
        mel: float32, shape (frames, 40), power in mel bands of frames of 2048 samples at 44.1 kHz and of equal length
            at other rates; frame `i` is centred on `i / mel_rate` seconds.
        mel_rate: frames per second.
        statistics: descriptors of the same frames.
        tonal: long frames for pitch.
        cells: the downmix in cells of 1.5 ms.
        head: float32, shape (samples,), the downmix itself, at most `HEAD_SAMPLES` of it.
        head_start: the sample that it begins with: 0, unless there is silence for as long and sound behind it.
        spectral, loudness, clipping, dc_offset, mono_compatibility, spectrogram: of the whole file.
        waveform: its outline, as fine as it is kept; see `Waveform.at`.
        has_signal: whether any sample is not zero.
        cancels: whether channels cancel each other out somewhere; what is called downmix here is one of them there.
    """

    def __init__(self, sample_rate: int, channels: int, *, every_frame: bool = False) -> None:
        short = frame_size(_SHORT_SECONDS, sample_rate)
        hop = short // 4
        self.sample_rate, self.channels = sample_rate, channels
        self.frames = 0
        self.mel_rate = sample_rate / hop
        self.cell_rate = sample_rate / cell_size(short)
        # Whole cells, blocks of the filter and hops, at every sample rate.
        self._unit = 1 << 16
        self._held = np.zeros((0, channels), np.float32)
        dense = 2**62 if every_frame else round(DENSE_SECONDS * self.mel_rate)
        self._short = ShortFrames(sample_rate, short, hop, most=int(EXCERPT_SECONDS * self.mel_rate), dense=dense)
        self._tonal = TonalMeter(sample_rate, EXCERPT_SECONDS)
        self._cells = CellMeter(cell_size(short))
        self._loudness = LoudnessMeter(sample_rate, channels)
        self._peaks = PeakMeter(sample_rate, channels)
        self._clipping = ClippingMeter(channels)
        self._channels = ChannelMeter(channels)
        self._waveform = WaveformMeter()
        self._cell_pieces: list[Cells] = []
        self._most_cells = int(EXCERPT_SECONDS * self.cell_rate)
        self._head: list[Floats] = []
        self._head_samples = 0
        self.head_start = 0
        self._head_is_silent = True
        self._taken = 0
        self._crossings = 0
        self.cancels = False

    @property
    def duration(self) -> float:
        """Length so far, in seconds."""
        return self.frames / self.sample_rate

    def feed(self, block: Floats) -> None:
        """Take the next samples: float32, shape (frames, channels)."""
        self.frames += len(block)
        if len(self._held):
            block = np.concatenate((self._held, block))
        whole = len(block) // self._unit * self._unit
        self._held = block[whole:]
        if whole:
            self._take(block[:whole])

    def finish(self) -> None:
        """Work off what is held back and sum up. Call once, after at least one sample."""
        self._take(self._held, last=True)
        self.mel: Floats
        self.statistics: FrameStatistics
        self.spectral: Spectral
        self.spectrogram: Spectrogram
        self.mel, self.statistics, self.spectral, self.spectrogram = self._short.finish(self._crossings / self.frames)
        self.head: Floats = self._head[0] if len(self._head) == 1 else np.concatenate(self._head)
        self.cells: Cells = joined(self._cell_pieces)
        self.tonal: TonalFrames = self._tonal.finish()
        self.clipping: Clipping = self._clipping.finish()
        self.dc_offset = self._channels.dc_offset()
        self.mono_compatibility: MonoCompatibility | None = self._channels.mono_compatibility()
        self.waveform: Waveform = (
            Waveform(self.head, self.head) if self.frames == len(self.head) else self._waveform.finish()
        )
        self.loudness = Loudness(
            self._loudness.integrated(), _decibels(self._peaks.true_peak), _decibels(self._peaks.sample_peak)
        )
        self.has_signal = self._peaks.sample_peak > 0

    def outline_peak(self) -> Floats:
        """Largest absolute sample of the downmix over equal stretches of the whole file, as fine as they are known."""
        if self.cells.covers(self.frames):
            return self.cells.peak
        return np.maximum(self.waveform.maximum, -self.waveform.minimum)

    def _take(self, block: Floats, *, last: bool = False) -> None:
        """Whole cells of samples; anything else, and maybe nothing, at the end of the file."""
        channels, mono = self._taken_apart(block)
        if len(mono):
            self._loudness.feed(channels)
            self._take_cells(mono)
        self._clipping.feed(channels, self._peaks.feed(channels, last=last))
        self._short.feed(mono, last=last)
        self._tonal.feed(mono, last=last)
        self._take_head(mono)
        self._taken += len(mono)

    def _take_head(self, mono: Floats) -> None:
        if self._head_samples >= HEAD_SAMPLES and self._head_is_silent and len(mono) and float(np.abs(mono).max()) > 0:
            self._head, self._head_samples, self.head_start = [], 0, self._taken
        if self._head_samples < HEAD_SAMPLES:
            self._head.append(mono[: HEAD_SAMPLES - self._head_samples])
            self._head_samples += len(self._head[-1])
            self._head_is_silent = self._head_is_silent and not self._head[-1].any()

    def _taken_apart(self, block: Floats) -> tuple[Floats, Floats]:
        """The channels, shape (channels, samples), and their mean, or one of them where it has cancelled out."""
        if (loaded := kernel()) is None or not len(block):
            channels = np.ascontiguousarray(block.T)
            mono = _mean(channels)
            self._channels.feed(channels)
            return channels, self._mixed(channels, mono, np.vecdot(channels, channels), float(mono @ mono))
        block = np.ascontiguousarray(block)
        channels = np.empty(block.shape[::-1], np.float32)
        mono = np.empty(len(block), np.float32)
        sums, powers, others = np.empty(len(channels)), np.empty(len(channels)), np.empty(2)
        results = (address(array) for array in (channels, mono, sums, powers, others))
        loaded.take_apart(address(block), *block.shape, *results)
        mean_power, product = others.tolist()
        self._channels.collect(len(mono), sums, powers, product)
        return channels, self._mixed(channels, mono, powers, mean_power)

    def _mixed(self, channels: Floats, mono: Floats, powers: npt.NDArray[np.floating], mean_power: float) -> Floats:
        if len(channels) == 1 or not len(mono):
            return mono
        loudest = float(powers.max())
        if mean_power >= _CANCELLED * loudest:
            return mono
        self.cancels = True
        # The first that is about as loud as any, so that all blocks of a file take the same one.
        one: Floats = channels[int((powers > loudest / 4).argmax())]
        return one

    def _take_cells(self, mono: Floats) -> None:
        missing = -len(mono) % self._cells.size
        if missing:
            # Repeating the last sample adds neither an extreme nor a crossing.
            mono = np.concatenate((mono, np.full(missing, mono[-1])))
        cells = self._cells.measure(mono, self.cell_rate)
        self._crossings += self._cells.crossed
        self._waveform.feed(cells.minimum, cells.maximum)
        if self._most_cells > 0:
            self._cell_pieces.append(cells)
            self._most_cells -= len(cells.minimum)


def _mean(channels: Floats) -> Floats:
    if len(channels) == 2:
        # Four times as fast as mean(axis=0).
        mono: Floats = channels[0] + channels[1]
        mono *= np.float32(0.5)
    else:
        mono = channels.mean(axis=0) if len(channels) > 2 else channels[0]
    return mono


def _decibels(amplitude: float) -> float | None:
    return float(20 * np.log10(amplitude)) if amplitude > 0 else None
