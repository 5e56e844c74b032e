"""Merging: banks of several projects become one project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sample_agent.sp404.formats.padconf import Padconf, PadEntry, TempoSelect
from sample_agent.sp404.formats.padconf_project import ProjectSettings
from sample_agent.sp404.formats.pattern import Pattern
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.projects.content import Content
from sample_agent.sp404.projects.edit import renumbered
from sample_agent.sp404.projects.project import Project
from sample_agent.sp404.slots import BANK_LETTERS, BANKS, PADS_PER_BANK, PadSlot

_GROUPS = range(1, 11)


@dataclass(frozen=True)
class BankPart:
    """Bank `source` of a project to become bank `target`, both 0 (A) to 9 (J). `label` names the project in notices."""

    project: Project = field(repr=False)
    source: int
    target: int
    label: str


@dataclass(frozen=True)
class DroppedNotes:
    """A pattern played pads of a bank that was not merged; those notes are gone."""

    label: str
    pattern: PadSlot
    pads: tuple[PadSlot, ...]
    count: int

    def __str__(self) -> str:
        pads = ", ".join(map(str, self.pads))
        noun = "note" if self.count == 1 else "notes"
        return f"{self.label}: pattern {self.pattern} loses {self.count} {noun} on pads that were not merged ({pads})."


@dataclass(frozen=True)
class SilentPad:
    """A pad whose SMP file is missing already; the unit drops it unless the file is added."""

    label: str
    pad: PadSlot
    name: str

    def __str__(self) -> str:
        return f"{self.label}: pad {self.pad} ({self.name!r}) has no sample file."


@dataclass(frozen=True)
class Regrouped:
    """A mute or link group that pads of another project have as well; it has another letter now, or none was free."""

    label: str
    kind: str
    old: int
    new: int | None

    def __str__(self) -> str:
        shared = f"{self.label}: {self.kind} group {_letter(self.old)} is also used by another project"
        if self.new is None:
            return f"{shared}; none was free, so the two now act as one."
        return f"{shared}; its pads are in group {_letter(self.new)} now."


@dataclass(frozen=True)
class ShortenedChain:
    """The first project's chain played patterns that were not merged."""

    label: str
    left: int
    before: int

    def __str__(self) -> str:
        return f"{self.label}: {self.left} of the {self.before} patterns of the chain were merged."


@dataclass(frozen=True)
class LeftBehind:
    """Files that nobody can read, and samples that no pad plays: they stay with their project."""

    label: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {len(self.files) - 6} more" if len(self.files) > 6 else ""
        return f"{self.label}: not merged: {', '.join(self.files[:6])}{more}."


Notice = DroppedNotes | SilentPad | Regrouped | ShortenedChain | LeftBehind


@dataclass(frozen=True)
class Merged:
    """The new project, and what could not be kept as it was."""

    project: Project
    notices: tuple[Notice, ...]


class MergeError(ValueError):
    """Banks that cannot be merged like this. Its text says why."""


def merge_banks(parts: Sequence[BankPart], name: str | None = None) -> Merged:
    """One project made of banks of several.

    A bank brings its pads, its patterns, and its tempo, protection and volume. Notes go where their pads went; notes
    on pads that were not merged are dropped, because in the new project they would play somebody else's sample. A
    pattern that cannot be read is left behind for the same reason.
    Banks keep the tempo they played at: where the projects do not agree, the new one goes by its banks' tempos.
    Mute and link groups count for a whole project, so groups of the same letter from two projects are told apart.
    Name (unless given), pictures, chain and the rest of the settings are the first project's.

    Raises `MergeError` for no bank at all, two banks for the same place, and a bank in which there is nothing;
    `OutOfRangeError` for a name the unit does not take.
    """
    _refuse_collisions(parts)
    first = parts[0].project
    merging = _Merging(parts)
    for part in parts:
        merging.take(part)
    padconf = Padconf(_settings(parts), tuple(merging.entries), first.padconf.name_bytes)
    if name is not None:
        padconf = padconf.with_name(name)
    chain = _chain(parts, merging.notices)
    merging.notices += _left_behind(parts)
    project = Project(padconf, merging.audio, merging.patterns, chain, first.pictures)
    return Merged(project, tuple(merging.notices))


def _refuse_collisions(parts: Sequence[BankPart]) -> None:
    if not parts:
        raise MergeError("There is no bank to merge.")
    taken: dict[int, BankPart] = {}
    for part in parts:
        for bank in (part.source, part.target):
            if not 0 <= bank < BANKS:
                raise MergeError("A bank has a letter from A to J.")
        other = taken.setdefault(part.target, part)
        if other is not part:
            raise MergeError(
                f"Bank {BANK_LETTERS[part.target]} cannot be both {_shown(other)} and {_shown(part)}; "
                "give one of them another place."
            )
        slots = [PadSlot(part.source, pad) for pad in range(PADS_PER_BANK)]
        if not any(slot in part.project.pads or slot in part.project.patterns for slot in slots):
            raise MergeError(f"There is nothing in {_shown(part)}.")


class _Merging:
    """The new project as far as it has come."""

    def __init__(self, parts: Sequence[BankPart]) -> None:
        self._parts = parts
        self.entries = [PadEntry.empty()] * (BANKS * PADS_PER_BANK)
        self.audio: dict[PadSlot, Content] = {}
        self.patterns: dict[PadSlot, Pattern] = {}
        self.notices: list[Notice] = []
        self._mute_groups = _groups(parts, "mute_group", "mute", self.notices)
        self._links = _groups(parts, "link", "link", self.notices)

    def take(self, part: BankPart) -> None:
        moves = self._moves(part)
        pads = part.project.pads
        for number in range(PADS_PER_BANK):
            old, new = PadSlot(part.source, number), PadSlot(part.target, number)
            if pad := pads.get(old):
                self.entries[new.index] = self._regrouped(part, pad.entry)
                if pad.audio is None:
                    self.notices.append(SilentPad(part.label, old, pad.name))
                else:
                    self.audio[new] = pad.audio
            if pattern := part.project.patterns.get(old):
                self.patterns[new] = pattern.moved(moves)
                self._notice_dropped(part, old, pattern, moves)

    def _moves(self, part: BankPart) -> dict[PadSlot, PadSlot | None]:
        """Where the pads of this part's project are now. The bank itself goes before its other places."""
        same = [each for each in self._parts if each.project is part.project]
        moves: dict[PadSlot, PadSlot | None] = {}
        for bank in range(BANKS):
            found = part if bank == part.source else next((each for each in same if each.source == bank), None)
            for pad in range(PADS_PER_BANK):
                moves[PadSlot(bank, pad)] = PadSlot(found.target, pad) if found else None
        return moves

    def _notice_dropped(
        self, part: BankPart, slot: PadSlot, pattern: Pattern, moves: dict[PadSlot, PadSlot | None]
    ) -> None:
        lost = Counter(note.slot for note in pattern.notes if moves[note.slot] is None)
        if lost:
            self.notices.append(DroppedNotes(part.label, slot, tuple(sorted(lost)), lost.total()))

    def _regrouped(self, part: BankPart, entry: PadEntry) -> PadEntry:
        settings, project = entry.settings, id(part.project)
        changed = {}
        if settings.mute_group in _GROUPS:
            changed["mute_group"] = self._mute_groups[project, settings.mute_group]
        if settings.link in _GROUPS:
            changed["link"] = self._links[project, settings.link]
        return replace(entry, settings=settings.replace(**changed))


def _groups(parts: Sequence[BankPart], setting: str, kind: str, notices: list[Notice]) -> dict[tuple[int, int], int]:
    """The group each project's groups become, by the project's id and the old number: the same one where it can be."""
    labels: dict[tuple[int, int], str] = {}
    for part in parts:
        for slot, pad in part.project.pads.items():
            number = getattr(pad.settings, setting)
            if slot.bank == part.source and number in _GROUPS:
                labels.setdefault((id(part.project), number), part.label)
    given: dict[tuple[int, int], int] = {}
    for key in labels:
        if key[1] not in given.values():
            given[key] = key[1]
    for key, label in labels.items():
        if key not in given:
            new = next((number for number in _GROUPS if number not in given.values()), None)
            given[key] = key[1] if new is None else new
            notices.append(Regrouped(label, kind, key[1], new))
    return given


def _settings(parts: Sequence[BankPart]) -> ProjectSettings:
    """The first project's, with every merged bank's own; banks nobody fills are as in a new project."""
    first = parts[0].project
    fresh = Padconf.new("").settings
    settings = first.padconf.settings
    for bank in range(BANKS):
        settings = settings.with_bank_from(bank, fresh, bank)
    for part in parts:
        settings = settings.with_bank_from(part.target, part.project.padconf.settings, part.source)
    if _agree(part.project for part in parts):
        return settings
    for part in parts:
        if part.project.tempo_select is TempoSelect.PROJECT:
            settings = settings.with_bank(part.target, tempo=part.project.tempo)
    return settings.replace(tempo_select=TempoSelect.BANK)


def _agree(projects: Iterable[Project]) -> bool:
    """Whether all go by their banks' tempos, or all by one and the same project's tempo."""
    tempos = {each.tempo if each.tempo_select is TempoSelect.PROJECT else None for each in projects}
    return len(tempos) == 1


def _chain(parts: Sequence[BankPart], notices: list[Notice]) -> PatternChain | None:
    first = parts[0]
    chain = first.project.chain
    if chain is None or not chain.patterns:
        return chain
    moves: dict[PadSlot, PadSlot | None] = dict.fromkeys(first.project.patterns)
    moves |= {PadSlot.from_index(number - 1): None for number in chain.patterns if 1 <= number <= BANKS * PADS_PER_BANK}
    for part in reversed([each for each in parts if each.project is first.project]):
        moves |= {PadSlot(part.source, pad): PadSlot(part.target, pad) for pad in range(PADS_PER_BANK)}
    moves |= dict.fromkeys(first.project.unread_patterns)
    merged = renumbered(chain, moves)
    left = len(merged.patterns) if merged else 0
    if left < len(chain.patterns):
        notices.append(ShortenedChain(first.label, left, len(chain.patterns)))
    return merged


def _left_behind(parts: Sequence[BankPart]) -> Iterator[LeftBehind]:
    """For each project the files that go with none of its banks; samples that no pad plays stay behind with theirs."""
    for part in {id(each.project): each for each in reversed(parts)}.values():
        banks = {each.source for each in parts if each.project is part.project}
        stray = [f"SMPL/{slot.smp_name}" for slot in part.project.stray_audio if slot.bank in banks]
        elsewhere = {name for slot, name in part.project.unread_patterns.items() if slot.bank not in banks}
        if files := (*stray, *(name for name in part.project.other_files if name not in elsewhere)):
            yield LeftBehind(part.label, files)


def _shown(part: BankPart) -> str:
    return f"bank {BANK_LETTERS[part.source]} of {part.label}"


def _letter(group: int) -> str:
    return BANK_LETTERS[group - 1]
