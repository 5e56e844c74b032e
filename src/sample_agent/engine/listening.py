"""The one pass over a file that every descriptor shares.

Samples come in blocks and leave as small things: sums, histograms, mel bands, outlines. Nothing the size of the file
is kept, so a long file takes little more memory than a short one.
"""

from collections.abc import Iterable

import numpy as np

from sample_agent.engine.frames import Floats, FrameStream, downmix, frame_size, power_spectrum
from sample_agent.engine.key import PitchMeter
from sample_agent.engine.loudness import Loudness, LoudnessMeter
from sample_agent.engine.mel import mel_bands
from sample_agent.engine.peaks import PeakMeter
from sample_agent.engine.spectral import Spectral, SpectralMeter
from sample_agent.engine.waveform import Waveform, WaveformMeter

# 2048 and 16384 samples at 44.1 kHz.
_SHORT_SECONDS, _LONG_SECONDS = 0.0464, 0.3715


class Listening:
    """Takes the samples of one file and hands them to every meter.

    Attributes that grow: `frames` (samples per channel so far), `pitch`. The rest is there after `finish`:
    `mel` (frames, 40), `mel_rate` (frames per second), `spectral`, `loudness`, `waveform`, `has_signal`.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        short, long = frame_size(_SHORT_SECONDS, sample_rate), frame_size(_LONG_SECONDS, sample_rate)
        self.sample_rate, self.channels = sample_rate, channels
        self.frames = 0
        self.mel_rate = sample_rate / (short // 4)
        self.pitch = PitchMeter(sample_rate, long // 2 + 1)
        self._short, self._long = FrameStream(short, short // 4), FrameStream(long, long // 2)
        self._spectral = SpectralMeter(sample_rate, short // 2 + 1)
        self._loudness = LoudnessMeter(sample_rate, channels)
        self._peaks = PeakMeter(sample_rate, channels)
        self._waveform = WaveformMeter()
        self._mel: list[Floats] = []
        self._crossings = 0

    def feed(self, block: Floats) -> None:
        """Take the next samples: float32, shape (frames, channels)."""
        self.frames += len(block)
        mono = downmix(block)
        self._loudness.feed(block)
        self._peaks.feed(block)
        self._waveform.feed(mono)
        self._crossings += int(np.count_nonzero(np.diff(np.signbit(mono))))
        self._take_short(self._short.feed(mono))
        self._take_long(self._long.feed(mono))

    def finish(self) -> None:
        """Work off what is held back and sum up. Call once, after at least one sample."""
        self._take_short(self._short.finish())
        self._take_long(self._long.finish())
        self._peaks.finish()
        self.mel: Floats = np.concatenate(self._mel)
        self.waveform: Waveform = self._waveform.finish()
        self.spectral: Spectral = self._spectral.finish(self._crossings / self.frames)
        self.loudness = Loudness(
            self._loudness.integrated(), _decibels(self._peaks.true_peak), _decibels(self._peaks.sample_peak)
        )
        self.has_signal = self._peaks.sample_peak > 0

    def _take_short(self, batches: Iterable[Floats]) -> None:
        for frames in batches:
            power = power_spectrum(frames)
            mel = mel_bands(power, self.sample_rate)
            self._mel.append(mel)
            self._spectral.feed(power, mel)

    def _take_long(self, batches: Iterable[Floats]) -> None:
        for frames in batches:
            self.pitch.feed(power_spectrum(frames))


def _decibels(amplitude: float) -> float | None:
    return float(20 * np.log10(amplitude)) if amplitude > 0 else None
