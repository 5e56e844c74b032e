"""What would fill the empty pads of a kit best: samples of a pool, each with the reason in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from sample_agent.sp404.kits.kit import Camelot, KitSample, PlayedAs, a_class, camelot, class_noun, fold_tempo
from sample_agent.sp404.kits.layout import BankPlan, Layout, Placement, common_tempo, place
from sample_agent.sp404.kits.rules import BOTTOM_UP, TOP_DOWN, LayoutRules
from sample_agent.sp404.slots import PadSlot

_SOUNDS: tuple[PlayedAs, ...] = ("melodic", "chord", "bass", "vocal", "fx")
_PITCHED = frozenset[PlayedAs]({"bass", "melodic", "chord", "vocal", "melodic-loop"})
_KEY_FIT = (1.0, 0.9, 0.5, 0.2)
_TOO_LOUD_DB = 12.0
_TOO_FAST_OCTAVES = 0.25


@dataclass(frozen=True)
class Weights:
    """How much each likeness counts; 0 leaves it out."""

    sound_class: float = 4.0
    embedding: float = 3.0
    key: float = 2.0
    tempo: float = 2.0
    loudness: float = 1.0


@dataclass(frozen=True)
class Suggestion:
    """A sample for an empty pad. `fit` is from 0 to 1; the placement's reason says what speaks for it."""

    placement: Placement
    fit: float


@dataclass(frozen=True)
class Unfilled:
    """An empty pad that nothing in the pool is for, and what it takes."""

    slot: PadSlot
    reason: str


@dataclass(frozen=True)
class Completion:
    """Suggestions and pads that stay empty, in the order in which the pads were considered: the most wanted first."""

    suggestions: tuple[Suggestion, ...]
    unfilled: tuple[Unfilled, ...]


@dataclass(frozen=True)
class _Character:
    """What the kit's samples have in common."""

    key: str | None
    tempo: float | None
    loudness: float | None
    drums: tuple[float, ...] | None
    others: tuple[float, ...] | None


def complete(
    kit: Layout, pool: Iterable[KitSample], *, tempo: float | None = None, weights: Weights | None = None
) -> Completion:
    """Find for each empty pad of the banks in use the sample that fits it best.

    The pad says which classes it takes, the best first. Of several samples of a class, the one is taken that is
    nearest to the kit in key (on the Camelot wheel), tempo (half and double count as the same), loudness and, when both
    have one, embedding. No sample is suggested twice, and none that the kit has already.

    Args:
        kit: what stands; an empty one is taken for a bank that is to become a kit.
        pool: samples to choose from.
        tempo: of the project, in beats per minute; that of most of the kit's loops when not given.
        weights: how much each likeness counts.
    """
    counts = weights or Weights()
    character = _character([each.sample for each in kit.placements], kit, tempo)
    used = {each.sample.id for each in kit.placements}
    left = {sample.id: sample for sample in pool if sample.id not in used}
    suggestions: list[Suggestion] = []
    empty = _empty_pads(kit)
    for slot, takes, choice in _wishes(kit):
        candidates = [sample for sample in left.values() if sample.played_as == takes[choice]]
        if slot not in empty or not candidates:
            continue
        # Of equals the first in the pool: max keeps it.
        sample = max(candidates, key=lambda each: _fit(each, takes, character, counts))
        fit = round(_fit(sample, takes, character, counts), 3)
        del left[sample.id], empty[slot]
        suggestions.append(Suggestion(place(slot, sample, _reason(sample, takes, character), kit.rules), fit))
    unfilled = (
        Unfilled(slot, f"The pool has nothing left of what the pad takes: {', '.join(map(class_noun, takes))}.")
        for slot, takes in empty.items()
    )
    return Completion(tuple(suggestions), tuple(unfilled))


def _empty_pads(kit: Layout) -> dict[PadSlot, tuple[PlayedAs, ...]]:
    """The empty pads of the banks in use and what they take, the most wanted first."""
    taken = {each.slot for each in kit.placements}
    return {slot: takes for slot, takes, choice in _wishes(kit) if choice == 0 and slot not in taken}


def _wishes(kit: Layout) -> Iterator[tuple[PadSlot, tuple[PlayedAs, ...], int]]:
    """Pads, what they take and which of that to try, in order."""
    for plan in kit.banks or (BankPlan(0, "kit", None),):
        for pad, takes, choice in _scheme(plan, kit.rules):
            yield PadSlot(plan.bank, pad - 1), takes, choice


def _scheme(plan: BankPlan, rules: LayoutRules) -> Iterator[tuple[int, tuple[PlayedAs, ...], int]]:
    match plan.role:
        case "kit":
            yield from ((rule.pad, rule.takes, choice) for rule, choice in rules.wishes())
        case "sounds":
            yield from ((pad, _SOUNDS, choice) for choice in range(len(_SOUNDS)) for pad in TOP_DOWN)
        case "loops":
            rhythm = BOTTOM_UP[:4] if rules.rhythm_at_the_bottom else ()
            yield from ((pad, ("drum-loop",) if pad in rhythm else ("melodic-loop",), 0) for pad in TOP_DOWN)
        case "tracks":
            pass


def _character(samples: Sequence[KitSample], kit: Layout, tempo: float | None) -> _Character:
    keys = Counter(sample.key for sample in samples if camelot(sample.key) and sample.played_as in _PITCHED)
    levels = [sample.loudness for sample in samples if sample.loudness is not None and math.isfinite(sample.loudness)]
    return _Character(
        key=keys.most_common(1)[0][0] if keys else None,
        tempo=tempo or common_tempo(samples, kit.rules),
        loudness=median(levels) if levels else None,
        drums=_mean(sample.embedding for sample in samples if sample.is_rhythm),
        others=_mean(sample.embedding for sample in samples if not sample.is_rhythm),
    )


def _fit(sample: KitSample, takes: Sequence[PlayedAs], character: _Character, weights: Weights) -> float:
    """Weighted mean of what can be compared: what is not known of one side counts for neither."""
    parts = [(weights.sound_class, 1 - 0.5 * takes.index(sample.played_as) / len(takes))]
    if (steps := _key_steps(sample, character)) is not None:
        parts.append((weights.key, _KEY_FIT[min(steps, len(_KEY_FIT) - 1)]))
    if (octaves := _tempo_octaves(sample, character)) is not None:
        parts.append((weights.tempo, 1 - min(1.0, abs(octaves) / _TOO_FAST_OCTAVES)))
    if (louder := _louder(sample, character)) is not None:
        parts.append((weights.loudness, 1 - min(1.0, abs(louder) / _TOO_LOUD_DB)))
    if (likeness := _likeness(sample, character)) is not None:
        parts.append((weights.embedding, (1 + likeness) / 2))
    total = sum(weight for weight, _ in parts)
    return sum(weight * value for weight, value in parts) / total if total else 0.0


def _reason(sample: KitSample, takes: Sequence[PlayedAs], character: _Character) -> str:
    wanted = takes[0]
    said = [
        f"The pad is for {a_class(wanted)}"
        if sample.played_as == wanted
        else f"There is no {class_noun(wanted)} left, so {a_class(sample.played_as)}"
    ]
    if (steps := _key_steps(sample, character)) is not None:
        how = "is" if steps == 0 else "mixes with" if steps == 1 else "is some way from"
        said.append(f"{sample.key} ({camelot(sample.key)}) {how} the kit's {character.key} ({camelot(character.key)})")
    if _tempo_octaves(sample, character) is not None and sample.tempo is not None:
        said.append(f"{fold_tempo(sample.tempo):g} BPM beside the kit's {character.tempo:g}")
    if (louder := _louder(sample, character)) is not None:
        amount = (
            "as loud as" if abs(louder) < 1 else f"{abs(louder):.0f} dB {'louder' if louder > 0 else 'quieter'} than"
        )
        said.append(f"{amount} the kit")
    if (likeness := _likeness(sample, character)) is not None and likeness > 0.5:
        said.append("sounds like the kit")
    return "; ".join(said) + "."


def _key_steps(sample: KitSample, character: _Character) -> int | None:
    own: Camelot | None = camelot(sample.key) if sample.played_as in _PITCHED else None
    kits = camelot(character.key)
    return own.steps_to(kits) if own and kits else None


def _tempo_octaves(sample: KitSample, character: _Character) -> float | None:
    """How much faster a loop is, in octaves, half and double counting as the same: -0.5 to 0.5."""
    if not sample.is_loop or sample.tempo is None or character.tempo is None:
        return None
    octaves = math.log2(fold_tempo(sample.tempo) / character.tempo)
    return octaves - round(octaves)


def _louder(sample: KitSample, character: _Character) -> float | None:
    if sample.loudness is None or character.loudness is None or not math.isfinite(sample.loudness):
        return None
    return sample.loudness - character.loudness


def _likeness(sample: KitSample, character: _Character) -> float | None:
    """Cosine of the angle between the embeddings of the sample and of the kit's drums or of all else."""
    kits = character.drums if sample.is_rhythm else character.others
    if sample.embedding is None or kits is None or len(kits) != len(sample.embedding):
        return None
    lengths = math.hypot(*sample.embedding) * math.hypot(*kits)
    product = sum(own * kit for own, kit in zip(sample.embedding, kits, strict=True))
    return product / lengths if lengths else None


def _mean(embeddings: Iterable[tuple[float, ...] | None]) -> tuple[float, ...] | None:
    known = [embedding for embedding in embeddings if embedding]
    if not known or len({len(embedding) for embedding in known}) > 1:
        return None
    return tuple(sum(values) / len(known) for values in zip(*known, strict=True))
