"""Objects over HTTP: whole or by ranges, and the signed URLs of local storage."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from sample_agent.core.errors import BadRequest, Forbidden, NotFound, PayloadTooLarge, Problem, Unavailable
from sample_agent.core.http import problem_response
from sample_agent.core.request_body import streams_body
from sample_agent.core.signed_urls import BadSignature, Grant, LocalLinks, Verb, attachment, read_grant
from sample_agent.core.storage import InvalidKey, ObjectExists, ObjectMissing, Storage, StorageError, StoredObject

log = structlog.get_logger("files")

UNKNOWN_TYPE = "application/octet-stream"
_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,18})[ \t]*-[ \t]*([0-9]{0,18})[ \t]*", re.IGNORECASE)


class LinkNotValid(Forbidden):
    """The link was changed, was not made by this server, or has expired."""

    status, code, title = 403, "link-not-valid", "The link is not valid"
    next_step = "Ask for a new link."


class RangeNotSatisfiable(Problem):
    """The range asked for lies behind the end of the file; `Content-Range` says how long it is."""

    status, code, title = 416, "range-not-satisfiable", "There is nothing in this range"
    next_step = "Ask for a range inside the file, or for the whole of it."


class AlreadyUploaded(Problem):
    """The upload link was used before; what was uploaded is not replaced."""

    status, code, title = 412, "already-uploaded", "Already uploaded"
    next_step = "Ask for a new upload link."


def files_router(storage: Storage) -> APIRouter:
    """Routes behind the signed URLs of local storage; mount them at the root of `base_url`."""
    links = storage.local_links
    if links is None:
        raise ValueError("A bucket serves its signed URLs itself.")
    router = APIRouter(include_in_schema=False)

    @router.api_route("/files/{key:path}", methods=["GET", "HEAD"])
    async def download(key: str, request: Request) -> Response:
        grant = _grant("GET", key, request, links)
        remaining = grant.expires - int(datetime.now(UTC).timestamp())
        return await ranged_response(
            storage,
            key,
            None,
            grant.content_type or UNKNOWN_TYPE,
            request,
            filename=grant.filename,
            cache_control=f"private, max-age={remaining}",
        )

    @router.put("/files/{key:path}")
    @streams_body
    async def upload(key: str, request: Request) -> Response:
        grant = _grant("PUT", key, request, links)
        if grant.content_type and request.headers.get("content-type") != grant.content_type:
            raise LinkNotValid(f"This link takes only {grant.content_type}.")
        content_type = grant.content_type or UNKNOWN_TYPE
        try:
            await storage.put(key, _body(request, grant), content_type, overwrite=False)
        except ObjectExists as error:
            raise AlreadyUploaded from error
        except ClientDisconnect as error:
            raise BadRequest("The upload broke off.") from error
        return Response(status_code=201)

    return router


def answer_storage_errors(app: FastAPI) -> None:
    """Turn an object that is gone into 404, and a store that is away into 503 with Retry-After."""

    async def answer(request: Request, error: Exception) -> Response:
        log.warning("the storage failed", error=repr(error))
        problem = (
            NotFound("The file is not in storage any more.")
            if isinstance(error, ObjectMissing)
            else Unavailable("The file storage does not answer right now.", retry_after=5)
        )
        return problem_response(
            problem,
            request_id=request.state.request_id,
            public_url=app.state.public_url,
            instance=request.scope["path"],
        )

    app.add_exception_handler(StorageError, answer)


async def ranged_response(
    storage: Storage,
    key: str,
    size: int | None,
    content_type: str,
    request: Request,
    *,
    filename: str | None = None,
    cache_control: str = "private, no-cache",
) -> Response:
    """Answer a GET or HEAD with an object: 200, 206 for one range, 304 when the client has it already.

    With `filename` the browser saves it under that name, whatever it is; without, only audio is shown
    in place. Several ranges at once are answered with the whole, as RFC 9110 allows.

    Raises `NotFound` when the object is missing, `RangeNotSatisfiable`, and `StorageError` when the object has
    not the `size` in bytes that is known of it.
    """
    try:
        found = await storage.head(key)
    except InvalidKey as error:
        raise NotFound from error
    if found is None:
        raise NotFound("The file is not there any more.")
    if size is not None and size != found.size:
        raise StorageError(f"Object {key!r} has {found.size} bytes and should have {size}.")
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": cache_control,
        "Content-Disposition": _disposition(content_type, filename),
        "Content-Security-Policy": "sandbox; default-src 'none'; media-src 'self'",
        "X-Content-Type-Options": "nosniff",
    }
    if found.etag is not None:
        headers["ETag"] = found.etag
    if _client_has_it(request, found):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = content_type
    wanted = _wanted_range(request, found)
    start, end = wanted or (0, found.size)
    headers["Content-Length"] = str(end - start)
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    if request.method == "HEAD":
        return Response(headers=headers)
    return StreamingResponse(storage.blocks(found, start, end), 206 if wanted else 200, headers)


def _grant(verb: Verb, key: str, request: Request, links: LocalLinks) -> Grant:
    try:
        return read_grant(verb, key, request.query_params, links.signing_key)
    except BadSignature as error:
        raise LinkNotValid(str(error)) from error


async def _body(request: Request, grant: Grant) -> AsyncIterator[bytes]:
    received = 0
    async for block in request.stream():
        received += len(block)
        if grant.size is not None and received > grant.size:
            raise PayloadTooLarge(f"This link takes {grant.size} bytes and no more.")
        yield block
    if grant.size is not None and received < grant.size:
        raise BadRequest(f"This link takes {grant.size} bytes, and {received} came.")


def _disposition(content_type: str, filename: str | None) -> str:
    if filename is not None:
        return attachment(filename)
    # Anything but sound could be a page with scripts under our own address.
    return "inline" if content_type.startswith("audio/") else "attachment"


def _client_has_it(request: Request, found: StoredObject) -> bool:
    known = request.headers.get("if-none-match")
    if known is None or found.etag is None:
        return False
    return "*" in known or found.etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}


def _wanted_range(request: Request, found: StoredObject) -> tuple[int, int] | None:
    """Start and end (exclusive) of the one range that was asked for; None for the whole object."""
    match = _ONE_RANGE.fullmatch(request.headers.get("range", ""))
    if request.method != "GET" or match is None or match.groups() == ("", ""):
        return None
    if request.headers.get("if-range", found.etag) != found.etag:
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, found.size - int(last)), found.size
    else:
        start, end = int(first), min(int(last) + 1, found.size) if last else found.size
        if last and int(last) < start:
            return None
    if start >= end:
        raise RangeNotSatisfiable(
            f"The file has {found.size} bytes.", headers={"Content-Range": f"bytes */{found.size}"}
        )
    return start, end
