"""How an organization's name stands in a mail: its owner typed it, and we must not send a stranger's words for them."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 40

_KEPT_SIGNS = frozenset(" -'&!")
_NUMBER = re.compile(r"\d(?:[\s'&!-]*\d){5,}")


def quoted(name: str) -> str:
    """The name in quotation marks, short and without anything a mail program makes a link of; words for none if
    nothing is left.

    Links need a dot, a colon, an at sign or a slash, in one of their many shapes, so of all signs only a few harmless
    ones are kept; six digits and more are taken for a telephone number.
    """
    plain = "".join(character if _is_kept(character) else " " for character in unicodedata.normalize("NFKC", name))
    words = " ".join(_NUMBER.sub(" ", plain).split())
    short = words if len(words) <= LONGEST else f"{words[: LONGEST - 1].rstrip()}…"
    return f"“{short}”" if any(character.isalnum() for character in short) else "an organization"


def _is_kept(character: str) -> bool:
    return character in _KEPT_SIGNS or unicodedata.category(character)[0] in "LMN"
