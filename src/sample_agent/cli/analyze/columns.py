"""A result as a row of text and numbers, for CSV, Parquet and the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sample_agent.cli.analyze.result import Result

NUMBERS = frozenset(
    {"tempo", "tempo_confidence", "key_confidence", "class_confidence", "duration", "loudness_lufs", "true_peak_dbtp"}
)
COLUMNS = (
    "file",
    "kind",
    "class",
    "class_confidence",
    "tempo",
    "tempo_confidence",
    "key",
    "camelot",
    "key_confidence",
    "note",
    "duration",
    "sample_rate",
    "channels",
    "format",
    "loudness_lufs",
    "true_peak_dbtp",
    "vibe",
    "warnings",
    "error",
    "engine_version",
)


def row_of(result: Result) -> dict[str, Any]:
    """The columns that have a value."""
    about = {"file": readable(result.path), "engine_version": result.engine_version}
    if result.features is None:
        return {**about, "error": reason(result)}
    features = result.features
    tempo, key, loudness = features["tempo"] or {}, features["key"] or {}, features["loudness"]
    sound_class, pitch = features.get("sound_class") or {}, features.get("pitch") or {}
    return {
        **about,
        "kind": features["kind"]["kind"],
        "class": sound_class.get("name"),
        "class_confidence": sound_class.get("confidence"),
        "tempo": tempo.get("bpm"),
        "tempo_confidence": tempo.get("confidence"),
        "key": key.get("key"),
        "camelot": key.get("camelot"),
        "key_confidence": key.get("confidence"),
        "note": pitch.get("note"),
        "loudness_lufs": loudness["integrated_lufs"],
        "true_peak_dbtp": loudness["true_peak_dbtp"],
        "warnings": " ".join(features["warnings"]),
        **{name: features[name] for name in ("duration", "sample_rate", "channels", "format", "vibe")},
    }


def reason(result: Result) -> str:
    """Why a file could not be analysed; empty for one that was."""
    return readable((result.error or {}).get("message", ""))


def readable(path: Path | str) -> str:
    """A path, or a text that may have one in it, with escapes for what is no text in it."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
