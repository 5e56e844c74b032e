"""Receiving a file: from the request's body straight to storage, in blocks, sniffed, counted and hashed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from fastapi import Request
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from sample_agent.core.errors import BadRequest, Problem, ValidationFailed
from sample_agent.core.storage import Storage
from sample_agent.engine import sniff_format

FILE_FIELDS = ("audio", "file")
HEAD_BYTES = 4096
"""How much of a file is looked at to tell what it is."""
FORM_OVERHEAD_BYTES = 64 * 1024
"""What a form may hold beside the file."""

CONTENT_TYPES = {
    "wav": "audio/wav",
    "aiff": "audio/aiff",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
}


class FileTooLarge(Problem):
    """The file is larger than your plan accepts. Nothing was stored."""

    status, code, title = 413, "file-too-large", "The file is too large"
    next_step = "Trim or compress the file, or choose a plan with a larger limit."


class UnsupportedAudio(Problem):
    """The content of the file is none of WAV, AIFF, FLAC, MP3, OGG, Opus and M4A, whatever its name says."""

    status, code, title = 415, "unsupported-audio", "Not an audio file we can read"
    next_step = "Convert the file to WAV, AIFF, FLAC, MP3, OGG, Opus or M4A and upload that."


class EmptyFile(Problem):
    """The file has no content at all."""

    status, code, title = 422, "empty-file", "The file is empty"
    next_step = "Check that the file was exported or copied completely, then upload it again."


@dataclass(frozen=True)
class ReceivedFile:
    """A file that lies in storage under `key`. `size` in bytes; `sha256` of its content; `format` by content."""

    key: str
    filename: str
    size: int
    sha256: bytes
    format: str

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.format]


@dataclass(frozen=True)
class ReceivedForm:
    """The upload form: its file, and its other fields as text."""

    file: ReceivedFile
    fields: dict[str, str]


async def receive_form(request: Request, storage: Storage, *, key_stem: str, max_bytes: int) -> ReceivedForm:
    """Read a multipart form with one file, and store the file under `{key_stem}.{format}`.

    Raises FileTooLarge, UnsupportedAudio, EmptyFile, BadRequest or ValidationFailed, and then nothing stays stored.
    """
    file: ReceivedFile | None = None
    fields: dict[str, str] = {}
    events = _events(request)
    try:
        async for event in events:
            if not isinstance(event, _Part):
                continue
            if event.filename is not None and event.name in FILE_FIELDS:
                if file is not None:
                    raise ValidationFailed("audio: send one file per request")
                file = await _store_file(events, event, storage, key_stem, max_bytes)
            elif event.filename is not None:
                raise ValidationFailed(f"{event.name}: the file belongs into the field `audio`")
            else:
                fields[event.name] = await _read_field(events)
    except BaseException as error:
        if file is not None:
            await storage.delete(file.key)
        if isinstance(error, ParserLimitReached | MultipartError):
            raise BadRequest(f"The form cannot be read: {error}") from error
        if isinstance(error, ClientDisconnect):
            raise BadRequest("The upload broke off.") from error
        if isinstance(error, Problem):
            await _drain(request, max_bytes)
        raise
    if file is None:
        raise ValidationFailed(
            "audio: the form has no file", errors=[{"loc": ["body", "audio"], "msg": "a file is required"}]
        )
    return ReceivedForm(file, fields)


@dataclass(frozen=True)
class _Part:
    """The head of one part of the form; `filename` is None for a plain field."""

    name: str
    filename: str | None


Event = _Part | bytes | None
"""A part begins, a piece of its content, the part has ended."""


async def _events(request: Request) -> AsyncIterator[Event]:
    content_type, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get("boundary")
    if content_type != "multipart/form-data" or not boundary:
        raise BadRequest("Send the file as multipart/form-data, in the field `audio`.")
    with PushMultipartParser(boundary, max_segment_count=20) as parser:
        async for chunk in request.stream():
            if chunk:
                for event in parser.parse(chunk):
                    if isinstance(event, MultipartSegment):
                        yield _Part(event.name, event.filename)
                    else:
                        yield None if event is None else bytes(event)


async def _store_file(
    events: AsyncIterator[Event], part: _Part, storage: Storage, key_stem: str, max_bytes: int
) -> ReceivedFile:
    head = b""
    ended = False
    while len(head) < HEAD_BYTES and not ended:
        event = await anext(events)
        if event is None:
            ended = True
        elif isinstance(event, bytes):
            head += event
    if not head:
        raise EmptyFile("The file is empty.")
    format_ = sniff_format(head[:HEAD_BYTES])
    if format_ is None:
        raise UnsupportedAudio(f"{part.filename} is not audio we can read.")
    digest = hashlib.sha256()
    size = 0

    async def blocks() -> AsyncIterator[bytes]:
        nonlocal size
        block: Event = head
        while block is not None:
            if isinstance(block, bytes):
                size += len(block)
                if size > max_bytes:
                    raise FileTooLarge(f"{part.filename} is larger than {max_bytes // (1024 * 1024)} MB.")
                digest.update(block)
                yield block
            block = None if ended else await anext(events)

    key = f"{key_stem}.{format_}"
    await storage.put(key, blocks(), CONTENT_TYPES[format_], overwrite=False)
    return ReceivedFile(key, plain_filename(part.filename), size, digest.digest(), format_)


async def _read_field(events: AsyncIterator[Event]) -> str:
    value = b""
    async for event in events:
        if event is None:
            break
        if isinstance(event, bytes):
            value += event
            if len(value) > FORM_OVERHEAD_BYTES:
                raise BadRequest("A field of the form is too long.")
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadRequest("A field of the form is not UTF-8.") from error


async def _drain(request: Request, max_bytes: int) -> None:
    """Read a little of what the client still sends, so that it gets to see our answer instead of a broken pipe."""
    left = max_bytes
    try:
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                return
    except (ClientDisconnect, RuntimeError):
        return


def plain_filename(given: str | None) -> str:
    """The last part of a path in either notation, without control characters, at most 255 characters."""
    name = PurePosixPath((given or "").replace("\\", "/")).name
    name = "".join(character for character in name if character.isprintable()).strip()
    return name[-255:] or "untitled"


def plain_folder(given: str) -> str:
    """A relative folder path with `/`, without empty, `.` and `..` parts, at most 1024 characters."""
    parts = [part.strip() for part in given.replace("\\", "/").split("/")]
    kept = ["".join(c for c in part if c.isprintable()) for part in parts if part not in ("", ".", "..")]
    return "/".join(part for part in kept if part)[:1024]
