"""The archive with a copy of somebody's data, made piece by piece: JSON for rows, files as they are."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from posixpath import splitext
from typing import IO, Any, Literal
from uuid import UUID

import anyio
import orjson

from sample_agent.accounts.privacy.portions import Part, Portion
from sample_agent.core.database import Database
from sample_agent.core.scratch import private_folder
from sample_agent.core.storage import BLOCK_BYTES, ObjectMissing, Storage
from sample_agent.sp404.projects.stored_zip import StoredZip

MOST_JSON_BYTES = 1 << 30
"""A part with more than that is told in several files."""

_LONGEST_NAME = 150
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"\\|?*]')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")

Advance = Callable[[int], None]


async def archive(
    database: Database,
    storage: Storage,
    portions: Sequence[Portion],
    user_id: UUID,
    *,
    space: Path,
    made_at: datetime,
    advance: Advance,
) -> AsyncGenerator[bytes, None]:
    """The archive, block by block. One file at a time lies in `space`, where its checksum is computed.

    `advance` is told how many bytes of files are done. A file that is not in storage any more is named in
    `missing.json`. When storage or database fail, the archive breaks off, so that nobody takes it for whole.
    """
    zipped, paths, missing = StoredZip(), _Paths(), list[dict[str, str]]()
    yield _small(zipped, paths.take("README.txt"), _readme(portions, made_at).encode())
    with private_folder(space) as folder:
        spool = _Spool(folder / "spool")
        for portion in portions:
            for part in portion.parts:
                async for block in _rows(database, part, user_id, zipped, paths, spool):
                    yield block
            async for file in portion.files(database, user_id):
                try:
                    await spool.fill(await storage.open(file.key))
                except ObjectMissing:
                    missing.append({"path": file.path})
                    continue
                async for block in spool.entry(zipped, paths.take(file.path)):
                    yield block
                advance(file.size)
    if missing:
        yield _small(zipped, paths.take("missing.json"), orjson.dumps(missing, option=orjson.OPT_INDENT_2))
    yield zipped.end()


async def _rows(
    database: Database, part: Part, user_id: UUID, zipped: StoredZip, paths: _Paths, spool: _Spool
) -> AsyncIterator[bytes]:
    """A part as JSON: a list of its rows, in as many files as it takes, at least one."""
    number = 1
    async with database.transaction(user_id, purpose="identity") as db:
        rows = part.rows(db, user_id)
        while not await spool.fill_with_json(rows):
            async for block in spool.entry(zipped, paths.take(_numbered(part.name, number))):
                yield block
            number += 1
    # The last of them, and nearly always the only one: no transaction waits for a slow storage.
    async for block in spool.entry(zipped, paths.take(_numbered(part.name, number))):
        yield block


def _numbered(name: str, number: int) -> str:
    return f"{name}.json" if number == 1 else f"{name}-{number}.json"


@dataclass
class _Spool:
    """A file in which an entry is put together before its size and checksum are written in front of it."""

    path: Path
    size: int = 0
    crc32: int = 0

    async def fill(self, blocks: AsyncIterable[bytes]) -> None:
        self.size = self.crc32 = 0
        with self._opened("wb") as opened:
            file = anyio.wrap_file(opened)
            async for block in blocks:
                self.size += len(block)
                self.crc32 = zlib.crc32(block, self.crc32)
                await file.write(block)

    async def fill_with_json(self, rows: AsyncIterator[Any]) -> bool:
        """Take rows until there are none, or the file is full enough; whether there are none."""
        ended = False

        async def blocks() -> AsyncIterator[bytes]:
            nonlocal ended
            block, separator = bytearray(b"["), b"\n"
            while self.size + len(block) < MOST_JSON_BYTES:
                try:
                    row = await anext(rows)
                except StopAsyncIteration:
                    ended = True
                    break
                block += separator + orjson.dumps(row, default=_as_json, option=orjson.OPT_UTC_Z)
                separator = b",\n"
                if len(block) >= BLOCK_BYTES:
                    yield bytes(block)
                    block.clear()
            yield bytes(block) + b"\n]\n"

        await self.fill(blocks())
        return ended

    async def entry(self, zipped: StoredZip, path: str) -> AsyncIterator[bytes]:
        yield zipped.entry(path, self.size, self.crc32)
        with self._opened("rb") as opened:
            file = anyio.wrap_file(opened)
            while block := await file.read(BLOCK_BYTES):
                yield block

    def _opened(self, mode: Literal["rb", "wb"]) -> IO[bytes]:
        """The file, opened and closed without waiting: neither can be cut short by a worker that stops."""
        return self.path.open(mode)


@dataclass
class _Paths:
    """The paths in an archive: safe to unpack on any system, and each one used once, whatever its case."""

    _taken: set[str] = field(default_factory=set)

    def take(self, wanted: str) -> str:
        """A path as near to the wanted one as it can be."""
        parts = [safe_name(part) for part in wanted.split("/") if part not in ("", ".", "..")]
        path = "/".join(parts) or "file"
        stem, ending = splitext(path)
        number = 1
        while path.lower() in self._taken:
            number += 1
            path = f"{stem} ({number}){ending}"
        self._taken.add(path.lower())
        return path


def safe_name(name: str) -> str:
    """`name` as every system can write it, short enough, and still recognisable."""
    name = _NOT_IN_NAMES.sub("_", name).rstrip(" .") or "_"
    if _DEVICES.fullmatch(name):
        name = f"_{name}"
    stem, ending = splitext(name)
    while len(f"{stem}{ending}".encode()) > _LONGEST_NAME:
        stem, ending = (stem[:-1], ending) if len(stem) > 1 else (stem, ending[:-1])
    return f"{stem}{ending}"


def _small(zipped: StoredZip, path: str, content: bytes) -> bytes:
    return zipped.entry(path, len(content), zlib.crc32(content)) + content


def _as_json(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UUID):  # the driver's own kind of them
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def _readme(portions: Sequence[Portion], made_at: datetime) -> str:
    lines = [
        "This is a copy of everything that is kept about you in the SP-404MK2 Sample Agent,",
        f"made on {made_at:%d %B %Y, %H:%M} UTC.",
        "",
        "The .json files are lists of records, for people and for programs. Times are in UTC.",
        "Passwords, keys and other secrets are not in them: they are not kept in a readable form.",
        "Audio files are exactly as you uploaded them.",
        "",
        *(f"{part.name}.json\n    {part.about}" for portion in portions for part in portion.parts),
        "audio/\n    Your sounds, in the folders they came from.",
        "missing.json\n    Files that could not be found; only there when there are any.",
        "",
    ]
    return "\n".join(lines)
