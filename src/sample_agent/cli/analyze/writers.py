"""Results as a table for people, JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

import typer

from sample_agent.cli.analyze.result import Result

if TYPE_CHECKING:
    from rich.table import Table

Format = Literal["table", "json", "csv", "parquet"]

_MOST_ROWS = 1000
_ROWS_AT_ONCE = 1000
_NUMBERS = frozenset(
    {"tempo", "tempo_confidence", "key_confidence", "class_confidence", "duration", "loudness_lufs", "true_peak_dbtp"}
)
_COLUMNS = (
    "file",
    "kind",
    "class",
    "class_confidence",
    "tempo",
    "tempo_confidence",
    "key",
    "camelot",
    "key_confidence",
    "note",
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


class Writer(Protocol):
    """Takes results in the order of the files, and may have something to say at the end."""

    def write(self, result: Result) -> None: ...

    def finish(self) -> None: ...


@contextmanager
def opened(layout: Format, output: Path | None) -> Iterator[Writer]:
    """A writer to the screen or to `output`, which is replaced only when everything is written."""
    if output is None:
        yield _text_writer(layout, sys.stdout)
        return
    unfinished = output.with_name(f".{output.name}.unfinished")
    try:
        with ExitStack() as stack:
            try:
                writer = stack.enter_context(_file_writer(layout, unfinished))
            except OSError as error:
                message = f"{output} cannot be written: {error.strerror}."
                raise typer.BadParameter(message, param_hint="--output") from error
            yield writer
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _file_writer(layout: Format, path: Path) -> Iterator[Writer]:
    if layout == "parquet":
        with _parquet_writer(path) as writer:
            yield writer
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        yield _text_writer(layout, file)


def _text_writer(layout: Format, target: IO[str]) -> Writer:
    if layout == "table":
        return _TableWriter(target)
    return _JsonWriter(target) if layout == "json" else _CsvWriter(target)


class _JsonWriter:
    """JSON lines: results can be read while they come, however many there are."""

    def __init__(self, target: IO[str]) -> None:
        self._target = target

    def write(self, result: Result) -> None:
        content = {"error": result.error} if result.features is None else result.features
        self._target.write(json.dumps({"file": os.fsdecode(result.path), **content}, ensure_ascii=True) + "\n")
        self._target.flush()

    def finish(self) -> None:
        pass


class _CsvWriter:
    def __init__(self, target: IO[str]) -> None:
        self._rows = csv.DictWriter(target, _COLUMNS, restval="", lineterminator="\n")
        self._rows.writeheader()

    def write(self, result: Result) -> None:
        self._rows.writerow({name: value for name, value in _row(result).items() if value is not None})

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
            console.print(f"… and {self._hidden} more; --csv, --json or -o list them all.")


@contextmanager
def _parquet_writer(path: Path) -> Iterator[Writer]:
    """The columns of the CSV with their types, the embedding, and everything else as JSON in `features`."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise typer.BadParameter(
            "Parquet needs pyarrow: pip install 'sample-agent[parquet]'.", param_hint="--output"
        ) from None
    whole = {"sample_rate": pa.int32(), "channels": pa.int16(), "features": pa.string()}
    columns: dict[str, Any] = {
        name: pa.float64() if name in _NUMBERS else whole.get(name, pa.string()) for name in _COLUMNS
    }
    schema = pa.schema({**columns, "embedding": pa.list_(pa.float32()), "features": pa.string()})
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        writer = _RowGroups(lambda rows: file.write_table(pa.Table.from_pylist(rows, schema=schema)))
        yield writer
        writer.finish()


class _RowGroups:
    def __init__(self, write_rows: Any) -> None:
        self._write_rows = write_rows
        self._rows: list[dict[str, Any]] = []

    def write(self, result: Result) -> None:
        features = result.features
        more = {} if features is None else {"embedding": features.get("embedding"), "features": json.dumps(features)}
        self._rows.append(_row(result) | more)
        if len(self._rows) == _ROWS_AT_ONCE:
            self.finish()

    def finish(self) -> None:
        if self._rows:
            self._write_rows(self._rows)
            self._rows = []


def _row(result: Result) -> dict[str, Any]:
    """The columns that have a value."""
    file = _readable(result.path)
    if result.features is None:
        return {"file": file, "error": (result.error or {}).get("message", "")}
    features = result.features
    tempo, key, loudness = features["tempo"] or {}, features["key"] or {}, features["loudness"]
    sound_class, pitch = features.get("sound_class") or {}, features.get("pitch") or {}
    return {
        "file": file,
        "kind": features["kind"]["kind"],
        "class": sound_class.get("name"),
        "class_confidence": sound_class.get("confidence"),
        "tempo": tempo.get("bpm"),
        "tempo_confidence": tempo.get("confidence"),
        "key": key.get("key"),
        "camelot": key.get("camelot"),
        "key_confidence": key.get("confidence"),
        "note": pitch.get("note"),
        "loudness_lufs": loudness["integrated_lufs"],
        "true_peak_dbtp": loudness["true_peak_dbtp"],
        "warnings": " ".join(features["warnings"]),
        **{name: features[name] for name in ("duration", "sample_rate", "channels", "format", "vibe")},
    }


def _table(results: Iterable[Result]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, header_style="bold")
    table.add_column("File", overflow="ellipsis", no_wrap=True, min_width=12, max_width=40)
    table.add_column("Kind", no_wrap=True)
    table.add_column("Class", no_wrap=True)
    for title in ("BPM", "Key", "Seconds", "LUFS"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Vibe", overflow="fold", min_width=20)
    for result in results:
        name = Text(_readable(Path(result.path.name)))
        if result.features is None:
            problem = Text((result.error or {})["message"], "red")
            table.add_row(name, Text("failed", "red"), "", "", "", "", "", problem)
            continue
        row = _row(result)
        table.add_row(
            name,
            row["kind"],
            row["class"] or "",
            _fixed(row["tempo"], 1),
            row["key"] or row["note"] or "",
            _fixed(row["duration"], 2),
            _fixed(row["loudness_lufs"], 1),
            " ".join((row["vibe"], row["warnings"])).strip(),
        )
    return table


def _readable(path: Path) -> str:
    """The path as text, also where a name is none."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _fixed(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
