"""Where the energy of a sound lies: its mean spectrum, the moments of it, and finer stretches at the bottom."""

import numpy as np

from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.signal.mel import BANDS
from sample_agent.engine.sound.descriptors.heard import Heard, Numbers, decibels

SPECTRUM = 59
"""How many numbers `describe_spectrum` gives."""

_BAND_NUMBERS = np.arange(float(BANDS))
_ROLLOFFS = np.array((0.05, 0.25, 0.5, 0.75, 0.95))
_LOW_HZ = (25.0, 45.0, 60.0, 80.0, 105.0, 140.0, 190.0, 260.0, 400.0, 600.0)


def describe_spectrum(heard: Heard) -> Numbers:
    """The mean spectrum.

    Returns:
        Shape (59,), float64:

        - 40: mean power in each mel band, on the scale of `decibels` below the loudest band.
        - 5: middle and spread of the mean amplitudes over the bands, as shares of all bands; their skewness, 0 when
          even; spread and mean of the middles of single frames, louder ones counting for more, as shares of all bands.
        - 5: the share of the bands, counted from the lowest, below which 5, 25, 50, 75 and 95 % of the energy lie.
        - 9: energy between 25, 45, 60, 80, 105, 140, 190, 260, 400 and 600 Hz, where mel bands are wider than what
          tells a kick from a tom, on the scale of `decibels` below all energy up to 4.4 kHz.

        Moments as in G. Peeters, "A large set of audio features for sound description" (IRCAM, 2004), on bands.
    """
    mean = heard.power.mean(axis=0)
    amplitude = np.sqrt(mean)
    amplitude /= amplitude.sum()
    bands = _BAND_NUMBERS
    centre = float(amplitude @ bands)
    spread = float(np.sqrt(amplitude @ (bands - centre) ** 2))
    skew = float(amplitude @ (bands - centre) ** 3) / max(spread, 0.1) ** 3
    roots = np.sqrt(heard.power)
    centres = roots @ bands / np.maximum(roots.sum(axis=1), 1e-12)
    mean_centre = heard.weights @ centres
    centre_spread = float(np.sqrt(heard.weights @ (centres - mean_centre) ** 2))
    moments = [centre / BANDS, spread / BANDS, skew, centre_spread / BANDS, float(mean_centre) / BANDS]
    rolloffs = np.searchsorted(np.cumsum(mean) / mean.sum(), _ROLLOFFS) / BANDS
    low = decibels(_shares(heard.spectrum, heard.bin_hz, _LOW_HZ))
    return np.concatenate((decibels(mean / mean.max()), moments, rolloffs, low))


def _shares(power: Floats, bin_hz: float, edges: tuple[float, ...]) -> Numbers:
    """Energy between each two frequencies, as a share of the whole."""
    cumulative = np.cumsum(power, dtype=np.float64)
    at = np.interp(np.array(edges) / bin_hz - 0.5, np.arange(len(cumulative)), cumulative)
    parts = np.maximum(np.diff(at), 0)
    return np.asarray(parts / max(float(cumulative[-1]), 1e-20))
