"""Names the SP-404MK2 shows and accepts.

The unit lists files with accents but then refuses them, so names keep to the characters known to work.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from anyascii import anyascii

SAMPLE_NAME_LIMIT = 23
"""Characters of a sample's name; the unit's field holds 24 bytes with its terminating zero."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_!&()+,.=@\[\]{} -]+")
_AUDIO_EXTENSION = re.compile(r"\.(wav|wave|aif|aiff|aifc|flac|mp3|ogg|oga|opus|m4a|mp4|aac)$", re.IGNORECASE)
_SHARP_NOTE = re.compile(r"(?<![A-Za-z])([A-Ga-g])#")
_NUMBERED_END = re.compile(r"[ _-]([A-Za-z]{0,3}[0-9][A-Za-z0-9]{0,6})$")
_QUOTES = re.compile(r"['\"`#]")
_RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(?=$|\.)", re.IGNORECASE)


def device_name(text: str, *, limit: int = SAMPLE_NAME_LIMIT, taken: Collection[str] = ()) -> str:
    """A name for the unit's file system made from what a person called a sample, without extension.

    Letters of other scripts are transliterated, the sharp of a key becomes `s` ("F#m" → "Fsm"), an audio
    extension is dropped, and a name that is taken gets a number within `limit` characters. When a name is too long, a
    number at its end stays.

    `taken` holds the names in use in the same folder, in lower case: the card's file system does not tell
    "Kick" from "kick". The result is never empty, has no dot or space at either end and is a name that
    Windows can write as well.
    """
    if limit < 8:
        raise ValueError("A name needs room for at least 8 characters.")
    plain = _plain(text)
    name, number = _fitted(plain, limit), 1
    while name.lower() in taken:
        number += 1
        suffix = f" {number}"
        name = _fitted(plain, limit - len(suffix)) + suffix
    return name


def device_names(texts: Iterable[str], *, limit: int = SAMPLE_NAME_LIMIT) -> list[str]:
    """A name for each text, all different, in the same order: what one folder holds."""
    taken: set[str] = set()
    names = []
    for text in texts:
        name = device_name(text, limit=limit, taken=taken)
        taken.add(name.lower())
        names.append(name)
    return names


def _plain(text: str) -> str:
    """In characters of the safe set, as long as it may be."""
    plain = anyascii(_AUDIO_EXTENSION.sub("", text.strip()))
    plain = _QUOTES.sub("", _SHARP_NOTE.sub(r"\1s", plain))
    return " ".join(_UNSAFE.sub(" ", plain).split()).strip(" .") or "Sample"


def _fitted(plain: str, limit: int) -> str:
    """Within `limit` characters, and a name that Windows can write."""
    name = _cut(plain, limit).rstrip(" .")
    if reserved := _RESERVED_ON_WINDOWS.match(name):
        end = reserved.end()
        name = f"{name[:end]}_{name[end:]}"[:limit].rstrip(" .")
    return name


def _cut(name: str, limit: int) -> str:
    """The name within `limit` characters. What tells takes apart is a number at the end, so that stays."""
    end = _NUMBERED_END.search(name)
    if len(name) <= limit or end is None or len(end[0]) > limit // 2:
        return name[:limit]
    return name[: limit - len(end[0])].rstrip(" ._-") + end[0]
