"""Vectors of one peer for many files: a list of paths as JSON on stdin, a list of vectors (or null) on stdout.

python benchmarks/class_child.py mfcc|librosa|sonara
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings
from collections.abc import Callable

import numpy as np

Vector = Callable[[str], np.ndarray]


def mfcc() -> Vector:
    """Means and deviations of 20 MFCC."""
    import librosa

    def vector(path: str) -> np.ndarray:
        samples, rate = librosa.load(path, sr=None)
        frames = librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=20)
        return np.concatenate((frames.mean(axis=1), frames.std(axis=1)))

    return vector


def librosa_set() -> Vector:
    """The descriptors that scripts with librosa take: 65 numbers."""
    import librosa

    def vector(path: str) -> np.ndarray:
        samples, rate = librosa.load(path, sr=22_050)
        spectrum = np.abs(librosa.stft(samples))
        power = librosa.feature.melspectrogram(S=spectrum**2, sr=rate)
        cepstrum = librosa.feature.mfcc(S=librosa.power_to_db(power), n_mfcc=20)
        shapes = [
            librosa.feature.spectral_centroid(S=spectrum, sr=rate),
            librosa.feature.spectral_bandwidth(S=spectrum, sr=rate),
            librosa.feature.spectral_rolloff(S=spectrum, sr=rate),
            librosa.feature.spectral_flatness(S=spectrum),
            librosa.feature.zero_crossing_rate(samples),
            librosa.feature.rms(S=spectrum),
        ]
        contrast = librosa.feature.spectral_contrast(S=spectrum, sr=rate).mean(axis=1)
        onsets = librosa.onset.onset_strength(S=librosa.power_to_db(power), sr=rate)
        return np.concatenate((
            cepstrum.mean(axis=1), cepstrum.std(axis=1),
            [value for shape in shapes for value in (shape.mean(), shape.std())],
            contrast,
            [onsets.mean(), onsets.std(), onsets.max(), len(samples) / rate],
            [np.argmax(spectrum.sum(axis=0)) / len(onsets)],
            [np.log1p(len(librosa.onset.onset_detect(onset_envelope=onsets, sr=rate)))],
        ))  # fmt: skip

    return vector


def sonara() -> Vector:
    import sonara

    return lambda path: np.array(sonara.analyze_file(path, features=["embedding"])["embedding"], float)


PEERS = {"mfcc": mfcc, "librosa": librosa_set, "sonara": sonara}


def main() -> None:
    warnings.simplefilter("ignore")
    vector = PEERS[sys.argv[1]]()
    vectors: list[list[float] | None] = []
    for path in json.load(sys.stdin):
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                vectors.append(np.nan_to_num(vector(path)).tolist())
        except Exception as error:
            print(f"{sys.argv[1]}: {path}: {error}", file=sys.stderr)
            vectors.append(None)
    json.dump(vectors, sys.stdout)


if __name__ == "__main__":
    main()
