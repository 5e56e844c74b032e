"""What happens in a sound over time: how many hits, how regular, how much comes back, how long it lasts."""

import numpy as np
import numpy.typing as npt

from sample_agent.engine.sound.descriptors.heard import Heard, Numbers

RHYTHM = 20
"""How many numbers `describe_rhythm` gives."""

_EARLY_SECONDS = 0.1
_LOW_GROUPS = 5
"""Groups of mel bands up to 1 kHz."""
_GAP_SECONDS = 0.05
_LEAST_RISE = 0.15
_SHORTEST_PERIOD, _LONGEST_PERIOD = 0.12, 2.0


def describe_rhythm(heard: Heard) -> Numbers:
    """Hits and their course.

    Rises are `heard.flux`, all groups together, beside the strongest; levels are the amplitudes of frames beside the
    loudest.

    Returns:
        Shape (20,), float64:

        - 2: octaves of one more than the onsets, and than the onsets per second, over 4 (15 are 1).
        - 2: median of the seconds between two onsets, and their standard deviation over their mean; 0 without.
        - 4: share of the rises in the first 0.1 s; the strongest after that, 0 to 1; their mean over all, 0 to 1; the
          share of the lows in those after 0.1 s.
        - 3: `_period`: how long, how much, and how much of the lows comes back.
        - 1: likeness of the second half to the first, -1 to 1.
        - 2: octaves of the seconds of the clip, and of what is heard, over 4.
        - 6: `_course_of_level`.

        Onsets are rises of at least 0.15, the highest within 50 ms (S. Dixon, "Onset detection revisited", DAFx 2006).
    """
    total = heard.flux.sum(axis=1)
    strongest = max(float(total.max()), 1e-9)
    relative = total / strongest
    onsets = _onsets(relative, heard.rate)
    seconds = len(relative) / heard.rate
    gaps = np.diff(onsets) / heard.rate
    early = max(1, round(_EARLY_SECONDS * heard.rate))
    low = heard.flux[:, :_LOW_GROUPS]
    return np.array(
        [
            np.log2(1 + len(onsets)) / 4,
            np.log2(1 + len(onsets) / max(seconds, 0.1)) / 4,
            _median(gaps),
            float(gaps.std() / gaps.mean()) if len(gaps) > 1 else 0.0,
            float(total[:early].sum() / total.sum()) if total.sum() > 0 else 1.0,
            float(relative[early:].max(initial=0.0)),
            float(relative.mean()),
            float((low[early:].sum() + 1e-3) / (heard.flux[early:].sum() + 1e-2)),
            *_period(total, low.sum(axis=1), heard.rate),
            _likeness_of_halves(heard.decibels),
            np.log2(max(heard.duration, 0.02)) / 4,
            np.log2(max(seconds, 0.02)) / 4,
            *_course_of_level(heard),
        ]
    )


def _onsets(relative: Numbers, rate: float) -> npt.NDArray[np.intp]:
    """Frames that rise clearly, and more than any within 50 ms: row numbers, rising."""
    gap = max(1, round(_GAP_SECONDS * rate))
    padded = np.zeros(len(relative) + 2 * gap)
    padded[gap:-gap] = relative
    highest = relative
    for shift in range(2 * gap + 1):
        highest = np.maximum(highest, padded[shift : shift + len(relative)])
    return np.flatnonzero((relative >= highest) & (relative > _LEAST_RISE))


def _median(values: Numbers) -> float:
    """Of no values 0."""
    ordered = sorted(values.tolist())
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2 if ordered else 0.0


def _period(total: Numbers, low: Numbers, rate: float) -> tuple[float, float, float]:
    """Lag and height of the highest autocorrelation between 0.12 and 2 s, and the height of that of the low bands.

    The lag in octaves of a second over 4, -0.76 to 0.25; heights from -1 to 1, without the mean; zeros for what is too
    short. After the beats of G. Tzanetakis and P. Cook, "Musical genre classification of audio signals" (IEEE Trans.
    Speech and Audio Processing, 2002).
    """
    first, last = round(_SHORTEST_PERIOD * rate), min(round(_LONGEST_PERIOD * rate), len(total) * 2 // 3)
    if last <= first + 2:
        return 0.0, 0.0, 0.0
    both = _autocorrelation(np.stack((total, low)))[:, first:last]
    lag = int(both[0].argmax()) + first
    return float(np.log2(lag / rate)) / 4, float(both[0].max()), float(both[1].max())


def _autocorrelation(values: Numbers) -> Numbers:
    """Of each row without its mean, 1 at a lag of 0: the same shape (rows, lags)."""
    from sample_agent.engine.signal.transforms import fast_length, irfft, rfft

    length = values.shape[1]
    values = values - values.mean(axis=1, keepdims=True)
    size = fast_length(2 * length)
    spectrum = rfft(values, size)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    correlation = irfft(power, size)[:, :length]
    return np.asarray(correlation / np.maximum(correlation[:, :1], 1e-12))


def _likeness_of_halves(level: Numbers) -> float:
    """Correlation of the first and the second half of the bands' levels, each band without its mean, -1 to 1."""
    half = len(level) // 2
    if half <= 8:
        return 0.0
    first, second = level[:half], level[half : 2 * half]
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    scale = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return float((first * second).sum() / scale) if scale > 1e-9 else 0.0


def _course_of_level(heard: Heard) -> tuple[float, ...]:
    """Six numbers, 0 to 1: how much of it sounds and how evenly.

    Shares of the frames with a level above 0.03 and above 0.3; mean level of the last tenth and of all; the middle of
    the level, from start (0) to end (1); how far the mean of the bands' levels strays over time (standard deviation).
    """
    level = heard.weights / heard.weights.max()
    tenth = max(1, len(level) // 10)
    return (
        float((level > 0.03).mean()),
        float((level > 0.3).mean()),
        float(level[-tenth:].mean()),
        float(level.mean()),
        float((np.arange(len(level)) @ level) / level.sum() / len(level)),
        float(heard.decibels.mean(axis=1).std()),
    )
