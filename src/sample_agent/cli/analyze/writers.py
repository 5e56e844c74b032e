"""Results as a table for people, JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
import json
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import typer

from sample_agent.cli.analyze.columns import COLUMNS, NUMBERS, readable, reason, row_of
from sample_agent.cli.analyze.result import Result
from sample_agent.cli.analyze.table import TableWriter

Format = Literal["table", "json", "csv", "parquet"]

_ROWS_AT_ONCE = 1000
_BYTES_AT_ONCE = 32 << 20


class Writer(Protocol):
    """Takes results in the order of the files, and may have something to say at the end."""

    def write(self, result: Result) -> None: ...

    def finish(self) -> None: ...


@contextmanager
def opened(layout: Format, output: Path | None, *, per_frame: bool = False) -> Iterator[Writer]:
    """A writer to the screen or to `output`, which is replaced only when everything is written.

    With `per_frame`, Parquet has a column for what was heard over time; JSON has it wherever a result has.
    """
    if output is None:
        yield _text_writer(layout, sys.stdout)
        return
    unfinished = output.with_name(f".{output.name}.unfinished")
    try:
        with ExitStack() as stack:
            try:
                writer = stack.enter_context(_file_writer(layout, unfinished, per_frame))
            except OSError as error:
                message = f"{output} cannot be written: {error.strerror}."
                raise typer.BadParameter(message, param_hint="--output") from error
            yield writer
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _file_writer(layout: Format, path: Path, per_frame: bool) -> Iterator[Writer]:
    if layout == "parquet":
        with _parquet_writer(path, per_frame) as writer:
            yield writer
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        yield _text_writer(layout, file)


def _text_writer(layout: Format, target: IO[str]) -> Writer:
    if layout == "table":
        return TableWriter(target)
    return _JsonWriter(target) if layout == "json" else _CsvWriter(target)


class _JsonWriter:
    """JSON lines: results can be read while they come, however many there are."""

    def __init__(self, target: IO[str]) -> None:
        self._target = target

    def write(self, result: Result) -> None:
        line = json.dumps({"file": readable(result.path), **_content(result)}, ensure_ascii=True)
        if result.frames is not None:
            # They are JSON already, and too many to be taken apart and put together again.
            line = f'{line[:-1]}, "per_frame": {_unpacked(result.frames)}}}'
        self._target.write(line + "\n")
        self._target.flush()

    def finish(self) -> None:
        pass


def _content(result: Result) -> dict[str, Any]:
    if result.features is not None:
        return result.features
    error = {"code": (result.error or {}).get("code"), "message": reason(result)}
    return {"engine_version": result.engine_version, "error": error}


class _CsvWriter:
    def __init__(self, target: IO[str]) -> None:
        self._rows = csv.DictWriter(target, COLUMNS, restval="", lineterminator="\n")
        self._rows.writeheader()

    def write(self, result: Result) -> None:
        self._rows.writerow({name: value for name, value in row_of(result).items() if value is not None})

    def finish(self) -> None:
        pass


@contextmanager
def _parquet_writer(path: Path, per_frame: bool) -> Iterator[Writer]:
    """The columns of the CSV with their types, the embedding, and as JSON all `features` and, if wanted, frames."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise typer.BadParameter(
            "Parquet needs pyarrow: pip install 'sample-agent[parquet]'.", param_hint="--output"
        ) from None
    whole = {"sample_rate": pa.int32(), "channels": pa.int16(), "features": pa.string()}
    columns: dict[str, Any] = {
        name: pa.float64() if name in NUMBERS else whole.get(name, pa.string()) for name in COLUMNS
    }
    columns |= {"embedding": pa.list_(pa.float32()), "features": pa.string()}
    schema = pa.schema(columns | ({"per_frame": pa.string()} if per_frame else {}))
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        writer = _RowGroups(lambda rows: file.write_table(pa.Table.from_pylist(rows, schema=schema)))
        yield writer
        writer.finish()


class _RowGroups:
    def __init__(self, write_rows: Any) -> None:
        self._write_rows = write_rows
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0

    def write(self, result: Result) -> None:
        row = row_of(result)
        if result.features is not None:
            row |= {"embedding": result.features.get("embedding"), "features": json.dumps(result.features)}
        if result.frames is not None:
            row["per_frame"] = _unpacked(result.frames)
            self._bytes += len(row["per_frame"])
        self._rows.append(row)
        if len(self._rows) == _ROWS_AT_ONCE or self._bytes >= _BYTES_AT_ONCE:
            self.finish()

    def finish(self) -> None:
        if self._rows:
            self._write_rows(self._rows)
            self._rows, self._bytes = [], 0


def _unpacked(frames: bytes) -> str:
    return zlib.decompress(frames).decode("ascii")
