"""How people write keys: alone in tags, and in file names among words that only look like keys."""

import re

from sample_agent.engine.tonality.key import TONICS

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_GERMAN_SEMITONES = _SEMITONES | {"B": 10, "H": 11}

_WORD = r"(?i:minor|major|min|maj)"
_CHORD = r"(?:(?:(?i:maj|add|sus)|b|#)?\d{1,3}){0,3}"
_NAME_BEGINS, _NAME_ENDS = r"(?<![A-Za-z0-9#♯♭&'])", r"(?![A-Za-z0-9#♯♭])"
# "F#m7", "Bb min", "C sharp major", "EB MAJ": an m is small and stands behind its note; FM and AM are radio.
_NAMED_KEY = re.compile(
    rf"{_NAME_BEGINS}(?P<letter>[A-Ga-g])"
    rf"(?P<sign>[#♯b♭]|B(?=[ -]?{_WORD})|(?P<apart>[ -]?)(?i:sharp|flat))?"
    rf"(?:(?P<gap>[ -]?)(?P<word>{_WORD}){_CHORD}|(?P<m>m){_CHORD})?{_NAME_ENDS}"
)
_GERMAN_KEY = re.compile(
    rf"{_NAME_BEGINS}(?P<letter>[A-H])(?P<sign>is|es|s|#|b)?[ -]?(?P<mode>dur|moll){_NAME_ENDS}", re.IGNORECASE
)
_TAGGED_KEY = re.compile(
    r"(?P<letter>[A-G]) ?(?P<sign>#|♯|b|♭|sharp|flat)?[ -]*(?P<mode>major|minor|maj|min|m)?", re.IGNORECASE
)
_CAMELOT = re.compile(r"0?(1[0-2]|[1-9]) ?([AB])", re.IGNORECASE)
_NAMED_CAMELOT = re.compile(r"(?:^|(?P<before>[A-Za-z]*)[ ()\[\]-]+)(?P<code>0?(?:1[0-2]|[1-9])[AB])(?=$|[ ()\[\]-])")
# Behind one of these, 2B is the second of its kind; and drums have no key.
_COUNTED = re.compile(
    r"take|bank|part|side|pattern|scene|section|version|ver|vol|volume|dis[ck]|cd|track|variation|var|kit|group|set|no"
    r"|layer|alt|kick|snare|hat|hihat|clap|perc|tom|rim|crash|ride|cymbal|shaker",
    re.IGNORECASE,
)


def tagged_key(text: str) -> str | None:
    """The key a tag gives: "F#m", "Gb minor" or "11A" for F# minor; None for "o" (off key) and what is no key."""
    text = _with_spaces(text)
    if code := _CAMELOT.fullmatch(text):
        return _camelot(int(code[1]), code[2])
    if german := _GERMAN_KEY.fullmatch(text):
        return _german(german)
    named = _TAGGED_KEY.fullmatch(text)
    return _spelled(named["letter"], named["sign"] or "", named["mode"] or "") if named else None


def named_key(stem: str) -> str | None:
    """The key in a file name without its ending: the first that is spelled out, or the one code of Camelot's."""
    text = _with_spaces(stem)
    if german := _GERMAN_KEY.search(text):
        return _german(german)
    for found in _NAMED_KEY.finditer(text):
        if _is_meant(found):
            return _spelled(found["letter"], found["sign"] or "", found["word"] or found["m"] or "")
    codes = {
        _camelot(int(found["code"][:-1]), found["code"][-1])
        for found in _NAMED_CAMELOT.finditer(text)
        if not _COUNTED.fullmatch(found["before"] or "")
    }
    return codes.pop() if len(codes) == 1 else None


def _is_meant(found: re.Match[str]) -> bool:
    """Whether what is spelled like a key is meant as one, and is not an article, a take, a bank or a verb."""
    letter, sign, word = found["letter"], found["sign"], found["word"]
    before, after = found.string[: found.start()].rstrip(), found.string[found.end() :].lstrip(" -")
    if not (sign or word or found["m"]):
        return False
    if letter == "a" and found["gap"] and not sign and not before:
        return not after[:1].isalpha()  # "a minor change"
    if word:
        return True
    if letter in "Aa" and found["apart"]:
        return not after[:1].isalpha()  # "A sharp knife"
    if letter.islower():
        return sign in ("#", "♯", "♭") and bool(found["m"])  # "cm", "fm" and "db" are no keys
    if found.group() == "Am":
        return not re.search(r"\bI$", before) and not re.match(r"I\b", after)
    return True


def _with_spaces(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text).strip()


def _camelot(hour: int, letter: str) -> str:
    """8B is C major and 8A is A minor; each step up is a fifth."""
    minor = letter.upper() == "A"
    return TONICS[((9 if minor else 0) + 7 * (hour - 8)) % 12] + ("m" if minor else "")


def _german(found: re.Match[str]) -> str:
    """German has H for B and B for B flat."""
    sign = (found["sign"] or "").lower()
    tonic = (_GERMAN_SEMITONES[found["letter"].upper()] + {"": 0, "is": 1, "#": 1}.get(sign, -1)) % 12
    return TONICS[tonic] + ("m" if found["mode"].lower() == "moll" else "")


def _spelled(letter: str, sign: str, mode: str) -> str:
    sign = sign.strip(" -").lower()
    tonic = (_SEMITONES[letter.upper()] + {"": 0, "#": 1, "♯": 1, "sharp": 1}.get(sign, -1)) % 12
    return TONICS[tonic] + ("m" if mode == "m" or mode.lower().startswith("min") else "")
