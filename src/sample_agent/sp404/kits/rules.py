"""The rules a layout follows, as data: which pad takes what, and how each class of sound is played.

`PLAYERS` is how people lay out kits by hand. Each rule says why in a sentence; a TOML file can override any of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from sample_agent.sp404.kits.kit import SOUND_CLASSES, PlayedAs, SoundClass

Bus = Literal["dry", "BUS 1", "BUS 2"]
BUSES: tuple[Bus, ...] = ("dry", "BUS 1", "BUS 2")


class RulesError(ValueError):
    """A rule file says what cannot be followed. Its text says where and what."""


@dataclass(frozen=True)
class PadRule:
    """What a pad of a kit is for.

    Attributes:
        pad: its number on the unit, 1 to 16.
        takes: classes it takes, the best first.
        main: filled before the others, by a second choice if need be.
    """

    pad: int
    takes: tuple[SoundClass, ...]
    why: str
    main: bool = False


@dataclass(frozen=True)
class Playing:
    """How sounds of a class are played.

    Attributes:
        one_shot: plays to its end however briefly the pad is hit.
        loop: goes round until the pad is hit again.
        bpm_sync: stretched to the tempo of its bank or of the project, at its own pitch.
        choke: member of the mute group of its bank, where each sound ends the one before.
        bus: the effect bus it goes through.
    """

    one_shot: bool
    loop: bool
    bpm_sync: bool
    choke: bool
    bus: Bus
    why: str


@dataclass(frozen=True)
class LayoutRules:
    """Everything `layout` decides by.

    Attributes:
        pads: the pads of a kit, in the order in which they are filled.
        playing: for each class, and for "track" and "unknown".
        kits_by_group: drums of one folder or pack stay together on a bank of their own if they are a kit.
        tempo_tolerance: loops whose tempos differ by no more than this share are one group.
        rhythm_at_the_bottom: drum loops fill a bank from its bottom row, everything else from its top row.
    """

    pads: tuple[PadRule, ...]
    playing: Mapping[PlayedAs, Playing]
    kits_by_group: bool = True
    tempo_tolerance: float = 0.04
    rhythm_at_the_bottom: bool = True

    def wishes(self) -> Iterator[tuple[PadRule, int]]:
        """Pads and which of their choices to try, in order: the main pads first, then every first choice, …"""
        for rule in self.pads:
            if rule.main:
                yield from ((rule, choice) for choice in range(len(rule.takes)))
        others = [rule for rule in self.pads if not rule.main]
        for choice in range(max((len(rule.takes) for rule in others), default=0)):
            yield from ((rule, choice) for rule in others if choice < len(rule.takes))

    def explained(self) -> list[str]:
        """Every rule in a sentence."""
        return list(_sentences(self))


BOTTOM_UP = (13, 14, 15, 16, 9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4)
"""Pads as printed, from the left of the bottom row: 1 to 4 are the top row of the unit."""

TOP_DOWN = tuple(range(1, 17))

_HIT = Playing(True, False, False, False, "BUS 1", "A drum hit sounds to its end, and the drums share BUS 1.")
_HAT = replace(_HIT, choke=True, why="A closed hat ends an open one, as the foot does; the drums share BUS 1.")
_NOTE = Playing(True, False, False, False, "BUS 2", "A single note sounds to its end, and what has pitch shares BUS 2.")
_LOOP = Playing(False, True, True, False, "BUS 2", "A loop goes round in the tempo of the set, at its own pitch.")

PLAYERS = LayoutRules(
    pads=(
        PadRule(
            13, ("kick", "tom"), "The kick is at the left of the bottom row, where fingers look for it.", main=True
        ),
        PadRule(14, ("snare", "clap", "rim"), "The snare is next to the kick.", main=True),
        PadRule(15, ("closed-hat", "percussion"), "The closed hat is right of the snare.", main=True),
        PadRule(
            16, ("open-hat", "closed-hat", "cymbal"), "The open hat is next to the closed one that ends it.", main=True
        ),
        PadRule(9, ("kick", "tom", "percussion"), "A second kick is right above the first."),
        PadRule(10, ("clap", "snare", "rim"), "The clap, or another snare, is above the snare."),
        PadRule(11, ("rim", "closed-hat", "percussion"), "Rim and further hats are above the hats."),
        PadRule(12, ("cymbal", "open-hat", "percussion"), "Cymbals are at the right, above the open hat."),
        PadRule(5, ("tom", "percussion", "kick"), "Toms are on the third row, from the left."),
        PadRule(6, ("tom", "percussion", "snare"), "Toms are on the third row, from the left."),
        PadRule(7, ("percussion", "rim", "closed-hat", "fx"), "Percussion is right of the toms."),
        PadRule(8, ("percussion", "cymbal", "fx", "vocal"), "Percussion is right of the toms."),
        PadRule(1, ("bass", "melodic", "drum-loop", "melodic-loop"), "The top row is for what plays over the drums."),
        PadRule(2, ("chord", "melodic", "melodic-loop"), "The top row is for what plays over the drums."),
        PadRule(3, ("melodic", "chord", "melodic-loop"), "The top row is for what plays over the drums."),
        PadRule(4, ("vocal", "fx", "melodic"), "The top row is for what plays over the drums."),
    ),
    playing={
        **dict.fromkeys(("kick", "snare", "clap", "rim", "cymbal", "tom", "percussion"), _HIT),
        **dict.fromkeys(("closed-hat", "open-hat"), _HAT),
        **dict.fromkeys(("bass", "melodic", "chord", "vocal", "fx", "unknown"), _NOTE),
        "drum-loop": replace(_LOOP, bus="BUS 1", why="A drum loop goes round in tempo, on BUS 1 with the drums."),
        "melodic-loop": _LOOP,
        "track": Playing(False, False, False, False, "BUS 2", "A whole track plays once, and stops when hit again."),
    },
)


def rules_from_toml(text: str, base: LayoutRules = PLAYERS) -> LayoutRules:
    """`base` with what a TOML file says otherwise.

    A table `[pads]` gives the classes a pad takes (`13 = ["kick", "tom"]`), `[playing.<class>]` any of `one_shot`,
    `loop`, `bpm_sync`, `choke` and `bus`; the other rules stand at the top.

    Raises `RulesError`, which says what is wrong with the file.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"This is not TOML: {error}") from error
    for name in said:
        if name not in {each.name for each in fields(LayoutRules)}:
            raise RulesError(f"There is no rule {name!r}.")
    return LayoutRules(
        pads=_pads(_table(said, "pads"), base),
        playing=_playing(_table(said, "playing"), base),
        kits_by_group=_yes_or_no("kits_by_group", said.get("kits_by_group", base.kits_by_group)),
        tempo_tolerance=_share("tempo_tolerance", said.get("tempo_tolerance", base.tempo_tolerance)),
        rhythm_at_the_bottom=_yes_or_no(
            "rhythm_at_the_bottom", said.get("rhythm_at_the_bottom", base.rhythm_at_the_bottom)
        ),
    )


def _sentences(rules: LayoutRules) -> Iterator[str]:
    for rule in rules.pads:
        yield f"Pad {rule.pad} takes {_spoken(rule.takes)}. {rule.why}"
    by_playing: dict[Playing, list[str]] = {}
    for name, playing in rules.playing.items():
        by_playing.setdefault(playing, []).append(name)
    for playing, names in by_playing.items():
        yield f"{', '.join(names)}: {_manner(playing)}. {playing.why}"
    if rules.kits_by_group:
        yield "Drums of one folder that make a kit (two of kick, snare and hat) have a bank of their own."
    yield f"Loops within {rules.tempo_tolerance:.0%} of a tempo stay together, in the order of the Camelot wheel."
    if rules.rhythm_at_the_bottom:
        yield "Drum loops fill a bank from its bottom row, everything else from its top row."


def _spoken(classes: tuple[SoundClass, ...]) -> str:
    return classes[0] if len(classes) == 1 else f"{classes[0]}, else {', '.join(classes[1:])}"


def _manner(playing: Playing) -> str:
    traits = {
        "one-shot": playing.one_shot,
        "loop": playing.loop,
        "BPM sync": playing.bpm_sync,
        "mute group": playing.choke,
    }
    return ", ".join([name for name, on in traits.items() if on] + [playing.bus])


def _table(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = said.get(name, {})
    if not isinstance(table, dict):
        raise RulesError(f"[{name}] has to be a table.")
    return table


def _pads(said: Mapping[str, Any], base: LayoutRules) -> tuple[PadRule, ...]:
    main = {rule.pad for rule in base.pads if rule.main}
    given: dict[int, PadRule] = {}
    for name, takes in said.items():
        if not (name.isascii() and name.isdigit() and 1 <= int(name) <= 16):
            raise RulesError(f"[pads]: {name!r} is not a pad; they go from 1 to 16.")
        if not isinstance(takes, list) or not takes:
            raise RulesError(f"[pads] {name}: has to be a list of classes.")
        for each in takes:
            if each not in SOUND_CLASSES:
                raise RulesError(f"[pads] {name}: {each!r} is not one of {', '.join(SOUND_CLASSES)}.")
        given[int(name)] = PadRule(int(name), tuple(takes), "So says your rule file.", main=int(name) in main)
    kept = tuple(given.pop(rule.pad, rule) for rule in base.pads)
    return kept + tuple(given.values())


def _playing(said: Mapping[str, Any], base: LayoutRules) -> Mapping[PlayedAs, Playing]:
    playing = dict(base.playing)
    known = {each.name for each in fields(Playing)} - {"why"}
    for name, changes in said.items():
        where = f"[playing.{name}]"
        known_class = next((each for each in playing if each == name), None)
        if known_class is None:
            raise RulesError(f"{where}: not one of {', '.join(playing)}.")
        if not isinstance(changes, dict):
            raise RulesError(f"{where} has to be a table.")
        for option, value in changes.items():
            if option not in known:
                raise RulesError(f"{where}: {option!r} is not one of {', '.join(sorted(known))}.")
            if option == "bus":
                if value not in BUSES:
                    raise RulesError(f"{where} bus: {value!r} is not one of {', '.join(BUSES)}.")
            else:
                _yes_or_no(f"{where} {option}", value)
        changed = replace(playing[known_class], **changes, why="So says your rule file.")
        if changed.one_shot and changed.loop:
            raise RulesError(f"{where}: a sound is either a one-shot or a loop.")
        playing[known_class] = changed
    return playing


def _yes_or_no(where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise RulesError(f"{where}: has to be true or false.")
    return value


def _share(where: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 0.5:
        raise RulesError(f"{where}: has to be a number from 0 to 0.5.")
    return float(value)
