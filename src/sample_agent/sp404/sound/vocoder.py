"""Stretching a circle of sound: copies of its attacks, and a phase vocoder for what rings between them.

A loop is a circle: what comes before its first frame is its last one, here as on the unit, so the seam stays clean.

The sound is split in three bands, and each is cut at its own attacks. An attack is copied as it is to where it belongs
in the new tempo; what rings between two attacks is stretched by a phase vocoder that starts in phase with the copy
before it. So a hi-hat stays sharp without breaking the bass below it, and a drum loop comes out as if cut into slices.

Sources: M. Puckette, "Phase-locked vocoder" (WASPAA 1995), for the advance of phases from two spectra one hop apart;
J. Laroche, M. Dolson, "Improved phase vocoder time-scale modification of audio" (IEEE TSAP 7(3), 1999), for the bins
that turn with their peak; A. Röbel, "A new approach to transient processing in the phase vocoder" (DAFx 2003), for
beginning anew at attacks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft, rfftfreq

from sample_agent.sp404.formats.wav import SAMPLE_RATE

_Sound = NDArray[np.float32]
_Spectra = NDArray[np.complex64]


def stretched(sound: _Sound, frames: int) -> _Sound:
    """A loop, float32[frames, channels] at 48 kHz, in exactly `frames` frames."""
    result = np.zeros((frames, sound.shape[1]), dtype=np.float32)
    marks = _find_attacks(sound, 240, 480)
    for band in _BANDS:
        part = _filtered(sound, band)
        if np.abs(part).max() > 0:
            _stretch_band(part, band, marks, result)
    return result


@dataclass(frozen=True)
class _Band:
    """`low` and `high` are in Hz, everything else in frames.

    window: of the phase vocoder. look: how far before and after a point levels are compared to find an attack.
    kept: how much of a sound is copied from its attack on. fade: from a stretched part to the next copy.
    """

    low: float
    high: float
    window: int
    look: int
    kept: int
    fade: int


_BANDS = (
    _Band(0, 180, window=4096, look=960, kept=2400, fade=480),
    _Band(180, 3500, window=4096, look=480, kept=1440, fade=240),
    _Band(3500, SAMPLE_RATE, window=2048, look=240, kept=960, fade=96),
)
_CROSSOVER = 0.25
_CELL = 32
_RISE = 4.0
_AUDIBLE = 1e-4
_SOFT_FADE = 1920
_OVERLAP = 8
_AT_ONCE = 64


@dataclass(frozen=True)
class _Cut:
    """A frame of the loop that is put where it belongs exactly; `lead` frames before it are copied, too.

    `sharp` when a sound starts there, which must not be heard before.
    """

    frame: int
    lead: int
    fade: int
    sharp: bool


def _filtered(sound: _Sound, band: _Band) -> _Sound:
    """One band of the loop. The bands have linear phase, and their sum is the sound."""
    spectrum = rfft(sound, axis=0)
    hertz: NDArray[np.float64] = rfftfreq(len(sound), 1 / SAMPLE_RATE)
    spectrum *= (_above(hertz, band.low) - _above(hertz, band.high))[:, np.newaxis].astype(np.float32)
    part: _Sound = irfft(spectrum, len(sound), axis=0)
    return part


def _above(hertz: NDArray[np.float64], edge: float) -> NDArray[np.float64]:
    """From 0 to 1 over half an octave around `edge`."""
    if edge == 0:
        return np.ones_like(hertz)
    octaves = np.log2(np.maximum(hertz, 1e-3) / edge)
    return 0.5 + 0.5 * np.sin(np.pi / 2 * np.clip(octaves / _CROSSOVER, -1, 1))


def _stretch_band(sound: _Sound, band: _Band, marks: list[int], result: _Sound) -> None:
    """Add the stretched band to `result`. `marks` are the attacks of the whole sound: sharper, so placed better."""
    ratio = len(result) / len(sound)
    cuts = _find_cuts(sound, band, marks, ratio)
    circle = [*cuts, replace(cuts[0], frame=cuts[0].frame + len(sound))]
    strips = [_strip(sound, cut, following, band, ratio) for cut, following in pairwise(circle)]
    for index, (cut, strip) in enumerate(zip(cuts, strips, strict=True)):
        # The start of each strip is mixed with the end of the one before; in a circle the first has one, too.
        _mix(strips[index - 1][-cut.fade :], strip[: cut.fade])
    for cut, following, strip in zip(cuts, [*cuts[1:], circle[-1]], strips, strict=True):
        places = np.arange(len(strip) - following.fade) + round(cut.frame * ratio) - cut.lead
        result[places % len(result)] += strip[: len(places)]


def _strip(sound: _Sound, cut: _Cut, following: _Cut, band: _Band, ratio: float) -> _Sound:
    """From the lead of a cut to where the lead of the following one has faded in: a copy, then what is stretched."""
    length = round(following.frame * ratio) - following.lead - round(cut.frame * ratio) + cut.lead + following.fade
    begin, end = cut.frame - cut.lead, following.frame - following.lead
    kept = min(cut.lead + band.kept, end - begin, length)
    if kept == length:
        return _around(sound, begin, length)
    strip = np.empty((length, sound.shape[1]), dtype=np.float32)
    strip[:kept] = _around(sound, begin, kept)
    joint = min(band.fade, kept)
    start = begin + kept - joint
    window = band.window
    while window > 256 and window > end - start:
        window //= 2
    # Windows that touch an attack would let it be heard too early.
    last = end - window // 2 if following.sharp else end
    rate = (end - start) / max(1, length - following.fade - kept + joint)
    rest = _vocoded(sound, start, last, length - kept + joint, rate, band, window)
    fade = np.linspace(0, 1, joint, dtype=np.float32)[:, np.newaxis]
    strip[kept - joint : kept] += fade * (rest[:joint] - strip[kept - joint : kept])
    strip[kept:] = rest[joint:]
    return strip


def _mix(before: _Sound, start: _Sound) -> None:
    """Fade from `before` to `start`, in place, as loud in the middle as at the ends whether they are alike or not."""
    fade = np.linspace(0, 1, len(start), dtype=np.float32)[:, np.newaxis]
    energies = float(np.vdot(before, before)) * float(np.vdot(start, start))
    alike = float(np.vdot(before, start)) / energies**0.5 if energies > 0 else 1.0
    loss = np.sqrt((1 - fade) ** 2 + fade**2 + 2 * fade * (1 - fade) * max(alike, -0.5))
    start[:] = ((1 - fade) * before + fade * start) / loss


def _around(sound: _Sound, start: int, count: int) -> _Sound:
    return sound.take(np.arange(start, start + count), axis=0, mode="wrap")


def _vocoded(sound: _Sound, begin: int, end: int, length: int, rate: float, band: _Band, window_frames: int) -> _Sound:
    """`length` frames of what lies from `begin` on, played at `rate` and held at `end`; starts in phase with it."""
    bins = _bins(band, window_frames)
    half, hop = window_frames // 2, window_frames // _OVERLAP
    window = np.hanning(window_frames + 1)[:-1].astype(np.float32)
    count = -(-(length + half) // hop)
    centres = np.minimum(np.rint(begin + np.arange(count) * (hop * rate)).astype(np.int64), max(begin, end))
    result = np.zeros((sound.shape[1], count * hop + window_frames), dtype=np.float32)
    weight = np.full(result.shape[1], 1e-9, dtype=np.float32)
    previous: _Spectra | None = None
    position = 0
    for start in range(0, count, _AT_ONCE):
        some = centres[start : start + _AT_ONCE] - half
        now, ago = _spectra(sound, some, window), _spectra(sound, some - hop, window)
        now[:, :, : bins.start], now[:, :, bins.stop :] = 0, 0
        for index in range(len(some)):
            if previous is not None:
                now[index, :, bins] = _turned(previous, ago[index, :, bins], now[index, :, bins])
            previous = now[index, :, bins]
        for piece in irfft(now, window_frames) * window:
            result[:, position : position + window_frames] += piece
            weight[position : position + window_frames] += np.square(window)
            position += hop
    return (result[:, half : half + length] / weight[half : half + length]).T


def _bins(band: _Band, window_frames: int) -> slice:
    """The bins that hold something of a band, and the lobes around it."""
    per_hertz = window_frames / SAMPLE_RATE
    low, high = band.low * 2**-_CROSSOVER * per_hertz, band.high * 2**_CROSSOVER * per_hertz
    return slice(max(0, int(low) - 4), min(window_frames // 2 + 1, int(high) + 6))


def _spectra(sound: _Sound, starts: NDArray[np.int64], window: _Sound) -> _Spectra:
    """complex64[starts, channels, bins]"""
    first = int(starts.min())
    part = np.ascontiguousarray(_around(sound, first, int(starts.max()) - first + len(window)).T)
    pieces = sliding_window_view(part, len(window), axis=1)[:, starts - first]
    spectra: _Spectra = rfft(pieces.swapaxes(0, 1) * window)
    return spectra


def _turned(previous: _Spectra, ago: _Spectra, now: _Spectra) -> _Spectra:
    """`now` with its phases continuing those of `previous`, as it continues `ago` in the original; [channels, bins].

    All bins around a peak turn together, and so do the channels.
    """
    magnitude = np.abs(now).sum(axis=0)
    inner = magnitude[1:-1]
    peaks = np.flatnonzero((inner > magnitude[:-2]) & (inner >= magnitude[2:])) + 1
    if len(peaks) == 0:
        return now
    turn = (previous[:, peaks] * ago[:, peaks].conj()).sum(axis=0)
    turn /= np.maximum(np.abs(turn), 1e-30)
    edges = np.empty(len(peaks) + 1, dtype=np.intp)
    edges[0], edges[-1] = 0, len(magnitude)
    edges[1:-1] = (peaks[:-1] + peaks[1:] + 1) // 2
    turned: _Spectra = now * np.repeat(turn, edges[1:] - edges[:-1])
    return turned


def _find_cuts(sound: _Sound, band: _Band, marks: list[int], ratio: float) -> list[_Cut]:
    """The attacks of a band in order, and the start of the loop when there is none near it."""
    lead = 2 * band.fade
    apart = max(2 * band.look, round(2 * (lead + band.fade) / min(1.0, ratio)))
    attacks = sorted(
        {_nearest(frame, marks, band.look, len(sound)) for frame in _find_attacks(sound, band.look, apart)}
    )
    cuts = [_Cut(frame, lead, band.fade, sharp=True) for frame in attacks]
    room = min([len(sound), *attacks, *(len(sound) - frame for frame in attacks)])
    if cuts and room < apart:
        return cuts
    soft = max(1, min(_SOFT_FADE, int(room * min(1.0, ratio)) // 4))
    return [_Cut(0, soft, soft, sharp=False), *cuts]


def _nearest(frame: int, marks: list[int], reach: int, around: int) -> int:
    """The mark nearest to a frame of a circle, or the frame itself when there is none within `reach`."""
    distances = [(min(abs(frame - mark), around - abs(frame - mark)), mark) for mark in marks]
    distance, mark = min(distances, default=(reach + 1, frame))
    return mark if distance <= reach else frame


def _find_attacks(sound: _Sound, frames: int, apart: int) -> list[int]:
    """Where the next `frames` hold four times the energy of the last; the clearest of them, `apart` from each other."""
    count = len(sound) // _CELL
    look = frames // _CELL
    if count < 4 * look:
        return []
    energy = np.square(sound[: count * _CELL]).reshape(count, -1).sum(axis=1, dtype=np.float64)
    around = np.concatenate([energy[-look:], energy, energy[:look]])
    sums = np.concatenate([[0.0], np.cumsum(around)])
    before = sums[look : look + count] - sums[:count]
    after = sums[2 * look : 2 * look + count] - sums[look : look + count]
    floor = _AUDIBLE * after.max() + 1e-30
    rise = after / (before + floor)
    rise[after < 10 * floor] = 0
    free = rise >= _RISE
    attacks: list[int] = []
    for cell in np.argsort(-rise, kind="stable"):
        if rise[cell] < _RISE:
            break
        if free[cell]:
            attacks.append(int(cell) * _CELL)
            reach = apart // _CELL
            free[np.arange(cell - reach, cell + reach + 1) % count] = False
    return sorted(attacks)
