"""Musical keys as they are written and compared: `"A#m"`, `"C"`, and their Camelot codes."""

from __future__ import annotations

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
KEYS = tuple(tonic + mode for mode in ("", "m") for tonic in TONICS)

CAMELOT: dict[str, str] = {
    **{TONICS[(11 + 7 * (number - 1)) % 12]: f"{number}B" for number in range(1, 13)},
    **{TONICS[(8 + 7 * (number - 1)) % 12] + "m": f"{number}A" for number in range(1, 13)},
}
_BY_CAMELOT = {code: key for key, code in CAMELOT.items()}


def compatible_keys(key: str) -> list[str]:
    """The keys that mix with `key`: itself, one step either way on the Camelot wheel, and its relative."""
    code = CAMELOT[key]
    number, letter = int(code[:-1]), code[-1]
    other = "A" if letter == "B" else "B"
    near = [f"{number}{letter}", f"{number % 12 + 1}{letter}", f"{(number - 2) % 12 + 1}{letter}", f"{number}{other}"]
    return [_BY_CAMELOT[each] for each in near]
