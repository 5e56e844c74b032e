"""`sample-agent analyze`: files and folders in, a table, JSON lines, CSV or Parquet out. No server, no database."""

from __future__ import annotations

import asyncio
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
from sample_agent.cli.analyze.writers import Format, Writer, opened
from sample_agent.cli.audio_files import audio_files

REMOTE_AHEAD = 64
"""How many files lie with the workers at once, unless `--jobs` says otherwise."""


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
    count = sum(1 for _ in audio_files(paths))
    if not count:
        raise typer.BadParameter(f"Nothing to analyse: no audio files in {', '.join(map(str, paths))}.")
    started = time.perf_counter()
    with opened(layout, output) as writer:
        tally = asyncio.run(_run(audio_files(paths), count, writer, jobs=jobs, fresh=fresh, remote=remote))
    _summarise(tally, time.perf_counter() - started)
    if tally.failed:
        raise typer.Exit(1)


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


async def _run(
    files: Iterable[Path], count: int, writer: Writer, *, jobs: int | None, fresh: bool, remote: bool
) -> Tally:
    """Analyse all files, at most a few ahead of what is written."""
    async with AsyncExitStack() as stack:
        cache = None if fresh else default_cache()
        if cache is not None:
            stack.callback(cache.close)
        analyze, ahead = await _analyzer(stack, jobs, count, remote=remote)
        return await _write_all(in_order(files, cached(analyze, cache), ahead), count, writer)


async def _analyzer(stack: AsyncExitStack, jobs: int | None, count: int, *, remote: bool) -> tuple[Analyze, int]:
    """Who analyses, and how many files may be under way."""
    if remote:
        from sample_agent.cli.analyze.remote import at_workers

        return await stack.enter_async_context(at_workers()), jobs or REMOTE_AHEAD
    workers = min(jobs or os.cpu_count() or 1, count)
    # So many may wait behind one long file before no more are started.
    return await stack.enter_async_context(here(workers)), 16 * workers


async def _write_all(results: AsyncIterator[Result], count: int, writer: Writer) -> Tally:
    tally = Tally()
    with _progress(count) as advance:
        async for result in results:
            tally.files += 1
            tally.unchanged += result.unchanged
            tally.failed += result.error is not None
            writer.write(result)
            advance()
    writer.finish()
    return tally


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
