"""Drum hits made of sines and noise."""

from __future__ import annotations

import numpy as np

from tests.sounds import RATE


def _noise(seconds: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=int(seconds * RATE))


def _high(sound: np.ndarray, lowest: float) -> np.ndarray:
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    return np.fft.irfft(spectrum * np.clip((hertz / lowest) ** 2, 0, 1), len(sound))


def _full(sound: np.ndarray) -> np.ndarray:
    return (0.9 * sound / np.abs(sound).max()).astype(np.float32)


def kick(base: float = 50.0, seconds: float = 0.4) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(base * (1 + 3 * np.exp(-time / 0.02))) / RATE
    return _full(np.sin(phase) * np.exp(-time * 9))


def snare(seed: int = 0) -> np.ndarray:
    time = np.arange(int(0.3 * RATE)) / RATE
    tone = np.sin(2 * np.pi * 190 * time) * np.exp(-time * 25)
    return _full(0.6 * tone + 0.4 * _high(_noise(0.3, seed), 1500)[: len(time)] * np.exp(-time * 18))


def closed_hat(seed: int = 0) -> np.ndarray:
    time = np.arange(int(0.12 * RATE)) / RATE
    return _full(_high(_noise(0.12, seed), 8000)[: len(time)] * np.exp(-time * 60))


def cymbal(seed: int = 0) -> np.ndarray:
    time = np.arange(int(2.5 * RATE)) / RATE
    return _full(_high(_noise(2.5, seed), 3000)[: len(time)] * np.exp(-time * 1.8))
