"""`sample-agent analyze`: files and folders in, a table, JSON lines or CSV out. No server, no database."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, Protocol

import typer

if TYPE_CHECKING:
    from rich.table import Table

Format = Literal["table", "json", "csv"]

_AUDIO_SUFFIXES = frozenset(
    ".wav .wave .bwf .aif .aiff .aifc .flac .mp3 .ogg .oga .opus .m4a .mp4 .aac .m4b".split()  # noqa: SIM905
)
_MOST_ROWS = 1000
_COLUMNS = (
    "file",
    "kind",
    "tempo",
    "tempo_confidence",
    "key",
    "camelot",
    "key_confidence",
    "duration",
    "sample_rate",
    "channels",
    "format",
    "loudness_lufs",
    "true_peak_dbtp",
    "vibe",
    "warnings",
    "error",
)


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
            "--output", "-o", help="Write there instead of to the screen; .jsonl, .json or .csv choose the format."
        ),
    ] = None,
) -> None:
    """Tempo, key, kind, loudness and more of audio files, without server or database.

    Folders are searched with all that is in them. Ends with exit code 1 if a file could not be analysed.
    """
    layout = _layout(as_json, as_csv, output)
    files = _collect(paths)
    started = time.perf_counter()
    with _written(output) as target:
        failed = asyncio.run(_run(files, jobs, _writer(layout, target)))
    _summarise(len(files), failed, time.perf_counter() - started)
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Result:
    """What became of one file: `features` (an analysis as plain data, with its vibe) or `error`."""

    path: Path
    features: dict[str, Any] | None
    error: dict[str, str] | None


class Writer(Protocol):
    """Takes results in the order of the files, and may have something to say at the end."""

    def write(self, result: Result) -> None: ...

    def finish(self) -> None: ...


def _layout(as_json: bool, as_csv: bool, output: Path | None) -> Format:
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other.")
    if as_json or as_csv or output is None:
        return "json" if as_json else "csv" if as_csv else "table"
    by_suffix: dict[str, Format] = {".json": "json", ".jsonl": "json", ".csv": "csv", ".txt": "table"}
    if output.suffix.lower() not in by_suffix:
        raise typer.BadParameter(f"--json or --csv? The name {output.name!r} does not say.", param_hint="--output")
    return by_suffix[output.suffix.lower()]


def _collect(paths: list[Path]) -> list[Path]:
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise typer.BadParameter(f"No such file or folder: {missing[0]}")
    # A dictionary, so that a file named twice is analysed once.
    files = dict.fromkeys(file for path in paths for file in (_audio_in(path) if path.is_dir() else [path]))
    if not files:
        raise typer.BadParameter(f"Nothing to analyse: no audio files in {', '.join(map(str, paths))}.")
    return list(files)


def _audio_in(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        # Hidden files, and the twins that macOS leaves on foreign disks and in archives.
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and (path.suffix.lower() in _AUDIO_SUFFIXES or _sounds(path)):
                yield path


def _sounds(path: Path) -> bool:
    """Whether a file whose name promises nothing holds audio all the same."""
    from sample_agent.engine.sniff import SNIFF_BYTES, sniff_format

    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return sniff_format(file.read(SNIFF_BYTES)) is not None
    except OSError:
        return False


async def _run(files: list[Path], jobs: int | None, writer: Writer) -> int:
    """Analyse all files, at most a few ahead of what is written; how many failed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    failed = 0
    columns = (TextColumn("Analysing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(files))
        async for result in _results(files, jobs or os.cpu_count() or 1):
            failed += result.error is not None
            writer.write(result)
            progress.advance(bar)
    writer.finish()
    return failed


async def _results(files: list[Path], jobs: int) -> AsyncIterator[Result]:
    """Results in the order of the files."""
    from sample_agent.engine.pool import EnginePool

    async with EnginePool(min(jobs, len(files))) as pool:
        ahead: list[asyncio.Task[Result]] = []
        try:
            for file in files:
                ahead.append(asyncio.create_task(_analyze_one(pool, file)))
                # So many may wait behind one long file before no more are started.
                if len(ahead) >= 16 * jobs:
                    yield await ahead.pop(0)
            while ahead:
                yield await ahead.pop(0)
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)


async def _analyze_one(pool: Any, path: Path) -> Result:
    from sample_agent.engine import AudioError
    from sample_agent.vibe import describe

    try:
        features = (await pool.analyze(path)).to_dict()
    except AudioError as error:
        return Result(path, None, {"code": error.code, "message": error.message})
    return Result(path, {**features, "vibe": describe(features)}, None)


@contextmanager
def _written(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    try:
        file = output.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be written: {error.strerror}.", param_hint="--output") from error
    with file:
        yield file


def _writer(layout: Format, target: IO[str]) -> Writer:
    if layout == "table":
        return _TableWriter(target)
    return _JsonWriter(target) if layout == "json" else _CsvWriter(target)


class _JsonWriter:
    """JSON lines: results can be read while they come, however many there are."""

    def __init__(self, target: IO[str]) -> None:
        self._target = target

    def write(self, result: Result) -> None:
        content = {"error": result.error} if result.features is None else result.features
        self._target.write(json.dumps({"file": str(result.path), **content}, ensure_ascii=False) + "\n")
        self._target.flush()

    def finish(self) -> None:
        pass


class _CsvWriter:
    def __init__(self, target: IO[str]) -> None:
        self._rows = csv.DictWriter(target, _COLUMNS, restval="", lineterminator="\n")
        self._rows.writeheader()

    def write(self, result: Result) -> None:
        self._rows.writerow(_row(result))

    def finish(self) -> None:
        pass


class _TableWriter:
    """A table for people, drawn when everything is there."""

    def __init__(self, target: IO[str]) -> None:
        self._target = target
        self._shown: list[Result] = []
        self._hidden = 0

    def write(self, result: Result) -> None:
        if len(self._shown) < _MOST_ROWS:
            self._shown.append(result)
        else:
            self._hidden += 1

    def finish(self) -> None:
        from rich.console import Console

        console = Console(file=self._target)
        console.print(_table(self._shown))
        if self._hidden:
            console.print(f"… and {self._hidden} more; --csv or --json list them all.")


def _row(result: Result) -> dict[str, Any]:
    if result.features is None:
        return {"file": str(result.path), "error": (result.error or {}).get("message", "")}
    features = result.features
    tempo, key, loudness = features["tempo"] or {}, features["key"] or {}, features["loudness"]
    row = {
        "file": str(result.path),
        "kind": features["kind"]["kind"],
        "tempo": tempo.get("bpm"),
        "tempo_confidence": tempo.get("confidence"),
        "key": key.get("key"),
        "camelot": key.get("camelot"),
        "key_confidence": key.get("confidence"),
        "loudness_lufs": loudness["integrated_lufs"],
        "true_peak_dbtp": loudness["true_peak_dbtp"],
        "warnings": " ".join(features["warnings"]),
        **{name: features[name] for name in ("duration", "sample_rate", "channels", "format", "vibe")},
    }
    return {name: "" if value is None else value for name, value in row.items()}


def _table(results: Iterable[Result]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, header_style="bold")
    table.add_column("File", overflow="ellipsis", no_wrap=True, min_width=12, max_width=40)
    table.add_column("Kind", no_wrap=True)
    for title in ("BPM", "Key", "Seconds", "LUFS"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Vibe", overflow="fold", min_width=20)
    for result in results:
        name = Text(result.path.name)
        if result.features is None:
            table.add_row(name, Text("failed", "red"), "", "", "", "", Text((result.error or {})["message"], "red"))
            continue
        row = _row(result)
        numbers = (_fixed(row["tempo"], 1), row["key"], _fixed(row["duration"], 2), _fixed(row["loudness_lufs"], 1))
        table.add_row(name, row["kind"], *numbers, " ".join((row["vibe"], row["warnings"])).strip())
    return table


def _fixed(value: Any, digits: int) -> str:
    return "" if value == "" else f"{value:.{digits}f}"


def _summarise(files: int, failed: int, seconds: float) -> None:
    noun = "file" if files == 1 else "files"
    typer.echo(f"{files} {noun} in {seconds:.1f} s ({files / seconds:.1f} a second), {failed} failed.", err=True)
