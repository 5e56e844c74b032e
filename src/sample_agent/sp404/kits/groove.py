"""A first pattern for a kit: a plain groove for its kick, snare and hats, so that it plays at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from sample_agent.sp404.formats.pattern import PPQN, TICKS_PER_BAR, Note, Pattern
from sample_agent.sp404.kits.kit import PlayedAs
from sample_agent.sp404.kits.layout import Layout, Placement
from sample_agent.sp404.slots import PadSlot

Part = Literal["kick", "snare", "hat", "open hat"]

STEP = PPQN // 4
"""Ticks of a sixteenth note."""

_LOUDEST = 127
_STAND_INS: Mapping[Part, tuple[PlayedAs, ...]] = {
    "kick": ("kick", "tom"),
    "snare": ("snare", "clap", "rim"),
    "hat": ("closed-hat", "percussion"),
    "open hat": ("open-hat", "closed-hat"),
}
_MAIN_ROW = range(12, 16)


@dataclass(frozen=True)
class Groove:
    """A rhythm in sixteenths.

    Attributes:
        below: it suits tempos below this.
        swing: ticks by which every second sixteenth is late.
        steps: for each part one line a bar of sixteen characters, "." for nothing, else 1 (soft) to 9 (loud).
    """

    name: str
    below: float
    swing: int
    steps: Mapping[Part, tuple[str, ...]]

    @property
    def bars(self) -> int:
        """How many bars it has before it begins again."""
        return len(self.steps["kick"])


GROOVES = (
    Groove(
        "boom bap",
        below=112,
        swing=22,
        steps={
            "kick": ("9......6..8.....", "9..5......8..6.."),
            "snare": ("....9.......9...", "....9.......9..3"),
            "hat": ("8.5.8.5.8.5.8.5.", "8.5.8.5.8.5.8..."),
            "open hat": ("................", "..............7."),
        },
    ),
    Groove(
        "four on the floor",
        below=138,
        swing=0,
        steps={
            "kick": ("9...9...9...9...", "9...9...9...9.5."),
            "snare": ("....9.......9...", "....9.......9..4"),
            "hat": ("6..56..56..56..5", "6..56..56..56..5"),
            "open hat": ("..8...8...8...8.", "..8...8...8...8."),
        },
    ),
    Groove(
        "half time",
        below=160,
        swing=0,
        steps={
            "kick": ("9.....6...8.....", "9..7......8...5."),
            "snare": ("........9.......", "........9......3"),
            "hat": ("8.5.7.5.8.5.7.54", "8.5.7.5.8.5.7..."),
            "open hat": ("................", "..............7."),
        },
    ),
    Groove(
        "breakbeat",
        below=float("inf"),
        swing=0,
        steps={
            "kick": ("9.........8.....", "9.........8..5.."),
            "snare": ("....9..3.4..9...", "....9..3.4..9..4"),
            "hat": ("8.5.8.5.8.5.8.5.", "8.5.8.5.8.5.8..."),
            "open hat": ("................", "..............7."),
        },
    ),
)
"""In the order of their tempos: the first that suits is taken."""


@dataclass(frozen=True)
class Starter:
    """A pattern, and in words which groove it is and what plays it."""

    pattern: Pattern
    words: str


def starter_patterns(made: Layout, tempos: Mapping[int, float]) -> dict[PadSlot, Starter]:
    """A pattern in the first slot of each bank that holds a kit: A1 for bank A, and so on.

    Args:
        tempos: beats per minute of each bank, 0 to 9.
    """
    starters: dict[PadSlot, Starter] = {}
    for plan in made.banks:
        starter = starter_pattern((each for each in made.placements if each.slot.bank == plan.bank), tempos[plan.bank])
        if starter is not None:
            starters[PadSlot(plan.bank, 0)] = starter
    return starters


def starter_pattern(placements: Iterable[Placement], tempo: float) -> Starter | None:
    """A groove for the kit in `placements` that suits `tempo`, in beats per minute.

    What is missing is played by its like (a clap for the snare, percussion for the hat) or left out. Without an open
    hat, a second closed one on the main row stands in, and otherwise the first goes on. None when there is neither
    kick nor snare nor hat.
    """
    players = _players(placements)
    if not players.keys() & {"kick", "snare", "hat"}:
        return None
    groove = next(groove for groove in GROOVES if tempo < groove.below)
    pattern = Pattern.of(_notes(groove, players), groove.bars)
    cast = ", ".join(f"{part} on {placement.slot}" for part, placement in players.items())
    return Starter(pattern, f"{groove.name}, {groove.bars} bars: {cast}")


def _players(placements: Iterable[Placement]) -> dict[Part, Placement]:
    """Who plays each part; of several the one on the main row, and no pad plays two parts."""
    hits = sorted(
        (each for each in placements if each.sample.is_drum), key=lambda each: (-(each.slot.pad // 4), each.slot)
    )
    players: dict[Part, Placement] = {}
    for part in get_args(Part):
        for played_as in _STAND_INS[part]:
            player = next((each for each in hits if _may_play(each, part, played_as, players)), None)
            if player is not None:
                players[part] = player
                break
    return players


def _may_play(hit: Placement, part: Part, played_as: PlayedAs, players: Mapping[Part, Placement]) -> bool:
    if part == "open hat" and played_as == "closed-hat" and hit.slot.pad not in _MAIN_ROW:
        return False
    return hit.sample.played_as == played_as and hit not in players.values()


def _notes(groove: Groove, players: Mapping[Part, Placement]) -> Iterator[Note]:
    for part, lines in groove.steps.items():
        # Without an open hat, the closed one plays where it would open.
        player = players.get(part) or (players.get("hat") if part == "open hat" else None)
        if player is None:
            continue
        for bar, line in enumerate(lines):
            for step, loudness in enumerate(line):
                if loudness != ".":
                    tick = bar * TICKS_PER_BAR + step * STEP + (groove.swing if step % 2 else 0)
                    length = 2 * STEP if part == "open hat" else STEP
                    yield Note(tick, player.slot, round(int(loudness) * _LOUDEST / 9), length)
