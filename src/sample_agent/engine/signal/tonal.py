"""Long frames for pitch: fine in frequency, only as high as pitch is told apart."""

from dataclasses import dataclass

import numpy as np

from sample_agent.engine.native import address, checked, kernel
from sample_agent.engine.signal.decimation import Decimator, decimation_factor
from sample_agent.engine.signal.frames import Floats, FrameStream, frame_size, power_spectrum, transform

# 16384 samples at 44.1 kHz.
_SECONDS = 0.3715


@dataclass(frozen=True, eq=False)
class TonalFrames:
    """Power spectra of overlapping frames of about 0.37 s of the decimated downmix.

    Attributes:
        power: float32, shape (frames, bins); a full-scale sine peaks at 1.0. True up to three quarters of the highest
            frequency, above 4 kHz at common sample rates.
        width_hz: distance of two bins: 2.69 Hz at 44.1 kHz.
        rate: frames per second; frame `i` is centred on `i / rate` seconds.
    """

    power: Floats
    width_hz: float
    rate: float


class TonalMeter:
    """Makes long frames of a mono signal that arrives in blocks, for its first `seconds`."""

    def __init__(self, sample_rate: int, seconds: float) -> None:
        factor = decimation_factor(sample_rate)
        size = frame_size(_SECONDS, sample_rate) // factor
        self._rate = sample_rate / factor
        self._decimator = Decimator(factor)
        self._stream = FrameStream(size, size // 2)
        self._most = max(1, int(seconds * self._rate / (size // 2)))
        self._power: list[Floats] = []
        self._frames = 0

    def feed(self, mono: Floats, *, last: bool = False) -> None:
        """Take the next samples, shape (samples,)."""
        if self._frames >= self._most:
            return
        decimated = self._decimator.feed(mono, last=last)
        if loaded := kernel():
            samples, count = self._stream.cut(decimated, last=last)
            power = np.empty((count, self._stream.size // 2 + 1), np.float32)
            tables = transform(self._stream.size)
            checked(loaded.power_frames(tables, address(samples), self._stream.hop, count, address(power)))
            self._power.append(power)
            self._frames += count
            return
        for frames in self._stream.feed(decimated, last=last):
            self._power.append(power_spectrum(frames))
            self._frames += len(frames)

    def finish(self) -> TonalFrames:
        """All frames, once the last samples are in."""
        size = self._stream.size
        power = self._power[0] if len(self._power) == 1 else np.concatenate(self._power)
        return TonalFrames(power, self._rate / size, self._rate / (size // 2))
