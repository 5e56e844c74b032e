"""Which sample goes on which pad: the layout that players make by hand, with a reason for each pad."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from sample_agent.sp404.kits.kit import (
    DRUM_CLASSES,
    Camelot,
    KitSample,
    PlayedAs,
    a_class,
    around_the_wheel,
    camelot,
    class_noun,
    class_nouns,
    fold_tempo,
)
from sample_agent.sp404.kits.rules import BOTTOM_UP, BUSES, PLAYERS, TOP_DOWN, LayoutRules, PadRule, Playing
from sample_agent.sp404.slots import BANKS, PADS_PER_BANK, SLOTS, PadSlot

BankRole = Literal["kit", "sounds", "loops", "tracks"]

_KIT_PARTS = (frozenset({"kick"}), frozenset({"snare", "clap", "rim"}), frozenset({"closed-hat", "open-hat"}))
_SLOWEST_OCTAVE = 70.0
"""Tempos are compared within the octave that begins here: 85 and 170 beats a minute go together."""

_SHORTEST_OPEN_HAT = 0.25
"""Seconds that a hat has to ring to stand in for an open one."""


@dataclass(frozen=True)
class Placement:
    """A sample on a pad. `mute_group` is 0 for none, else 1 to 10; `tempo` is one the unit can be set to."""

    slot: PadSlot
    sample: KitSample
    playing: Playing
    mute_group: int
    tempo: float | None
    reason: str

    def settings(self) -> dict[str, Any]:
        """What to set on the pad, by the names of its settings."""
        synced = self.playing.bpm_sync and self.tempo is not None
        return {
            "one_shot": self.playing.one_shot,
            "gate": False,
            "loop": self.playing.loop,
            "bpm_sync": synced,
            # Vinyl ties pitch to speed: what is stretched to a tempo has to go without.
            "vinyl": not synced,
            "mute_group": self.mute_group,
            "bus": BUSES.index(self.playing.bus),
            **({} if self.tempo is None else {"tempo": self.tempo}),
        }


@dataclass(frozen=True)
class Leftover:
    """A sample that found no pad, and why."""

    sample: KitSample
    reason: str


@dataclass(frozen=True)
class BankPlan:
    """What a bank, 0 to 9, is for, and the tempo of most of its loops, None when it has none."""

    bank: int
    role: BankRole
    tempo: float | None


@dataclass(frozen=True)
class Layout:
    """Placements in the order of the pads, samples that found none, and what each bank in use is for."""

    placements: tuple[Placement, ...]
    leftovers: tuple[Leftover, ...]
    banks: tuple[BankPlan, ...]
    rules: LayoutRules


def layout(samples: Sequence[KitSample], rules: LayoutRules = PLAYERS) -> Layout:
    """Place samples on banks and pads.

    Drums become kits, one a bank; notes and sounds follow in the order of their keys, then loops by tempo and key, then
    tracks. What fits above a kit goes there; otherwise it begins a bank of its own, and only when ten banks would
    not do is everything moved together. The same samples in the same order always give the same layout.
    """
    chosen, leftovers = _at_most(samples, SLOTS)
    banks = _spacious(chosen, rules)
    if len(banks) > BANKS:
        banks = _dense(chosen, rules)
    placements = sorted((each for bank in banks for each in bank.placements), key=lambda each: each.slot)
    return Layout(tuple(placements), tuple(leftovers), tuple(bank.plan() for bank in banks), rules)


def common_tempo(samples: Iterable[KitSample], rules: LayoutRules = PLAYERS) -> float | None:
    """The tempo that most of the loops are near, as one of them has it; None when no loop has one.

    When several tempos are as common, the one nearest to the middle of all.
    """
    groups = [group for group in _tempo_groups(samples, rules) if group[0].tempo is not None]
    if not groups:
        return None
    octave = sorted(_within_octave(sample.tempo) for group in groups for sample in group)
    middle = octave[len(octave) // 2]
    largest = max(groups, key=lambda group: (len(group), -abs(_within_octave(group[0].tempo) - middle)))
    counts = Counter(fold_tempo(sample.tempo) for sample in largest if sample.tempo is not None)
    most = max(counts.values())
    commonest = sorted(tempo for tempo, count in counts.items() if count == most)
    return commonest[(len(commonest) - 1) // 2]


class _Bank:
    """A bank while it is being filled. Pads are counted as printed, from 1."""

    def __init__(self, number: int, role: BankRole, rules: LayoutRules) -> None:
        self.number, self.role, self.rules = number, role, rules
        self.free = list(TOP_DOWN)
        self.placements: list[Placement] = []

    def put(self, pad: int, sample: KitSample, reason: str) -> None:
        self.free.remove(pad)
        # More banks than the unit has are an attempt that is thrown away; its places only have to be different.
        slot = PadSlot(self.number % BANKS, pad - 1)
        self.placements.append(place(slot, sample, reason, self.rules))

    def next_pad(self, sample: KitSample) -> int:
        """Where the next sample goes: rhythm from the bottom, everything else from the top; loops stay above a kit."""
        from_below = sample.is_rhythm and self.rules.rhythm_at_the_bottom and self.role != "kit"
        return next(pad for pad in (BOTTOM_UP if from_below else TOP_DOWN) if pad in self.free)

    def plan(self) -> BankPlan:
        return BankPlan(self.number, self.role, common_tempo((each.sample for each in self.placements), self.rules))


def place(slot: PadSlot, sample: KitSample, reason: str, rules: LayoutRules = PLAYERS) -> Placement:
    """One sample on one pad, played as the rules say for its class."""
    playing = rules.playing[sample.played_as]
    tempo = fold_tempo(sample.tempo) if sample.tempo is not None and not sample.is_drum else None
    if playing.bpm_sync and tempo is None:
        reason = f"{reason} No tempo is known, so it keeps its own."
    return Placement(slot, sample, playing, slot.bank + 1 if playing.choke else 0, tempo, reason)


def _at_most(samples: Sequence[KitSample], room: int) -> tuple[list[KitSample], list[Leftover]]:
    """As many of each class as its share of all samples allows, the first of each in the order given."""
    if len(samples) <= room:
        return list(samples), []
    counts = Counter(sample.played_as for sample in samples)
    kept = _shares(counts, room)
    chosen, leftovers, seen = [], [], Counter[str]()
    for sample in samples:
        name = sample.played_as
        seen[name] += 1
        if seen[name] <= kept[name]:
            chosen.append(sample)
        else:
            share = f"{kept[name]} of the {counts[name]} {class_nouns(name)}"
            leftovers.append(Leftover(sample, f"A project has {room} pads; {share} found room before it."))
    return chosen, leftovers


def _shares(counts: Mapping[PlayedAs, int], room: int) -> dict[PlayedAs, int]:
    """`room` places for classes by their numbers, at least one for each."""
    exact = {name: count * room / sum(counts.values()) for name, count in counts.items()}
    kept = {name: max(1, int(share)) for name, share in exact.items()}
    while sum(kept.values()) > room:
        kept[max(sorted(kept), key=lambda name: kept[name])] -= 1
    while sum(kept.values()) < room:
        kept[max(sorted(kept), key=lambda name: exact[name] - kept[name])] += 1
    return kept


def _spacious(samples: Sequence[KitSample], rules: LayoutRules) -> list[_Bank]:
    """Each kit and each section on banks of its own; however many that takes."""
    banks: list[_Bank] = []

    def open_bank(role: BankRole) -> _Bank:
        banks.append(_Bank(len(banks), role, rules))
        return banks[-1]

    for kit in _kits([sample for sample in samples if sample.is_drum], rules):
        _deal([open_bank("kit") for _ in range(_banks_for(kit))], kit)
    for role, groups in _sections(samples, rules):
        section = [sample for group in groups for sample in group]
        if banks and len(section) <= len(banks[-1].free):
            if role == "sounds":
                _deal([banks[-1]], section)
            else:
                for sample in section:
                    banks[-1].put(banks[-1].next_pad(sample), sample, _reason(sample))
            continue
        bank = open_bank(role)
        for group in groups:
            if len(group) > len(bank.free) and bank.placements:
                bank = open_bank(role)
            for sample in group:
                if not bank.free:
                    bank = open_bank(role)
                bank.put(bank.next_pad(sample), sample, _reason(sample))
    return banks


def _dense(samples: Sequence[KitSample], rules: LayoutRules) -> list[_Bank]:
    """Everything one behind the other: 160 samples fill 160 pads."""
    drums = [sample for sample in samples if sample.is_drum]
    banks = [_Bank(number, "kit", rules) for number in range(_banks_for(drums))]
    _deal(banks, drums)
    with_room = [bank for bank in banks if bank.free]
    for role, groups in _sections(samples, rules):
        for sample in (sample for group in groups for sample in group):
            while with_room and not with_room[0].free:
                with_room.pop(0)
            if not with_room:
                banks.append(_Bank(len(banks), role, rules))
                with_room.append(banks[-1])
            with_room[0].put(with_room[0].next_pad(sample), sample, _reason(sample))
    return banks


def _kits(drums: Sequence[KitSample], rules: LayoutRules) -> list[list[KitSample]]:
    """The drums in kits: those of a group that has two of kick, snare and hat by themselves, all others together."""
    if not rules.kits_by_group:
        return [list(drums)] if drums else []
    groups: dict[str | None, list[KitSample]] = {}
    for drum in drums:
        groups.setdefault(drum.group, []).append(drum)
    kits = [group for name, group in groups.items() if name is not None and _makes_a_kit(group)]
    taken = {drum.id for kit in kits for drum in kit}
    others = [drum for drum in drums if drum.id not in taken]
    return [*kits, others] if others else kits


def _makes_a_kit(drums: Iterable[KitSample]) -> bool:
    classes = {drum.played_as for drum in drums}
    return sum(not part.isdisjoint(classes) for part in _KIT_PARTS) >= 2


def _banks_for(samples: Sequence[KitSample]) -> int:
    return -(-len(samples) // PADS_PER_BANK)


def _deal(banks: Sequence[_Bank], samples: Sequence[KitSample]) -> None:
    """Put samples on the pads that are meant for them, pad by pad over all the banks; the rest on what stays free."""
    left = list(samples)
    longest = _longest_hats(samples, len(banks))
    for rule, choice in banks[0].rules.wishes() if banks else ():
        for bank in banks:
            # What rings like an open hat is kept for the open hat's pad, and what may be something else comes last.
            in_order = sorted(
                left, key=lambda each: ((each.id in longest) != (rule.takes[0] == "open-hat"), not each.certain)
            )
            sample = next((sample for sample in in_order if sample.played_as == rule.takes[choice]), None)
            if sample is not None and rule.pad in bank.free:
                left.remove(sample)
                bank.put(rule.pad, sample, _dealt_reason(rule, choice))
    for sample in left:
        if sample.is_drum:
            bank, pad = _further_pad(banks, sample)
        else:
            bank = next(bank for bank in banks if bank.free)
            pad = bank.next_pad(sample)
        bank.put(pad, sample, _further_reason(sample))


def _further_pad(banks: Sequence[_Bank], drum: KitSample) -> tuple[_Bank, int]:
    """Where a drum goes when the pads meant for it are taken: among the drums, above its like if it can be.

    The pads of the main row come last: fingers look there for a kick, a snare and hats even when there is none.
    """
    rules = {rule.pad: rule for rule in banks[0].rules.pads}
    columns = {pad % 4 for pad, rule in rules.items() if drum.played_as == rule.takes[0]}

    def how_far(place: tuple[_Bank, int]) -> tuple[bool, bool, int, bool, int]:
        bank, pad = place
        rule = rules.get(pad)
        for_drums = rule is not None and rule.takes[0] in DRUM_CLASSES
        main = rule is not None and rule.main
        return main, not for_drums, bank.number, pad % 4 not in columns, BOTTOM_UP.index(pad)

    return min(((bank, pad) for bank in banks for pad in bank.free), key=how_far)


def _longest_hats(samples: Sequence[KitSample], wanted: int) -> set[str]:
    """Hats that nobody calls open and that ring long beside the others: one for each bank without an open one."""
    hats = [sample for sample in samples if sample.played_as == "closed-hat"]
    missing = wanted - sum(sample.played_as == "open-hat" for sample in samples)
    if len(hats) < 2 or missing <= 0:
        return set()
    least = max(_SHORTEST_OPEN_HAT, 2 * min(hat.duration for hat in hats))
    ringing = sorted((hat for hat in hats if hat.duration >= least), key=lambda hat: -hat.duration)
    return {hat.id for hat in ringing[:missing]}


def _sections(samples: Sequence[KitSample], rules: LayoutRules) -> list[tuple[BankRole, list[list[KitSample]]]]:
    """What is not a drum hit: notes and sounds, loops, tracks, each in groups that should share a bank."""
    notes = [each for each in samples if not (each.is_drum or each.is_loop or each.played_as == "track")]
    tracks = [each for each in samples if each.played_as == "track"]
    sections: list[tuple[BankRole, list[list[KitSample]]]] = [
        ("sounds", _key_groups(notes)),
        ("loops", _tempo_groups((each for each in samples if each.is_loop), rules)),
        ("tracks", [tracks] if tracks else []),
    ]
    return [(role, groups) for role, groups in sections if groups]


def _key_groups(samples: Sequence[KitSample]) -> list[list[KitSample]]:
    """Samples of one place on the Camelot wheel together, in the order of the wheel; those without a key last."""
    keyed = [(camelot(sample.key), sample) for sample in samples]
    order = {key: index for index, key in enumerate(around_the_wheel(key for key, _ in keyed if key))}

    def position(pair: tuple[Camelot | None, KitSample]) -> int:
        return len(order) if pair[0] is None else order[pair[0]]

    return [[sample for _, sample in group] for _, group in groupby(sorted(keyed, key=position), key=position)]


def _tempo_groups(samples: Iterable[KitSample], rules: LayoutRules) -> list[list[KitSample]]:
    """Loops in groups of about one tempo, slowest first, those without a tempo last; in each, keys in their order."""
    loops = [sample for sample in samples if sample.is_loop]
    with_tempo = sorted(
        (sample for sample in loops if sample.tempo is not None), key=lambda sample: _within_octave(sample.tempo)
    )
    groups: list[list[KitSample]] = []
    for sample in with_tempo:
        slowest = _within_octave(groups[-1][0].tempo) if groups else 0.0
        if _within_octave(sample.tempo) > slowest * (1 + rules.tempo_tolerance):
            groups.append([])
        groups[-1].append(sample)
    without = [sample for sample in loops if sample.tempo is None]
    return [_drums_first(group) for group in (*groups, without) if group]


def _drums_first(loops: Sequence[KitSample]) -> list[KitSample]:
    drums = [loop for loop in loops if loop.played_as == "drum-loop"]
    melodic = [loop for loop in loops if loop.played_as != "drum-loop"]
    return [*drums, *(loop for group in _key_groups(melodic) for loop in group)]


def _within_octave(tempo: float | None) -> float:
    tempo = fold_tempo(tempo or _SLOWEST_OCTAVE)
    while tempo < _SLOWEST_OCTAVE:
        tempo *= 2
    while tempo >= 2 * _SLOWEST_OCTAVE:
        tempo /= 2
    return tempo


def _dealt_reason(rule: PadRule, choice: int) -> str:
    if choice == 0:
        return rule.why
    missing = " or ".join(class_noun(name) for name in rule.takes[:choice])
    return f"{rule.why} No {missing} was left for it, so {a_class(rule.takes[choice])}."


def _further_reason(sample: KitSample) -> str:
    if sample.is_drum:
        return (
            f"A further {class_noun(sample.played_as)}: the pads meant for {class_nouns(sample.played_as)} are taken."
        )
    return _reason(sample)


def _reason(sample: KitSample) -> str:
    key = camelot(sample.key)
    what = a_class(sample.played_as)
    if sample.is_loop and sample.tempo is not None:
        what += f" at {fold_tempo(sample.tempo):g} BPM"
    if key:
        what += f" in {sample.key} ({key})"
    order = []
    if sample.is_loop and sample.tempo is not None:
        order.append("tempo")
    if key and not sample.is_rhythm:
        order.append("key around the Camelot wheel")
    placed = f"in the order of {' and '.join(order)}" if order else "with its like"
    return f"{what[0].upper()}{what[1:]}, {placed}."
