"""What happens to a sound on its way from pack to pack: played at other speeds, filtered, driven, cut, encoded."""

from __future__ import annotations

import io

import numpy as np
import scipy.fft
import soundfile

from training.drum_machine import RATE, Random, Samples


def worn(sound: Samples, random: Random, *, cut: bool = True) -> Samples:
    """The sound after a few such things, by chance.

    Args:
        sound: mono at 44.1 kHz.
        random: where chance comes from.
        cut: whether the end may be cut off (the length of a loop says what it is).
    """
    sound = np.asarray(sound, np.float32)
    if random.random() < 0.6:
        sound = _speed(sound, 2 ** (random.normal(0, 2.0) / 12))
    if random.random() < 0.5:
        sound = _filtered(sound, random)
    if random.random() < 0.2:
        sound = np.tanh(sound / max(float(np.abs(sound).max()), 1e-6) * random.uniform(1, 5))
    if random.random() < 0.25:
        sound = _room(sound, random)
    if cut and random.random() < 0.3:
        length = max(int(0.03 * RATE), int(len(sound) * random.uniform(0.45, 1)))
        sound = sound[:length].copy()
        fade = min(length // 4, int(random.uniform(0.002, 0.05) * RATE)) + 1
        sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    if random.random() < 0.2:
        sound = sound[int(random.uniform(0, 0.004) * RATE) :]
    elif random.random() < 0.25:
        sound = np.pad(sound, (int(random.uniform(0, 0.06) * RATE), int(random.uniform(0, 0.3) * RATE)))
    if random.random() < 0.2:
        peak = float(np.abs(sound).max())
        sound = sound + random.normal(scale=peak * 10 ** random.uniform(-3.6, -2.5), size=len(sound)).astype(np.float32)
    if random.random() < 0.12:
        sound = lossy(sound, random.uniform(0.1, 0.9))
    return np.asarray(sound, np.float32)


def lossy(sound: Samples, compression: float, kind: str = "MP3", rate: int = RATE) -> Samples:
    """Through a lossy encoder and back; `compression` from 0 (320 kbit/s) towards 1 (the least)."""
    encoded = io.BytesIO()
    scale = 0.9 / max(float(np.abs(sound).max()), 1e-9)
    subtype = {"MP3": "MPEG_LAYER_III", "OGG": "VORBIS"}[kind]
    soundfile.write(encoded, sound * scale, rate, format=kind, subtype=subtype, compression_level=compression)
    encoded.seek(0)
    decoded, _ = soundfile.read(encoded, dtype="float32")
    return np.asarray(decoded / scale, np.float32)


def _speed(sound: Samples, factor: float) -> Samples:
    places = np.arange(0, len(sound) - 1, factor)
    return np.interp(places, np.arange(len(sound)), sound).astype(np.float32)


def _filtered(sound: Samples, random: Random) -> Samples:
    """A tilt, a bump, and at times no highs."""
    length = scipy.fft.next_fast_len(len(sound) + 2048, real=True)
    spectrum = scipy.fft.rfft(sound, length)
    octaves = np.log2(np.maximum(np.arange(len(spectrum)) * RATE / length, 20) / 1000)
    gain = random.normal(0, 1.2) * octaves
    gain += random.normal(0, 4) * np.exp(-np.square((octaves - random.uniform(-4, 4)) / random.uniform(0.3, 1.2)))
    if random.random() < 0.4:
        corner = np.log2(random.uniform(4000, 16_000) / 1000)
        gain -= np.maximum(octaves - corner, 0) * 40
    if random.random() < 0.15:
        gain -= np.maximum(np.log2(random.uniform(30, 200) / 1000) - octaves, 0) * 20
    return scipy.fft.irfft(spectrum * 10 ** (np.clip(gain, -60, 18) / 20), length)[: len(sound)].astype(np.float32)


def _room(sound: Samples, random: Random) -> Samples:
    seconds = random.uniform(0.1, 1.5)
    tail = random.normal(size=int(seconds * RATE)) * np.exp(-6.9 * np.arange(int(seconds * RATE)) / RATE / seconds)
    length = len(sound) + len(tail)
    size = scipy.fft.next_fast_len(length, real=True)
    wet = scipy.fft.irfft(scipy.fft.rfft(sound, size) * scipy.fft.rfft(tail, size), size)[:length]
    dry = np.pad(sound, (0, length - len(sound)))
    level = random.uniform(0.02, 0.25) * np.abs(sound).max() / max(float(np.abs(wet).max()), 1e-9)
    mixed = dry + wet * level
    heard = np.flatnonzero(np.abs(mixed) > 1e-3 * np.abs(mixed).max())
    return mixed[: heard[-1] + 1 if len(heard) else length].astype(np.float32)
