"""From analysed files to what the SP-404MK2's pads are laid out from: `engine` listens, `sp404` places.

Stands beside those two and on nothing else, as `conversion` does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sample_agent.sp404.cards.batch import Sound, Source, UnreadableSourceError
from sample_agent.sp404.kits.kit import DRUM_CLASSES, SOUND_CLASSES, KitSample, SampleKind, SoundClass, camelot
from sample_agent.sp404.kits.sound_words import class_in_folders, class_in_name, says_loop

_LONGEST_HIT_SECONDS = 2.5
_LOW_HZ, _HIGH_HZ = 500.0, 5000.0
_SURELY_PITCHED = 0.5
_SURELY_HEARD = 0.6
"""From this confidence on 99 of 100 drums are heard right, below it 75; a guess from pitch and spectrum does worse."""


def kit_sample(features: Mapping[str, Any], path: Path, *, identity: str | None = None) -> KitSample:
    """What a layout needs to know of a file.

    The class is the one that the file's name gives, then that of its folders, then the one the engine hears, and
    without any of these one guessed from pitch and spectrum. A tempo and a key in the name count before those heard.

    Args:
        features: the analysis of the file as `engine.Analysis.to_dict` gives it.
        path: where it lies; its folder is taken for a kit it may belong to.
        identity: what tells it from all others, by default its path.
    """
    kind, sound_class, certain = _kind_and_class(features, path)
    loudness = features["loudness"]
    return KitSample(
        id=identity or str(path),
        name=path.name,
        kind=kind,
        sound_class=sound_class,
        certain=certain,
        tempo=_tempo(features, path.name) if kind != "one-shot" else None,
        key=_key(features),
        loudness=loudness["integrated_lufs"],
        peak_db=loudness["sample_peak_dbfs"],
        duration=features["duration"],
        channels=features["channels"],
        slices=_slices(features),
        group=str(path.parent),
        embedding=_embedding(features),
    )


def file_source(path: Path) -> Source:
    """Opens the sound in a file of any format the engine decodes."""

    @contextmanager
    def opened() -> Iterator[Sound]:
        from sample_agent.engine import AudioError
        from sample_agent.engine.decoding.decode import open_audio

        try:
            with open_audio(path) as stream:
                yield Sound(stream.sample_rate, stream.blocks())
        except AudioError as error:
            raise UnreadableSourceError(error.message) from error

    return opened


def _kind_and_class(features: Mapping[str, Any], path: Path) -> tuple[SampleKind, SoundClass | None, bool]:
    """What the sample is, and whether its class is beyond doubt."""
    kind = cast("SampleKind", features["kind"]["kind"])
    named = class_in_name(path.name)
    if kind != "track" and (says_loop(path.name) or named in ("drum-loop", "melodic-loop")):
        kind = "loop"
    elif kind == "loop" and named in DRUM_CLASSES and features["duration"] < _LONGEST_HIT_SECONDS:
        # A drum roll or a long tail: its maker calls it by its drum and not a loop.
        kind = "one-shot"
    if said := named or class_in_folders(str(path)):
        return kind, said, True
    heard = features.get("sound_class") or {}
    if heard.get("name") in SOUND_CLASSES:
        return kind, cast("SoundClass", heard["name"]), heard.get("confidence", 0.0) >= _SURELY_HEARD
    return kind, _guessed_class(features, kind), False


def _guessed_class(features: Mapping[str, Any], kind: SampleKind) -> SoundClass | None:
    """A coarse guess, for want of anything better: pitch makes it melodic, noise a hat, a low centre a kick."""
    pitched = ((features.get("key") or {}).get("confidence") or 0.0) >= _SURELY_PITCHED
    if kind == "track":
        return None
    if kind == "loop":
        return "melodic-loop" if pitched else "drum-loop"
    if pitched:
        return "melodic"
    centroid = features["spectral"]["centroid_hz"]
    if centroid < _LOW_HZ and features["duration"] < _LONGEST_HIT_SECONDS:
        return "kick"
    return "closed-hat" if centroid > _HIGH_HZ else "percussion"


def _tempo(features: Mapping[str, Any], filename: str) -> float | None:
    """The tempo the name gives in so many words ("92bpm"), or a number in it that the ear agrees with, or as heard."""
    hinted: float | None = (features.get("hints") or {}).get("tempo")
    heard: float | None = (features.get("tempo") or {}).get("bpm")
    if hinted is None or heard is None:
        return heard or hinted
    octaves = math.log2(hinted / heard)
    agree = abs(octaves - round(octaves)) < math.log2(1.04)
    return hinted if agree or "bpm" in filename.lower() else heard


def _key(features: Mapping[str, Any]) -> str | None:
    hinted = (features.get("hints") or {}).get("key")
    heard = features.get("key") or {}
    found = hinted or heard.get("key") or heard.get("name")
    return found if camelot(found) else None


def _slices(features: Mapping[str, Any]) -> tuple[float, ...]:
    """Where parts begin, in seconds: the engine's slices, or where sounds start."""
    slices = features.get("slices")
    if slices:
        return tuple(float(part["start"]) for part in slices)
    return tuple(float(time) for time in features.get("onsets") or ())


def _embedding(features: Mapping[str, Any]) -> tuple[float, ...] | None:
    embedding = features.get("embedding")
    return tuple(map(float, embedding)) if isinstance(embedding, list | tuple) and embedding else None
