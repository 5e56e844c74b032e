"""A collection as an archive that is unpacked onto the SP-404MK2's SD card."""

from __future__ import annotations

import contextlib
import hashlib
import json
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import structlog

from sample_agent.sp404.cards.readme import wav_card_readme
from sample_agent.sp404.cards.wav_card import CardFolders
from sample_agent.sp404.formats.wav import HEADER_BYTES, read_wav_header
from sample_agent.sp404.projects.stored_zip import StoredZip

log = structlog.get_logger("card")

_BLOCK_BYTES = 1 << 18


class NotConverted(Exception):
    """A sample could not be made ready for the unit. Its text is a sentence for its owner, who reads it later."""


@dataclass(frozen=True)
class CardItem:
    """A sample to be put on the card: its id and the name its owner knows it by."""

    sample_id: str
    name: str


@dataclass(frozen=True)
class Converted:
    """A finished WAV file on this machine and what was done to make it (JSON values).

    Whoever is given one removes the file.
    """

    path: Path
    report: Mapping[str, Any] = field(default_factory=dict)


Convert = Callable[[CardItem], Awaitable[Converted]]


@dataclass(frozen=True)
class _Content:
    size: int
    crc32: int
    sha256: str


async def stream_card(collection_name: str, items: Iterable[CardItem], convert: Convert) -> AsyncGenerator[bytes, None]:
    """The archive in pieces: `README.TXT`, `IMPORT/<collection>/<name>.WAV`…, `MANIFEST.json`.

    One item is converted at a time, and its file removed as soon as it is sent or the reader goes away.
    An item that is `NotConverted` is left out, and the manifest says why. Any other failure breaks the archive off, so
    that nobody takes an incomplete one for whole. The same items and files give the same archive, byte for byte.
    """
    archive = StoredZip()
    folders = CardFolders(collection_name)
    files: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    yield _small_entry(archive, "README.TXT", wav_card_readme(folders.first))
    for item in items:
        known = {"sample_id": item.sample_id, "name": item.name}
        try:
            converted = await convert(item)
        except NotConverted as error:
            skipped.append({**known, "reason": str(error)})
            continue
        try:
            content = await anyio.to_thread.run_sync(_look_at, converted.path)
            path = folders.place(item.name)
            files.append({**known, "path": path, "sha256": content.sha256, "size": content.size, **_report(converted)})
            yield archive.entry(path, content.size, content.crc32)
            with converted.path.open("rb") as opened:  # not in a thread: what one has opened is lost at a cancellation
                file = anyio.wrap_file(opened)
                while block := await file.read(_BLOCK_BYTES):
                    yield block
        finally:
            with contextlib.suppress(OSError):
                converted.path.unlink()
    manifest = {
        "collection": collection_name,
        "generator": f"sample-agent {version('sample-agent')}",
        "device": "SP-404MK2",
        "format": "WAV, 16-bit PCM, 48 kHz",
        "files": files,
        "skipped": skipped,
    }
    yield _small_entry(archive, "MANIFEST.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    yield archive.end()


def _look_at(path: Path) -> _Content:
    """Size and checksums of a file; refuses one the unit might not play."""
    crc32, sha256 = 0, hashlib.sha256()
    with path.open("rb") as file:
        size = path.stat().st_size
        read_wav_header(file.read(HEADER_BYTES), size)
        file.seek(0)
        while block := file.read(_BLOCK_BYTES):
            crc32 = zlib.crc32(block, crc32)
            sha256.update(block)
    return _Content(size, crc32, sha256.hexdigest())


def _report(converted: Converted) -> dict[str, Any]:
    return {"processing": dict(converted.report)} if converted.report else {}


def _small_entry(archive: StoredZip, name: str, text: str) -> bytes:
    content = text.encode(errors="backslashreplace")
    return archive.entry(name, len(content), zlib.crc32(content)) + content
