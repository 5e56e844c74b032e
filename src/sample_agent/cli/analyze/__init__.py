"""`sample-agent analyze`: files and folders in, a table, JSON lines, CSV or Parquet out. No server, no database."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sample_agent.cli.analyze.analyzing import Analyze, cached, here, in_order
from sample_agent.cli.analyze.cache import default_cache
from sample_agent.cli.analyze.result import Result
from sample_agent.cli.analyze.stopping import ToldToStop, run_until_told
from sample_agent.cli.analyze.writers import Format, Writer, opened
from sample_agent.cli.audio_files import audio_files

REMOTE_AHEAD = 64
"""How many files lie with the workers at once, unless `--jobs` says otherwise."""

AHEAD, AHEAD_WITH_FRAMES = 16, 2
"""How many results for each process may wait behind one long file before no more are begun; frames are large."""


def analyze(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILES|FOLDERS...", help="Audio files, and folders to search for them.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON lines: one object for each file.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV, with a header row.")] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Files analysed at once.", show_default="all cores")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write there instead of to the screen; .jsonl, .json, .csv or .parquet choose the format.",
        ),
    ] = None,
    per_frame: Annotated[
        bool, typer.Option("--per-frame", help="Add what was heard over time, frame by frame (JSON and Parquet only).")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Analyse every file, even those unchanged since the last time.")
    ] = False,
    remote: Annotated[
        bool,
        typer.Option(
            "--remote",
            help="Let the workers of an installation do it: over its queue and storage (DATABASE_URL and so on).",
        ),
    ] = False,
) -> None:
    """Tempo, key, kind, loudness and more of audio files, without server or database.

    Folders are searched with all that is in them. What an earlier run has analysed and nobody has changed since is
    not analysed again, so a run that was broken off goes on where it was. Ends with exit code 1 if a file could not
    be analysed.
    """
    layout = _layout(as_json, as_csv, output)
    if per_frame:
        _check_frames(layout, remote=remote)
    count = sum(1 for _ in audio_files(paths))
    if not count:
        raise typer.BadParameter(f"Nothing to analyse: no audio files in {', '.join(map(str, paths))}.")
    job = Job(audio_files(paths, _said_already), count, jobs, per_frame, fresh, remote)
    started, tally = time.perf_counter(), Tally()
    try:
        run_until_told(_run(job, layout, output, tally))
    except ToldToStop as told:
        go_on = "." if fresh else "; run the same command again to go on."
        typer.echo(f"{tally.files} of {count} done{go_on}", err=True)
        raise typer.Exit(told.exit_code) from None
    _summarise(tally, time.perf_counter() - started)
    if tally.failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Job:
    """What is to be analysed, and how: see the options of `analyze`."""

    files: Iterable[Path]
    count: int
    jobs: int | None
    per_frame: bool
    fresh: bool
    remote: bool


@dataclass
class Tally:
    """How many files there were, how many of them an earlier run had done, and how many could not be analysed."""

    files: int = 0
    unchanged: int = 0
    failed: int = 0


def _layout(as_json: bool, as_csv: bool, output: Path | None) -> Format:
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other.")
    if as_json or as_csv or output is None:
        return "json" if as_json else "csv" if as_csv else "table"
    by_suffix: dict[str, Format] = {
        ".json": "json",
        ".jsonl": "json",
        ".csv": "csv",
        ".parquet": "parquet",
        ".txt": "table",
    }
    if output.suffix.lower() not in by_suffix:
        raise typer.BadParameter(f"--json or --csv? The name {output.name!r} does not say.", param_hint="--output")
    return by_suffix[output.suffix.lower()]


def _check_frames(layout: Format, *, remote: bool) -> None:
    if layout not in ("json", "parquet"):
        message = "Frames have no room in a table or in CSV: use --json, or -o with a name that ends in .parquet."
        raise typer.BadParameter(message, param_hint="--per-frame")
    if remote:
        message = "Workers of an installation give no frames: leave out --remote, or --per-frame."
        raise typer.BadParameter(message, param_hint="--per-frame")


def _said_already(sentence: str) -> None:
    """What cannot be read was told of when the files were counted."""


async def _run(job: Job, layout: Format, output: Path | None, tally: Tally) -> None:
    """Analyse all files, at most a few ahead of what is written."""
    async with AsyncExitStack() as stack:
        writer = stack.enter_context(opened(layout, output, per_frame=job.per_frame))
        cache = None if job.fresh else default_cache(per_frame=job.per_frame)
        if cache is not None:
            stack.callback(cache.close)
        analyze, ahead = await _analyzer(stack, job)
        await _write_all(in_order(job.files, cached(analyze, cache), ahead), job.count, writer, tally)


async def _analyzer(stack: AsyncExitStack, job: Job) -> tuple[Analyze, int]:
    """Who analyses, and how many files may be under way."""
    if job.remote:
        from sample_agent.cli.analyze.remote import at_workers

        return await stack.enter_async_context(at_workers()), job.jobs or REMOTE_AHEAD
    workers = min(job.jobs or os.cpu_count() or 1, job.count)
    ahead = AHEAD_WITH_FRAMES if job.per_frame else AHEAD
    return await stack.enter_async_context(here(workers, per_frame=job.per_frame)), ahead * workers


async def _write_all(results: AsyncIterator[Result], count: int, writer: Writer, tally: Tally) -> None:
    with _progress(count) as advance:
        async for result in results:
            writer.write(result)
            tally.files += 1
            tally.unchanged += result.unchanged
            tally.failed += result.error is not None
            advance()
    writer.finish()


@contextmanager
def _progress(count: int) -> Iterator[Callable[[], None]]:
    """A bar on the terminal; each call of what it gives is one file done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Analysing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=count)
        yield lambda: progress.advance(bar)


def _summarise(tally: Tally, seconds: float) -> None:
    noun = "file" if tally.files == 1 else "files"
    pace = f"{tally.files} {noun} in {seconds:.1f} s ({tally.files / seconds:.1f} a second)"
    typer.echo(f"{pace}, {tally.unchanged} unchanged since an earlier run, {tally.failed} failed.", err=True)
