"""The describer that needs no model: plain words for what the descriptors say, and nothing they do not say."""

from collections.abc import Mapping
from typing import Any

from sample_agent.vibe.vibe import Vibe

_CONFIDENT = 0.4
"""Tempo and key less certain than this are not claimed."""

_LIKELY = 0.6
"""Classes and notes less likely than this are not claimed: a wrong word is worse than none."""

_MOST_ADJECTIVES = 3

_CLASSES = {
    "one-shot": {
        "kick": "kick",
        "snare": "snare",
        "clap": "clap",
        "rim": "rim shot",
        "closed-hat": "closed hat",
        "open-hat": "open hat",
        "cymbal": "cymbal",
        "tom": "tom",
        "percussion": "percussion hit",
        "bass": "bass note",
        "chord": "chord",
        "vocal": "vocal",
        "fx": "effect",
    },
    "loop": {"drum-loop": "drum loop", "melodic-loop": "melodic loop"},
}
"""What each kind is called when its class is known."""


def describe_locally(features: Mapping[str, Any]) -> Vibe:
    """`describe` as a `Vibe` that cost nothing."""
    return Vibe(describe(features))


def describe(features: Mapping[str, Any]) -> str:
    """One short sentence about a sample: "Dark, punchy loop at 92 BPM in F#m".

    Args:
        features: the engine's descriptors as plain data (`Analysis.to_dict()`). What is missing is not spoken of.
    """
    duration = _number(features, "duration") or 0.0
    if _number(features, "loudness", "sample_peak_dbfs") is None:
        return f"Silence, {_seconds(duration)}"
    kind = str(_value(features, "kind", "kind") or "sample")
    adjectives = [
        word
        for word in (_brightness(features), _punch(features, kind), _texture(features), _pace(features, kind))
        if word
    ]
    words = [", ".join(adjectives[:_MOST_ADJECTIVES]), _noun(features, kind), *_where(features, kind)]
    sentence = " ".join(word for word in words if word)
    return sentence[:1].upper() + sentence[1:]


def _brightness(features: Mapping[str, Any]) -> str:
    centroid = _number(features, "spectral", "centroid_hz")
    if centroid is None:
        return ""
    for limit, word in ((450, "deep"), (1100, "dark"), (2000, "warm"), (3800, ""), (6500, "bright")):
        if centroid < limit:
            return word
    return "airy"


def _punch(features: Mapping[str, Any], kind: str) -> str:
    peak = _number(features, "loudness", "sample_peak_dbfs")
    loudness = _number(features, "loudness", "integrated_lufs")
    if peak is None or loudness is None:
        return "very quiet"
    # The distance between peak and loudness: hits that stand out, or a wall of sound.
    distance = peak - loudness
    if kind != "one-shot" and distance > 14:
        return "punchy"
    if kind != "one-shot" and distance < 7:
        return "dense"
    return "quiet" if loudness < -35 else ""


def _texture(features: Mapping[str, Any]) -> str:
    flatness = _number(features, "spectral", "flatness")
    tonality = _number(features, "key", "tonality")
    if flatness is not None and flatness > 0.12:
        return "noisy"
    if tonality is not None and tonality > 0.9:
        return "clear"
    return ""


def _pace(features: Mapping[str, Any], kind: str) -> str:
    duration = _number(features, "duration") or 0.0
    onsets = features.get("onsets")
    if kind == "one-shot":
        return "short" if duration < 0.35 else "long" if duration > 3 else ""
    if not isinstance(onsets, (list, tuple)) or duration <= 0:
        return ""
    per_second = len(onsets) / duration
    return "busy" if per_second > 6.5 else "sparse" if per_second < 1.8 else ""


def _noun(features: Mapping[str, Any], kind: str) -> str:
    named = _CLASSES.get(kind, {}).get(str(_value(features, "sound_class", "name")))
    if named and (_number(features, "sound_class", "confidence") or 0) >= _LIKELY:
        return named
    if kind == "one-shot" and _note(features):
        return kind
    tonality = _number(features, "key", "tonality")
    if tonality is not None and tonality >= 0.3:
        return kind
    return {"loop": "percussive loop", "one-shot": "unpitched one-shot"}.get(kind, kind)


def _where(features: Mapping[str, Any], kind: str) -> list[str]:
    words = []
    bpm = _number(features, "tempo", "bpm")
    if bpm is not None and (_number(features, "tempo", "confidence") or 0) >= _CONFIDENT:
        words.append(f"at {bpm:.0f} BPM")
    if kind == "one-shot" and (note := _note(features)):
        words.append(f"on {note}")
    key = _value(features, "key", "key")
    # One note fits several keys: a one-shot is not said to be in one.
    if key and kind != "one-shot" and (_number(features, "key", "confidence") or 0) >= _CONFIDENT:
        words.append(f"in {key}")
    return words


def _note(features: Mapping[str, Any]) -> str:
    likely = (_number(features, "pitch", "confidence") or 0) >= _LIKELY
    return str(_value(features, "pitch", "note") or "") if likely else ""


def _seconds(duration: float) -> str:
    return f"{duration:.1f} seconds"


def _value(features: Mapping[str, Any], *path: str) -> Any:
    value: Any = features
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _number(features: Mapping[str, Any], *path: str) -> float | None:
    value = _value(features, *path)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
