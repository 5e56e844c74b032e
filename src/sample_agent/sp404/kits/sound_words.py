"""What the words in a file's name and folders say of its sound: people who make packs name things well."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import PurePath

from sample_agent.sp404.kits.kit import DRUM_CLASSES, SoundClass

_WORDS: dict[SoundClass, str] = {
    "kick": "kick kicks kik kck bd bassdrum kickdrum",
    "snare": "snare snares snr sd snaredrum",
    "clap": "clap claps clp cp handclap handclaps",
    "rim": "rim rims rimshot rimshots rs sidestick crossstick xstick",
    "closed-hat": "hh chh hat hats hihat hihats closedhat closedhats closedhihat pedalhat hhc",
    "open-hat": "oh ohh openhat openhats openhihat hho",
    "cymbal": "cymbal cymbals crash crashes ride rides splash china cym",
    "tom": "tom toms floortom racktom lowtom midtom hitom",
    "percussion": "perc percs percussion conga congas bongo bongos shaker shakers tambourine tamb cowbell clave claves "
    "maraca maracas triangle timbale timbales agogo guiro snap snaps woodblock djembe tabla cajon cabasa",
    "bass": "bass basses sub subbass reese",
    "chord": "chord chords stab stabs",
    "melodic": "melodic melody melodies keys piano rhodes wurli guitar gtr synth lead pad pluck strings organ bell "
    "bells flute brass horn horns sax trumpet arp marimba vibes kalimba harp violin cello clarinet oboe bassoon",
    "vocal": "vocal vocals vox voice voices acapella choir chant adlib adlibs",
    "fx": "fx sfx riser risers sweep sweeps impact impacts noise whoosh downlifter uplifter foley ambience ambient "
    "atmo texture vinyl scratch scratches",
    "drum-loop": "drumloop drumloops break breaks breakbeat breakbeats drumbreak beat beats groove toploop",
    "melodic-loop": "melodicloop melloop musicloop",
}
_PAIRS: dict[tuple[str, str], SoundClass] = {
    ("bass", "drum"): "kick",
    ("side", "stick"): "rim",
    ("cross", "stick"): "rim",
    ("rim", "shot"): "rim",
    ("hi", "hat"): "closed-hat",
    ("hi", "hats"): "closed-hat",
    ("drum", "loop"): "drum-loop",
    ("drum", "loops"): "drum-loop",
    ("top", "loop"): "drum-loop",
}
_FIRST: tuple[frozenset[SoundClass], ...] = (
    frozenset({"drum-loop", "melodic-loop"}),
    DRUM_CLASSES,
    frozenset({"vocal"}),
    frozenset({"chord", "bass"}),
    frozenset({"melodic", "fx"}),
)
"""Of several classes in a name the first of these counts: a "noise snare" is a snare, "lead vocals" are vocals."""

_CLASS_OF_WORD = {word: name for name, words in _WORDS.items() for word in words.split()}
_LOOP_WORDS = frozenset({"loop", "loops", "looped", "lp"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def class_in_name(filename: str) -> SoundClass | None:
    """The class that a file's own name gives: "Dusty_OpenHat-03.wav" → open-hat, "BD 01" → kick."""
    return _class_of(_words(_stem(filename)))


def class_in_folders(path: str, *, up: int = 2) -> SoundClass | None:
    """The class that the nearest of the `up` folders above a file gives: "Kit/Snares/03.wav" → snare."""
    for folder in list(reversed(PurePath(path.replace("\\", "/")).parts[:-1]))[:up]:
        if found := _class_of(_words(folder)):
            return found
    return None


def says_loop(filename: str) -> bool:
    """Whether a file's name calls it a loop."""
    words = set(_words(_stem(filename)))
    return bool(words & _LOOP_WORDS) or _class_of(tuple(words)) in ("drum-loop", "melodic-loop")


def _class_of(words: tuple[str, ...]) -> SoundClass | None:
    found = [_PAIRS[pair] for pair in pairwise(words) if pair in _PAIRS]
    found += [_CLASS_OF_WORD[word] for word in words if word in _CLASS_OF_WORD]
    named = next((each for group in _FIRST for each in found if each in group), None)
    if named == "closed-hat" and "open" in words:
        named = "open-hat"
    if named is None or _LOOP_WORDS.isdisjoint(words):
        return named
    return "drum-loop" if named in DRUM_CLASSES or named == "drum-loop" else "melodic-loop"


def _stem(filename: str) -> str:
    name = PurePath(filename.replace("\\", "/")).name
    stem, dot, extension = name.rpartition(".")
    return stem if dot and extension.isalnum() and len(extension) <= 4 else name


def _words(text: str) -> tuple[str, ...]:
    """Words in lower case; digits and signs part them, and so does a capital inside: "OpenHat3" is open, hat."""
    return tuple(word.lower() for word in _WORD.findall(text))
