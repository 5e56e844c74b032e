"""The heads that chains had when they were last verified, in a file: what a cut-off end is found out by.

One line of JSON for each chain, in the order of the tenants. The file belongs where the database's administrators
cannot write.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

import orjson

from sample_agent.accounts.audit.verification import Head


class BadAnchors(ValueError):
    """The file does not hold heads, or not in their order."""


def read_anchors(path: Path) -> Iterator[Head]:
    """The heads in the file, none when there is no file. Raises BadAnchors at the line that is none."""
    if not path.exists():
        return
    before: UUID | None = None
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            head = _head(line, f"{path}, line {number}")
            if before is not None and head.tenant_id <= before:
                raise BadAnchors(f"{path}, line {number}: out of order.")
            before = head.tenant_id
            yield head


class AnchorDraft:
    """The heads of a verification under way; they take the place of those in the file when it is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}.{os.getpid()}.draft")

    def __enter__(self) -> Self:
        self._file = self._draft.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._draft.unlink(missing_ok=True)

    def add(self, head: Head) -> None:
        line = {"tenant_id": str(head.tenant_id), "position": head.position, "hash": head.hash.hex()}
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def keep(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._draft.replace(self._path)


def with_head(anchors: Iterable[Head], head: Head) -> Iterator[Head]:
    """The anchors with that of one chain replaced or put in at its place."""
    waiting: Head | None = head
    for each in anchors:
        if waiting is not None and each.tenant_id >= waiting.tenant_id:
            yield waiting
            waiting = None
        if each.tenant_id != head.tenant_id:
            yield each
    if waiting is not None:
        yield waiting


def _head(line: bytes, where: str) -> Head:
    try:
        said = orjson.loads(line)
        return Head(UUID(said["tenant_id"]), int(said["position"]), bytes.fromhex(said["hash"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadAnchors(f"{where}: not the head of a chain.") from error
