"""Run by `tempo_accuracy` in the peers' environment: the tempo each peer gives for the files on standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable

Tempo = Callable[[str], float]


def librosa_beats() -> Tempo:
    import librosa
    import numpy as np

    def tempo(path: str) -> float:
        samples, rate = librosa.load(path)
        return float(np.atleast_1d(librosa.beat.beat_track(y=samples, sr=rate)[0])[0])

    return tempo


def librosa_tempo() -> Tempo:
    import librosa

    def tempo(path: str) -> float:
        samples, rate = librosa.load(path)
        return float(librosa.feature.tempo(y=samples, sr=rate)[0])

    return tempo


def essentia_degara() -> Tempo:
    from essentia.standard import MonoLoader, RhythmExtractor2013

    extractor = RhythmExtractor2013(method="degara")
    return lambda path: float(extractor(MonoLoader(filename=path)())[0])


def essentia_loop() -> Tempo:
    from essentia.standard import LoopBpmEstimator, MonoLoader, PercivalBpmEstimator

    def tempo(path: str) -> float:
        samples = MonoLoader(filename=path)()
        # The estimator for loops answers 0 when it is not sure. Both keep what they heard last: new ones each time.
        return float(LoopBpmEstimator()(samples)) or float(PercivalBpmEstimator()(samples))

    return tempo


def aubio_tempo() -> Tempo:
    import aubio

    def tempo(path: str) -> float:
        source = aubio.source(path, 0, 512)
        detector = aubio.tempo("default", 1024, 512, source.samplerate)
        read = 512
        while read == 512:
            samples, read = source()
            detector(samples)
        return float(detector.get_bpm())

    return tempo


def sonara() -> Tempo:
    import sonara as library

    return lambda path: float(library.analyze_file(path, mode="compact")["bpm"])


PEERS = {
    "librosa beat_track": librosa_beats,
    "librosa feature.tempo": librosa_tempo,
    "essentia LoopBpm or Percival": essentia_loop,
    "essentia RhythmExtractor2013": essentia_degara,
    "aubio": aubio_tempo,
    "sonara": sonara,
}


def main() -> None:
    from peer_answers import answer

    answer(PEERS[sys.argv[1]], 0.0)


if __name__ == "__main__":
    main()
