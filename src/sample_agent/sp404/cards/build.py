"""From a layout and the sounds in it to a project that can be written to a card."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sample_agent.sp404.cards.batch import OnProgress, Order, PreparedFile, Source, prepare_all
from sample_agent.sp404.cards.report import Item, LeftOut, Report, remarks
from sample_agent.sp404.formats.padconf import MAX_CHOPS, TempoSelect
from sample_agent.sp404.formats.smp import MAX_FRAMES, SAMPLE_RATE, smp_size, write_smp
from sample_agent.sp404.kits.groove import starter_patterns
from sample_agent.sp404.kits.kit import KitSample, fold_tempo
from sample_agent.sp404.kits.layout import Layout, Placement, common_tempo
from sample_agent.sp404.names import device_name
from sample_agent.sp404.projects.content import ScratchContent
from sample_agent.sp404.projects.output import card_folder
from sample_agent.sp404.projects.project import Pad, Project
from sample_agent.sp404.slots import BANK_LETTERS, PadSlot
from sample_agent.sp404.sound.stretch import MAX_STRETCH_FRAMES, TempoFit, tempo_fit
from sample_agent.sp404.sound.treatment import Preparation, Treatment, bank_gains

PROJECT_NAME_LIMIT = 31
DEFAULT_TEMPO = 90.0
"""What a new project on the unit has."""

_SMALLEST_CHOP = 1_000
"""Frames between a start and an end that the unit keeps at least."""
_LATEST_FIRST_SLICE = SAMPLE_RATE // 20
"""A first hit that is no later than this is the one the first chop, at 0, stands for."""


@dataclass(frozen=True)
class SoundOptions:
    """What is done to each sample.

    Attributes:
        trim: cut silence off both ends of one-shots; fade: short fades where one would click.
        remove_dc: take a constant offset away; merge_mono: two channels with the same sound become one.
        normalise_db: bring each peak here, dBFS; None keeps levels.
        match_loudness: make the samples of a bank equally loud.
    """

    trim: bool = True
    fade: bool = True
    remove_dc: bool = True
    merge_mono: bool = True
    normalise_db: float | None = None
    match_loudness: bool = False

    def gain_reason(self, matching: str) -> str:
        """Why levels are changed, in words; "" when that was not asked for."""
        if self.match_loudness:
            return matching
        return "" if self.normalise_db is None else f"to peak at {self.normalise_db:g} dBFS"

    def treatment(self, sample: KitSample, *, gain_db: float = 0.0, stretch: float = 1.0) -> Treatment:
        """What is done to one sample of its kind."""
        usual = Treatment.for_kind("loop" if sample.is_loop else sample.kind)
        return replace(
            usual,
            remove_dc=usual.remove_dc and self.remove_dc,
            trim_below_db=usual.trim_below_db if self.trim else None,
            fade_seconds=usual.fade_seconds if self.fade else 0.0,
            mono_below_db=usual.mono_below_db if self.merge_mono else None,
            normalise_db=self.normalise_db,
            gain_db=gain_db,
            stretch=stretch,
        )


@dataclass(frozen=True)
class BuildOptions:
    """How a project is to be.

    Attributes:
        name: of the project; the unit shows up to 31 characters.
        number: of the project on the unit, 1 to 16.
        tempo: beats per minute; that of most loops when None, and 90 without loops.
        bank_tempos: each bank plays at the tempo of its own loops, instead of all at the project's.
        fit_tempo: stretch loops that BPM sync would play in half or double time.
        chops: set chop points in loops whose slices are known.
        starter_pattern: write a plain groove for each kit.
        sound: what is done to each sample.
        free_bytes: room on the card, when known.
    """

    name: str = "Project"
    number: int = 16
    tempo: float | None = None
    bank_tempos: bool = False
    fit_tempo: bool = True
    chops: bool = False
    starter_pattern: bool = False
    sound: SoundOptions = SoundOptions()
    free_bytes: int | None = None


@dataclass(frozen=True)
class BuiltProject:
    """A project and what became of each sample. Its sounds lie in the scratch folder it was built in."""

    project: Project
    report: Report


@contextmanager
def built_project(
    made: Layout,
    sources: Mapping[str, Source],
    options: BuildOptions,
    *,
    scratch_dir: Path | None = None,
    workers: int | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[BuiltProject]:
    """Prepare every sample of a layout and put the project together; it can be written until the context ends.

    A sample whose source cannot be read is left out, with its reason in the report; the others keep their pads.

    Args:
        made: which sample is on which pad.
        sources: how to open each sample's sound, by its id.
        options: how the project is to be.
        scratch_dir: where the prepared sounds lie meanwhile, in a folder of their own that is removed in the end and
            whenever anything goes wrong; the system's place for such by default.
        workers: threads; one for each core by default.
        on_progress: called with how many samples are done, and how many there are.
    """
    with TemporaryDirectory(prefix="sp404-", dir=scratch_dir) as scratch:
        plans = _plans(made, options)
        orders = [
            Order(
                sources[plan.placement.sample.id],
                plan.treatment,
                write_smp,
                Path(scratch, plan.placement.slot.smp_name),
            )
            for plan in plans
        ]
        outcomes = prepare_all(orders, workers=workers, on_progress=on_progress)
        yield _assembled(made, options, list(zip(plans, outcomes, strict=True)))


def project_tempo(made: Layout, options: BuildOptions) -> tuple[float, str]:
    """The tempo a project is to have, and in a sentence where it comes from."""
    if options.tempo is not None:
        tempo = fold_tempo(options.tempo)
        why = "as asked" if tempo == options.tempo else f"the unit cannot be set to the {options.tempo:g} asked for"
        return tempo, f"The project plays at {tempo:g} BPM, {why}."
    tempo_of_loops = common_tempo((each.sample for each in made.placements), made.rules)
    if tempo_of_loops is None:
        return DEFAULT_TEMPO, f"No loop has a known tempo, so the project plays at {DEFAULT_TEMPO:g} BPM."
    return tempo_of_loops, f"The project plays at {tempo_of_loops:g} BPM, the tempo that most of its loops are near."


def scratch_bytes(samples: Iterable[KitSample]) -> int:
    """Room that prepared samples take at most, judged by their lengths."""
    return sum(
        smp_size(min(sample.channels, 2), min(round(sample.duration * SAMPLE_RATE), MAX_FRAMES)) for sample in samples
    )


@dataclass(frozen=True)
class _Plan:
    """One pad before its sound is prepared."""

    placement: Placement
    bank_tempo: float
    treatment: Treatment
    fit: TempoFit | None
    too_long_to_fit: bool


def _plans(made: Layout, options: BuildOptions) -> list[_Plan]:
    tempos = _bank_tempos(made, options)
    gains = _gains(made, options)
    plans = []
    for placement in made.placements:
        bank_tempo = tempos[placement.slot.bank]
        fit = _fit(placement, bank_tempo, options)
        too_long = fit is not None and _too_long(placement.sample, fit)
        if too_long:
            fit = None
        treatment = options.sound.treatment(
            placement.sample, gain_db=gains[placement.slot], stretch=fit.stretch if fit else 1.0
        )
        plans.append(_Plan(placement, bank_tempo, treatment, fit, too_long))
    return plans


def _bank_tempos(made: Layout, options: BuildOptions) -> dict[int, float]:
    tempo, _ = project_tempo(made, options)
    return {plan.bank: plan.tempo if options.bank_tempos and plan.tempo else tempo for plan in made.banks}


def _gains(made: Layout, options: BuildOptions) -> dict[PadSlot, float]:
    """By how much each pad has to be made louder to match its bank."""
    if not options.sound.match_loudness:
        return dict.fromkeys((each.slot for each in made.placements), 0.0)
    banks: defaultdict[int, list[Placement]] = defaultdict(list)
    for placement in made.placements:
        banks[placement.slot.bank].append(placement)
    return {
        placement.slot: gain
        for bank in banks.values()
        for placement, gain in zip(
            bank,
            bank_gains([each.sample.loudness for each in bank], [each.sample.peak_db for each in bank]),
            strict=True,
        )
    }


def _fit(placement: Placement, tempo: float, options: BuildOptions) -> TempoFit | None:
    if not (options.fit_tempo and placement.playing.bpm_sync and placement.tempo is not None):
        return None
    fit = tempo_fit(placement.tempo, tempo)
    return fit if fit.needed else None


def _too_long(sample: KitSample, fit: TempoFit) -> bool:
    return sample.duration * max(1.0, fit.stretch) * SAMPLE_RATE > MAX_STRETCH_FRAMES


def _assembled(made: Layout, options: BuildOptions, results: list[tuple[_Plan, PreparedFile | str]]) -> BuiltProject:
    tempo, tempo_words = project_tempo(made, options)
    name = device_name(options.name, limit=PROJECT_NAME_LIMIT)
    decisions = [tempo_words]
    if name != options.name:
        decisions.append(f"The project is called {name!r} on the unit.")
    left_out = [LeftOut(each.sample.id, each.sample.name, each.reason) for each in made.leftovers]
    pads: dict[PadSlot, Pad] = {}
    items: list[Item] = []
    taken: set[str] = set()
    for plan, outcome in results:
        sample, slot = plan.placement.sample, plan.placement.slot
        if isinstance(outcome, str):
            left_out.append(LeftOut(sample.id, sample.name, outcome))
            continue
        pad_name = device_name(sample.name, taken=taken)
        taken.add(pad_name.lower())
        pads[slot], item = _pad(plan, outcome, pad_name, options)
        items.append(item)
    project = Project.new(name, tempo, TempoSelect.BANK if options.bank_tempos else TempoSelect.PROJECT)
    if options.bank_tempos:
        for bank, own in _bank_tempos(made, options).items():
            project = project.with_bank(bank, tempo=own)
            decisions.append(f"Bank {BANK_LETTERS[bank]} plays at {own:g} BPM.")
    project = project.with_pads(pads)
    if options.starter_pattern:
        loaded = replace(made, placements=tuple(each for each in made.placements if each.slot in pads))
        starters = starter_patterns(loaded, _bank_tempos(made, options))
        project = project.with_patterns({slot: starter.pattern for slot, starter in starters.items()})
        decisions += [f"Pattern {slot} is a first groove ({starter.words})." for slot, starter in starters.items()]
        if not starters:
            decisions.append("No starter pattern: there is neither kick nor snare nor hat.")
    extra = sum(content.size for path, content in project.files().items() if not path.startswith("SMPL/"))
    report = Report(name, tuple(items), tuple(left_out), tuple(decisions), options.free_bytes, extra)
    return BuiltProject(project, report)


def _pad(plan: _Plan, file: PreparedFile, name: str, options: BuildOptions) -> tuple[Pad, Item]:
    placement, done = plan.placement, file.preparation
    chops = _chops(placement.sample, done) if options.chops else ()
    # What has no tempo of its own, a drum say, has its bank's.
    settings = {"tempo": plan.bank_tempo} | placement.settings() | ({"tempo": plan.fit.tempo} if plan.fit else {})
    pad = Pad.of(ScratchContent(file.path, file.size), name, chops, **settings)
    item = Item(
        sample_id=placement.sample.id,
        original_name=placement.sample.name,
        name=name,
        path=f"{card_folder(options.number)}/SMPL/{placement.slot.smp_name}",
        pad=str(placement.slot),
        reason=placement.reason,
        size=file.size,
        sha256=file.sha256,
        processing=done,
        remarks=remarks(
            done,
            name=name,
            original_name=placement.sample.name,
            gain_reason=options.sound.gain_reason("to match its bank"),
            tempo_words=_tempo_words(plan.placement),
            out_of_reach=plan.too_long_to_fit,
            chops=len(chops),
        ),
    )
    return pad, item


def _tempo_words(placement: Placement) -> str:
    own, set_to = placement.sample.tempo, placement.tempo
    return "" if own is None or set_to in (None, round(own, 2)) else f"{own:g} BPM is set as {set_to:g}"


def _chops(sample: KitSample, done: Preparation) -> tuple[int, ...]:
    """Up to 16 chop points in a loop, in frames, the first at 0; none when it has no second slice.

    Of more slices those are taken that are nearest to sixteen equal parts.
    """
    end = done.frames - done.padded_frames
    if not sample.is_loop:
        return ()
    frames = sorted({done.frame_at(start) for start in sample.slices})
    if frames and frames[0] < _LATEST_FIRST_SLICE:
        frames[0] = 0
    inner = [frame for frame in frames if _SMALLEST_CHOP <= frame <= end - _SMALLEST_CHOP]
    if len(inner) >= MAX_CHOPS:
        inner = sorted(
            {min(inner, key=lambda frame: abs(frame - part * end / MAX_CHOPS)) for part in range(1, MAX_CHOPS)}
        )
    points = [0]
    for frame in inner:
        if frame - points[-1] >= _SMALLEST_CHOP:
            points.append(frame)
    return tuple(points) if len(points) > 1 else ()
