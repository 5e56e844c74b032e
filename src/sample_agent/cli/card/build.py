"""`sample-agent card build`: audio files in, a project for the unit or a card of WAV files out."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sample_agent.cli.audio_files import audio_files
from sample_agent.cli.card.errors import explained

if TYPE_CHECKING:
    from sample_agent.cli.analyze.result import Result
    from sample_agent.sp404.cards.batch import Source
    from sample_agent.sp404.cards.build import BuildOptions
    from sample_agent.sp404.cards.report import LeftOut, Report
    from sample_agent.sp404.kits.kit import KitSample
    from sample_agent.sp404.kits.rules import LayoutRules


def build(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILES|FOLDERS...", help="Audio files, and folders to search for them.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Top of the card, or an archive ending in .zip.")],
    project: Annotated[int, typer.Option("--project", min=1, max=16, help="Number of the project on the unit.")] = 16,
    name: Annotated[
        str | None, typer.Option(help="Name of the project.", show_default="that of the first file's folder")
    ] = None,
    tempo: Annotated[
        float | None,
        typer.Option(min=1, max=1000, help="Beats per minute.", show_default="that of most loops, else 90"),
    ] = None,
    bank_tempos: Annotated[
        bool, typer.Option("--bank-tempos", help="Each bank plays at the tempo of its own loops.")
    ] = False,
    fit_tempo: Annotated[
        bool, typer.Option(help="Stretch loops that BPM sync would play in half or double time.")
    ] = True,
    match_loudness: Annotated[
        bool, typer.Option("--match-loudness", help="Make the samples of a bank equally loud.")
    ] = False,
    normalise: Annotated[
        float | None, typer.Option(min=-60, max=0, help="Bring the peak of each sample to so many dBFS.")
    ] = None,
    trim: Annotated[bool, typer.Option(help="Cut silence off both ends of one-shots.")] = True,
    chops: Annotated[bool, typer.Option("--chops", help="Set up to 16 chop points in loops.")] = False,
    starter_pattern: Annotated[
        bool, typer.Option("--starter-pattern", help="Write a first groove for each kit.")
    ] = False,
    rules: Annotated[
        Path | None, typer.Option(help="TOML file with other rules for the layout; --explain shows them.")
    ] = None,
    wav: Annotated[bool, typer.Option("--wav", help="Plain WAV files in IMPORT/ instead of a project.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite what an earlier run wrote there.")] = False,
    card_free: Annotated[
        float | None, typer.Option(min=0, help="Room on the card in GB.", show_default="what is free at --out")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each sample is where it is.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Analyse again what an earlier run has analysed.")] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Files treated at once.", show_default="all cores")
    ] = None,
) -> None:
    """Lay audio files out on pads and write a project that the SP-404MK2 loads.

    Files are analysed, placed as players place them, converted to what the unit plays, and written in one step. A file
    that cannot be read is left out and named. Not yet tested on hardware.
    """
    from sample_agent.sp404.cards.build import BuildOptions, SoundOptions

    if match_loudness and normalise is not None:
        raise typer.BadParameter("--match-loudness and --normalise exclude each other: both set the level.")
    workers = jobs or os.cpu_count() or 1
    free = _free_bytes(out) if card_free is None else round(card_free * 10**9)
    options = BuildOptions(
        name=name or _name_from(paths),
        number=project,
        tempo=tempo,
        bank_tempos=bank_tempos,
        fit_tempo=fit_tempo,
        chops=chops,
        starter_pattern=starter_pattern,
        sound=SoundOptions(trim=trim, normalise_db=normalise, match_loudness=match_loudness),
        free_bytes=free,
    )
    layout_rules = _rules(rules)
    _end_cleanly_when_told_to()
    with explained():
        replace = _may_replace(out, options, wav=wav, replace=replace)
        files = list(audio_files(paths))
        if wav:
            files = _without_earlier_run(files, paths, out, options.name)
        crate = _crate(files, paths, workers, fresh=fresh)
        write = _write_wav_card if wav else _write_project
        report = write(crate, options, layout_rules, out, replace=replace, workers=workers)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        from sample_agent.cli.card.build_report import show

        show(report, layout_rules if explain else None)
        typer.echo(f"Written to {out}. Not yet tested on hardware.")


def _end_cleanly_when_told_to() -> None:
    """Have a closed terminal or a shutdown end the command as Ctrl-C does: what lies in scratch folders is removed."""
    for name in ("SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):
            signal.signal(number, lambda number, _: sys.exit(128 + number))


@dataclass(frozen=True)
class Crate:
    """Samples to be built from, how to open them, and the files that cannot be used."""

    samples: list[KitSample]
    sources: dict[str, Source]
    unreadable: list[LeftOut]


def _without_earlier_run(files: list[Path], paths: list[Path], out: Path, name: str) -> list[Path]:
    """The files without those that an earlier run wrote, when `out` lies in a folder to be searched."""
    top = (out / "IMPORT").resolve()
    if not top.is_dir():
        return files
    given = {path.resolve() for path in paths}
    earlier = {folder for folder in top.iterdir() if folder not in given and _collection(folder) == name}
    return [file for file in files if file.resolve() in given or file.resolve().parent not in earlier]


def _collection(folder: Path) -> object:
    """What the manifest in a folder of WAV files says they are; None when there is none."""
    try:
        said = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said.get("collection") if isinstance(said, dict) else None


def _crate(files: list[Path], paths: list[Path], workers: int, *, fresh: bool) -> Crate:
    from sample_agent.placing import file_source, kit_sample
    from sample_agent.sp404.cards.report import LeftOut

    if not files:
        raise typer.BadParameter(f"Nothing to build from: no audio files in {', '.join(map(str, paths))}.")
    samples, sources, unreadable = [], {}, []
    results = asyncio.run(_analysed(files, workers, fresh=fresh))
    for result, identity in zip(results, _identities(files, paths), strict=True):
        if result.features is None:
            message = (result.error or {}).get("message", "It cannot be analysed.")
            unreadable.append(LeftOut(identity, result.path.name, message))
            continue
        # Absolute, so that what folders are called counts from wherever the command is run.
        sample = kit_sample(result.features, result.path.absolute(), identity=identity)
        samples.append(sample)
        sources[sample.id] = file_source(result.path)
    if not samples:
        reasons = "".join(f"\n{each.original_name}: {each.reason}" for each in unreadable)
        raise RuntimeError(f"There is nothing to build from; no file can be read.{reasons}")
    return Crate(samples, sources, unreadable)


def _identities(files: Iterable[Path], paths: Iterable[Path]) -> Iterator[str]:
    """What to call each file on the card: its path in the folder that was given, so nothing of this machine's own."""
    folders = sorted((path for path in paths if path.is_dir()), key=lambda path: len(path.parts))
    taken: set[str] = set()
    for file in files:
        folder = next((folder for folder in folders if file.is_relative_to(folder)), file.parent)
        name = identity = file.relative_to(folder).as_posix()
        number = 1
        while identity in taken:
            number += 1
            identity = f"{name} ({number})"
        taken.add(identity)
        yield identity


async def _analysed(files: Sequence[Path], workers: int, *, fresh: bool) -> list[Result]:
    from sample_agent.cli.analyze.analyzing import cached, here, in_order
    from sample_agent.cli.analyze.cache import default_cache

    cache = None if fresh else default_cache()
    try:
        async with here(min(workers, len(files))) as analyze:
            results = []
            with _progress("Analysing", len(files)) as tell:
                async for result in in_order(files, cached(analyze, cache), 16 * workers):
                    results.append(result)
                    tell(len(results), len(files))
            return results
    finally:
        if cache is not None:
            cache.close()


def _write_project(
    crate: Crate, options: BuildOptions, rules: LayoutRules, out: Path, *, replace: bool, workers: int
) -> Report:
    from sample_agent.sp404.cards.build import built_project
    from sample_agent.sp404.cards.manifest import project_manifest
    from sample_agent.sp404.cards.readme import project_readme
    from sample_agent.sp404.kits.layout import layout
    from sample_agent.sp404.projects.content import BytesContent
    from sample_agent.sp404.projects.output import card_folder, files_zip, write_card, write_file

    made = layout(crate.samples, rules)
    _need_scratch(each.sample for each in made.placements)
    with (
        _progress("Converting", len(made.placements)) as tell,
        built_project(made, crate.sources, options, workers=workers, on_progress=tell) as built,
    ):
        report = _checked(built.report, crate)
        papers = {
            f"PROJECT_{options.number:02}-README.TXT": project_readme(built.project.name, options.number).encode(),
            f"PROJECT_{options.number:02}-MANIFEST.json": project_manifest(
                built.project, options.number, report
            ).encode(errors="backslashreplace"),
        }
        if _is_archive(out):
            folder = card_folder(options.number)
            files = {f"{folder}/{path}": content for path, content in built.project.files().items()}
            files |= {path: BytesContent(text) for path, text in papers.items()}
            write_file(files_zip(files, ""), out, replace=replace)
        else:
            write_card(built.project, out, options.number, replace=replace)
            for path, text in papers.items():
                write_file(iter((text,)), out / path, replace=True)
    return report


def _write_wav_card(
    crate: Crate, options: BuildOptions, rules: LayoutRules, out: Path, *, replace: bool, workers: int
) -> Report:
    from sample_agent.sp404.cards.build_wav import built_wav_card
    from sample_agent.sp404.cards.manifest import wav_card_manifest
    from sample_agent.sp404.cards.readme import wav_card_readme
    from sample_agent.sp404.projects.content import BytesContent, Content
    from sample_agent.sp404.projects.output import files_zip, write_file, write_files

    _need_scratch(crate.samples)
    with (
        _progress("Converting", len(crate.samples)) as tell,
        built_wav_card(
            options.name,
            crate.samples,
            crate.sources,
            options.sound,
            free_bytes=options.free_bytes,
            workers=workers,
            on_progress=tell,
        ) as built,
    ):
        report = _checked(built.report, crate)
        manifest = BytesContent(wav_card_manifest(options.name, report).encode(errors="backslashreplace"))
        readme = BytesContent(wav_card_readme(built.folder).encode())
        if _is_archive(out):
            files: dict[str, Content] = {"README.TXT": readme, **built.files, "MANIFEST.json": manifest}
            write_file(files_zip(files, ""), out, replace=replace)
        else:
            folders: dict[str, dict[str, Content]] = {}
            for path, content in built.files.items():
                folder, _, file = path.rpartition("/")
                folders.setdefault(folder, {"README.TXT": readme, "MANIFEST.json": manifest})[file] = content
            for folder, inside in folders.items():
                write_files(inside, out / folder, marker="MANIFEST.json", replace=replace)
    return report


def _need_scratch(samples: Iterable[KitSample]) -> None:
    """Refuse before the work begins when its results would not fit where they lie until they are written."""
    from sample_agent.sp404.cards.build import scratch_bytes
    from sample_agent.sp404.cards.report import spoken_size

    place = tempfile.gettempdir()
    needed, free = scratch_bytes(samples), shutil.disk_usage(place).free
    if needed > free:
        raise RuntimeError(
            f"Converting takes up to {spoken_size(needed)} in {place}, where {spoken_size(free)} are free. "
            "The environment variable TMPDIR names another place."
        )


def _checked(report: Report, crate: Crate) -> Report:
    """The report with the files that never got so far; refuses to write what does not fit."""
    from dataclasses import replace

    report = replace(report, left_out=(*crate.unreadable, *report.left_out))
    if not report.items:
        reasons = "".join(f"\n{each.original_name}: {each.reason}" for each in report.left_out)
        raise RuntimeError(f"There is nothing to write; no sample could be prepared.{reasons}")
    if report.problems:
        raise RuntimeError(" ".join(report.problems))
    return report


def _may_replace(out: Path, options: BuildOptions, *, wav: bool, replace: bool) -> bool:
    """Ask or refuse before the work begins when something is there already; writing checks it again."""
    from sample_agent.sp404.names import device_name
    from sample_agent.sp404.projects.output import AlreadyThereError, card_folder

    if not _is_archive(out) and out.exists() and not out.is_dir():
        raise AlreadyThereError(f"{out} is a file; name a folder, or an archive ending in .zip.")
    inside = f"IMPORT/{device_name(options.name)}" if wav else card_folder(options.number)
    target = out if _is_archive(out) else out / inside
    if replace or not (any(target.iterdir()) if target.is_dir() else target.exists()):
        return replace
    if not sys.stdin.isatty():
        raise AlreadyThereError(f"{target} is there already. Add --replace to write over it.")
    return typer.confirm(f"{target} is there already. Replace it?", abort=True, err=True)


def _rules(path: Path | None) -> LayoutRules:
    from sample_agent.sp404.kits.rules import PLAYERS, RulesError, rules_from_toml

    if path is None:
        return PLAYERS
    try:
        return rules_from_toml(path.read_text(encoding="utf-8"))
    except (RulesError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint="--rules") from error
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}.", param_hint="--rules") from error


def _name_from(paths: list[Path]) -> str:
    first = paths[0].resolve()
    return (first if first.is_dir() else first.parent).name or "Project"


def _is_archive(out: Path) -> bool:
    return out.suffix.lower() == ".zip"


def _free_bytes(out: Path) -> int | None:
    place = out.absolute()
    while not place.exists():
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None


@contextmanager
def _progress(what: str, count: int) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal; it is told how many are done, and of how many."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=count)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
