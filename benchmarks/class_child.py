"""Vectors of one peer for many files: a list of paths as JSON on stdin, a line for each on stdout, as they are found.

python benchmarks/class_child.py mfcc|librosa|sonara|essentia|aubio|aisfx

A line is a list of numbers, an object of lists by name, or null for a file that the peer fails on.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable

import numpy as np

Vector = Callable[[str], np.ndarray | dict[str, np.ndarray]]
"""What describes a file: numbers in a row, or by name where a file may lack some."""


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


def essentia_set() -> Vector:
    """Means and deviations of what Freesound describes its sounds by, and what it says once for a sound."""
    import essentia
    from essentia.standard import FreesoundExtractor

    essentia.log.infoActive = essentia.log.warningActive = False

    def vector(path: str) -> dict[str, np.ndarray]:
        pool = FreesoundExtractor()(path)[0]
        named = [name for name in pool.descriptorNames() if name.startswith(("lowlevel.", "sfx.", "tonal.", "rhythm."))]
        told = [name for name in named if name.endswith((".mean", ".stdev")) or isinstance(pool[name], float)]
        return {name: np.ravel(pool[name]) for name in told}

    return vector


def aubio_set() -> Vector:
    """Means and deviations of its MFCC and spectral descriptors, and its onsets."""
    import aubio

    shapes = ("centroid", "spread", "skewness", "kurtosis", "slope", "decrease", "rolloff", "energy", "hfc", "specflux")

    def vector(path: str) -> np.ndarray:
        source = aubio.source(path, 0, 512)
        vocoder, cepstrum = aubio.pvoc(2048, 512), aubio.mfcc(2048, 40, 20, source.samplerate)
        measures = [aubio.specdesc(shape, 2048) for shape in shapes]
        onset = aubio.onset("default", 2048, 512, source.samplerate)
        rows, onsets, frames, read = [], 0, 0, 512
        while read == 512:
            samples, read = source()
            grain = vocoder(samples)
            rows.append(np.concatenate((cepstrum(grain), *(measure(grain) for measure in measures))))
            onsets += int(bool(onset(samples)))
            frames += read
        means, deviations = np.mean(rows, axis=0), np.std(rows, axis=0)
        return np.concatenate((means, deviations, [np.log1p(onsets), frames / source.samplerate]))

    return vector


def aisfx() -> Vector:
    """A. B. Ma and A. Lerch, "Representation learning for the automatic indexing of sound effects libraries" (2022):
    the mean of its vectors for pieces of two seconds."""
    # The package's own weights, of a time when torch read them without being told to.
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
    import essentia
    from aisfx import inference
    from aisfx.preprocessing import spectrogram_normalize
    from aisfx.spectrogram.spectrogram_essentia import compute_spectrogram

    essentia.log.infoActive = False
    model = inference.load_bestModel(*inference.load_weights("cpu"), "cpu")

    def vector(path: str) -> np.ndarray:
        spectrum = compute_spectrogram(
            filename=path, sr=inference.SAMPLE_RATE, block_size=inference.SPEC_BLOCK_LENGTH,
            hop_size=inference.SPEC_HOP_LENGTH, n_mels=inference.MEL_BINS, f_min=inference.F_MIN, f_max=inference.F_MAX,
        )  # fmt: skip
        # It wants more than a hop of one second.
        spectrum = np.pad(spectrum, ((0, max(0, 60 - len(spectrum))), (0, 0)))
        blocks = inference.model_get_embedding(spectrogram_normalize(spectrum), 0.5, False, model, "cpu")
        return np.asarray(blocks).mean(axis=0)

    return vector


PEERS = {
    "mfcc": mfcc,
    "librosa": librosa_set,
    "sonara": sonara,
    "essentia": essentia_set,
    "aubio": aubio_set,
    "aisfx": aisfx,
}


def main() -> None:
    # What a peer prints goes to stderr, whichever language it prints from.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    paths = json.load(sys.stdin)
    vector = PEERS[sys.argv[1]]()
    for path in paths:
        try:
            found = plain(vector(path))
        except Exception as error:
            print(f"{sys.argv[1]}: {path}: {error}", file=sys.stderr)
            found = None
        print(json.dumps(found), file=answers)


def plain(vector: np.ndarray | dict[str, np.ndarray]) -> list[float] | dict[str, list[float]]:
    """As JSON has it; 0 for what is no number."""
    if isinstance(vector, dict):
        return {name: plain(part) for name, part in vector.items()}
    return np.nan_to_num(vector, posinf=0, neginf=0).tolist()


if __name__ == "__main__":
    main()
