"""Run by `key_accuracy` in the peers' environment: the key each peer gives for the files on standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}

# C. Krumhansl, "Cognitive foundations of musical pitch" (1990), and D. Temperley, "What's key for key?" (1999).
KRUMHANSL = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
TEMPERLEY = (
    (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
    (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
)

KeyOf = Callable[[str], str]


def librosa_key(chroma: str, profiles: Sequence[Sequence[float]]) -> KeyOf:
    """librosa has chroma and no key: the usual recipe correlates its mean with profiles in all transpositions."""
    import librosa
    import numpy as np

    def key(path: str) -> str:
        samples, rate = librosa.load(path)
        mean = getattr(librosa.feature, chroma)(y=samples, sr=rate).mean(axis=1)
        fits = [
            np.corrcoef(np.roll(profile, tonic), mean)[0, 1] for profile in profiles for tonic in range(12)
        ]  # twelve major keys, twelve minor ones
        best = int(np.argmax(fits))
        return TONICS[best % 12] + ("m" if best >= 12 else "")

    return key


def essentia_key(profile: str) -> KeyOf:
    from essentia.standard import KeyExtractor, MonoLoader

    extractor = KeyExtractor(profileType=profile)

    def key(path: str) -> str:
        tonic, mode, _ = extractor(MonoLoader(filename=path)())
        return FLATS.get(tonic, tonic) + ("m" if mode == "minor" else "")

    return key


def sonara() -> KeyOf:
    import sonara as library

    def key(path: str) -> str:
        tonic, mode = library.analyze_file(path, mode="playlist")["key"].split()
        return FLATS.get(tonic, tonic) + ("m" if mode.startswith("min") else "")

    return key


PEERS: dict[str, Callable[[], KeyOf]] = {
    "librosa STFT chroma, Krumhansl": lambda: librosa_key("chroma_stft", KRUMHANSL),
    "librosa CQT chroma, Krumhansl": lambda: librosa_key("chroma_cqt", KRUMHANSL),
    "librosa CQT chroma, Temperley": lambda: librosa_key("chroma_cqt", TEMPERLEY),
    "essentia edma": lambda: essentia_key("edma"),
    "essentia bgate": lambda: essentia_key("bgate"),
    "sonara": sonara,
}


def main() -> None:
    from peer_answers import answer

    answer(PEERS[sys.argv[1]], "")


if __name__ == "__main__":
    main()
