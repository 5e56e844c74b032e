"""Rearranging a project: pads, patterns and banks are moved, swapped, copied and cleared.

What a player hears stays the same. A pattern's notes follow the pads they play, the chain follows the patterns it
plays, and nothing is ever put over something else: a taken place has to be cleared first. A pattern that cannot be
read can be moved as a whole and cleared; what would have to change its notes is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sample_agent.sp404.formats.padconf import PadEntry
from sample_agent.sp404.formats.pattern_chain import FILE_NAME as CHAIN_NAME
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.projects.project import Project
from sample_agent.sp404.slots import ALL_SLOTS, BANK_LETTERS, PADS_PER_BANK, PadSlot

Moves = Mapping[PadSlot, PadSlot | None]
"""From old place to new; None is gone."""


class EditError(ValueError):
    """A change that would lose something, or has nothing to change. Its text says what."""


def move_pad(project: Project, source: PadSlot, target: PadSlot) -> Project:
    """A pad put on a free one; its notes follow it in every pattern. Raises `EditError`."""
    _need_pad(project, source)
    _need_free(project, target)
    return swap_pads(project, source, target)


def swap_pads(project: Project, one: PadSlot, other: PadSlot) -> Project:
    """Two pads exchanged, of which one or both may be empty; their notes follow them."""
    return _with_notes_moved(_placed(project, {one: other, other: one}), {one: other, other: one})


def copy_pad(project: Project, source: PadSlot, target: PadSlot) -> Project:
    """A pad put on a free one as well; patterns stay as they are and go on playing the first. Raises `EditError`."""
    _need_pad(project, source)
    _need_free(project, target)
    return _placed(project, {target: source})


def clear_pads(project: Project, slots: Iterable[PadSlot], *, keep_notes: bool = False) -> Project:
    """Pads emptied, with their files.

    Their notes go with them, because they would be silent now and play something they were never meant for as soon as
    another sample is put there. `keep_notes` leaves them for whoever is about to do just that: exchange a kick.
    """
    gone = dict.fromkeys(slots)
    emptied = _placed(project, gone)
    return emptied if keep_notes else _with_notes_moved(emptied, gone)


def move_pattern(project: Project, source: PadSlot, target: PadSlot) -> Project:
    """A pattern put in a free slot; the chain follows it. Raises `EditError`."""
    _need_pattern(project, source)
    _need_no_pattern(project, target)
    return swap_patterns(project, source, target)


def swap_patterns(project: Project, one: PadSlot, other: PadSlot) -> Project:
    """Two patterns exchanged, of which one or both may be missing; the chain follows them."""
    return _with_patterns_moved(project, {one: other, other: one})


def copy_pattern(project: Project, source: PadSlot, target: PadSlot) -> Project:
    """A pattern put in a free slot as well; the chain goes on playing the first. Raises `EditError`."""
    _need_pattern(project, source)
    _need_no_pattern(project, target)
    if unread := project.unread_patterns.get(source):
        copy = {f"PTN/{target.pattern_name}": project.other_files[unread]}
        return replace(project, other_files={**project.other_files, **copy})
    return project.with_patterns({target: project.patterns[source]})


def clear_patterns(project: Project, slots: Iterable[PadSlot]) -> Project:
    """Patterns removed, from the chain as well."""
    return _with_patterns_moved(project, dict.fromkeys(slots))


def move_bank(project: Project, source: int, target: int) -> Project:
    """Bank 0 (A) to 9 (J) put where no pad or pattern is: pads, patterns, tempo, protection and volume.

    Raises `EditError`.
    """
    _need_bank(project, source)
    _need_free_bank(project, target)
    return swap_banks(project, source, target)


def swap_banks(project: Project, one: int, other: int) -> Project:
    """Two banks exchanged: pads, patterns, tempo, protection and volume. Notes follow their pads in all patterns."""
    moves = {**_bank_moves(one, other), **_bank_moves(other, one)}
    changed = _with_patterns_moved(_with_notes_moved(_placed(project, moves), moves), moves)
    before = project.padconf.settings
    settings = before.with_bank_from(one, before, other).with_bank_from(other, before, one)
    return replace(changed, padconf=replace(changed.padconf, settings=settings))


def copy_bank(project: Project, source: int, target: int) -> Project:
    """A bank put where no pad or pattern is as well. The copies of its patterns play the copies of its pads.

    Raises `EditError`.
    """
    _need_bank(project, source)
    _need_free_bank(project, target)
    moves = _bank_moves(source, target)
    _need_readable(project, moves)
    changed = _placed(project, {new: old for old, new in moves.items()})
    patterns = {moves[slot]: each.moved(moves) for slot, each in project.patterns.items() if slot in moves}
    settings = project.padconf.settings.with_bank_from(target, project.padconf.settings, source)
    return replace(changed.with_patterns(patterns), padconf=replace(changed.padconf, settings=settings))


def clear_bank(project: Project, bank: int, *, keep_notes: bool = False) -> Project:
    """All pads and patterns of a bank removed; its tempo, protection and volume stay. See `clear_pads`."""
    slots = _bank_slots(bank)
    return clear_pads(clear_patterns(project, slots), slots, keep_notes=keep_notes)


def renumbered(chain: PatternChain, moves: Moves) -> PatternChain | None:
    """The chain after its patterns have moved; None when nothing of it is left.

    Where it stands (`current`) stays at the same pattern as long as that is there.
    """
    by_number = {old.pattern_number: new for old, new in moves.items()}
    if not any(number in by_number for number in chain.patterns):
        return chain
    numbers: list[int] = []
    current = chain.current
    for index, number in enumerate(chain.patterns):
        if number not in by_number:
            numbers.append(number)
        elif (slot := by_number[number]) is not None:
            numbers.append(slot.pattern_number)
        elif index < chain.current:
            current -= 1
    if not numbers:
        return None
    return replace(chain, patterns=tuple(numbers), current=min(current, len(numbers) - 1))


def _placed(project: Project, sources: Moves) -> Project:
    """The project in which each pad named has the entry and file of another one, or none."""
    entries, audio = list(project.padconf.pads), dict(project.audio)
    for target, source in sources.items():
        entries[target.index] = PadEntry.empty() if source is None else project.padconf.pad(source)
        audio.pop(target, None)
        if source is not None and source in project.audio:
            audio[target] = project.audio[source]
    return project.with_entries(entries, audio)


def _with_notes_moved(project: Project, moves: Moves) -> Project:
    _need_readable(project, ALL_SLOTS)
    patterns = {slot: each.moved(moves) for slot, each in project.patterns.items()}
    return project.with_patterns(patterns)


def _with_patterns_moved(project: Project, moves: Moves) -> Project:
    if f"PTN/{CHAIN_NAME}" in project.other_files and any(_has_pattern(project, slot) for slot in moves):
        raise EditError("The project's pattern chain cannot be read, so it could not follow its patterns.")
    patterns = {new: each for slot, each in project.patterns.items() if (new := moves.get(slot, slot)) is not None}
    unread = {name: moves[slot] for slot, name in project.unread_patterns.items() if slot in moves}
    others = {name: each for name, each in project.other_files.items() if name not in unread}
    others |= {f"PTN/{new.pattern_name}": project.other_files[name] for name, new in unread.items() if new is not None}
    chain = project.chain and renumbered(project.chain, moves)
    return replace(project, patterns=patterns, chain=chain, other_files=others)


def _bank_slots(bank: int) -> tuple[PadSlot, ...]:
    return tuple(PadSlot(bank, pad) for pad in range(PADS_PER_BANK))


def _bank_moves(source: int, target: int) -> dict[PadSlot, PadSlot]:
    return dict(zip(_bank_slots(source), _bank_slots(target), strict=True))


def _need_pad(project: Project, slot: PadSlot) -> None:
    if project.is_free(slot):
        raise EditError(f"Pad {slot} is empty.")


def _need_free(project: Project, slot: PadSlot) -> None:
    if not project.is_free(slot):
        raise EditError(f"Pad {slot} is taken; clear it first, or swap the two.")


def _need_pattern(project: Project, slot: PadSlot) -> None:
    if not _has_pattern(project, slot):
        raise EditError(f"There is no pattern in {slot}.")


def _need_no_pattern(project: Project, slot: PadSlot) -> None:
    if _has_pattern(project, slot):
        raise EditError(f"There is a pattern in {slot} already.")


def _need_readable(project: Project, slots: Iterable[PadSlot]) -> None:
    if unread := sorted(project.unread_patterns.keys() & set(slots)):
        raise EditError(
            f"Pattern {unread[0]} cannot be read, so its notes could not follow their pads; clear it first."
        )


def _need_bank(project: Project, bank: int) -> None:
    if all(_is_unused(project, slot) for slot in _bank_slots(bank)):
        raise EditError(f"Bank {BANK_LETTERS[bank]} is empty.")


def _need_free_bank(project: Project, bank: int) -> None:
    if taken := next((slot for slot in _bank_slots(bank) if not _is_unused(project, slot)), None):
        raise EditError(f"Bank {BANK_LETTERS[bank]} is taken ({taken}); clear it first, or swap the two.")


def _is_unused(project: Project, slot: PadSlot) -> bool:
    return project.is_free(slot) and not _has_pattern(project, slot)


def _has_pattern(project: Project, slot: PadSlot) -> bool:
    return slot in project.patterns or slot in project.unread_patterns
