"""Samples over HTTP."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, TypeAdapter, ValidationError

from sample_agent.accounts import MEDIA, CurrentUser, OwnTransaction
from sample_agent.billing import OwnPlan, Plan, plan_for, quotas
from sample_agent.core.database import Database, database_of
from sample_agent.core.errors import Conflict, NotFound, ValidationFailed
from sample_agent.core.files import ranged_response
from sample_agent.core.identifiers import new_id
from sample_agent.core.request_body import streams_body
from sample_agent.core.settings import Settings
from sample_agent.core.storage import Storage
from sample_agent.library import jobs, service, trash
from sample_agent.library.drawings import read_close_peaks, read_spectrogram
from sample_agent.library.idempotency import IdempotencyHeader, once
from sample_agent.library.models import Sample
from sample_agent.library.schemas import (
    Emptied,
    Facets,
    Job,
    Key,
    Kind,
    Link,
    SampleChange,
    SampleDetail,
    SampleList,
    Status,
    Tag,
    Tempo,
    Upload,
    Waveform,
)
from sample_agent.library.search import Filters, Sort, count_facets, find_samples
from sample_agent.library.upload import FORM_OVERHEAD_BYTES, plain_folder, receive_form

router = APIRouter(prefix="/api", tags=["samples"])

LINK_LIFETIME = timedelta(hours=1)
_TAGS: TypeAdapter[list[str]] = TypeAdapter(Annotated[list[Tag], Query(max_length=50)])

UPLOAD_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["audio"],
                    "properties": {
                        "audio": {"type": "string", "format": "binary", "description": "the file; `file` works too"},
                        "tags": {"type": "string", "description": "comma separated"},
                        "folder": {"type": "string", "description": "the folder the file came from"},
                    },
                }
            }
        },
    }
}

DUPLICATE: dict[int | str, dict[str, Any]] = {
    200: {"model": Upload, "description": "The same bytes are in the library already"}
}


PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
}


class NotPlayableYet(Conflict):
    """The preview is made while the sample is analysed, and that has not ended; or the file could not be decoded."""

    code, title = "no-preview", "There is no preview"
    next_step = "Wait for the analysis to complete, or download the original file."


class NoSpectrogram(NotFound):
    """The sample has not been analysed, or only by an engine that drew no spectrograms yet."""

    code, title = "no-spectrogram", "There is no spectrogram"
    next_step = "Wait for the analysis to complete, or analyse the sample again."


def storage_of(request: Request) -> Storage:
    """The storage of the running application."""
    storage: Storage = request.app.state.storage
    return storage


UsedStorage = Annotated[Storage, Depends(storage_of)]
UsedDatabase = Annotated[Database, Depends(database_of)]


@router.post("/samples", status_code=201, openapi_extra=UPLOAD_FORM, responses=DUPLICATE)
@streams_body
async def upload_sample(
    request: Request, response: Response, user: CurrentUser, database: UsedDatabase, storage: UsedStorage
) -> Upload:
    """Add a file to your library and have it analysed, at once or, if you prefer so, when you ask for it.

    The file is streamed to storage before anything is written to the database; no transaction is open meanwhile.
    """
    settings: Settings = request.app.state.settings
    async with database.transaction(user.user_id) as session:
        plan = await plan_for(session, user.user_id, settings.plan_for_new_accounts)
        expected = _expected_size(request, plan)
        reservation = await quotas.reserve(session, user.user_id, "storage", expected, limit=plan.storage_bytes)
    sample_id = new_id()
    stored_key: str | None = None
    try:
        form = await receive_form(
            request, storage, key_stem=f"uploads/{user.user_id}/{sample_id}", max_bytes=plan.max_file_bytes
        )
        stored_key = form.file.key
        tags = _parse_tags(form.fields.get("tags", ""))
        async with database.transaction(user.user_id) as session:
            added = await service.add_sample(
                session,
                sample_id=sample_id,
                user_id=user.user_id,
                plan=plan,
                file=form.file,
                folder=plain_folder(form.fields.get("folder", "")),
                tags=tags,
                reservation=reservation,
            )
    except BaseException:
        async with database.transaction(user.user_id) as session:
            await quotas.release(session, reservation)
            # A connection that is lost while it commits has failed for us, and yet the sample may be there.
            entered = await session.get(Sample, sample_id) is not None
        if stored_key is not None and not entered:
            await storage.delete(stored_key)
        raise
    if not added.stored:
        await storage.delete(stored_key)
        response.status_code = 200
    response.headers["Location"] = f"/api/samples/{added.upload.sample_id}"
    return added.upload


@router.post("/upload", status_code=201, openapi_extra=UPLOAD_FORM, responses=DUPLICATE, deprecated=True)
@streams_body
async def upload_sample_at_the_old_address(
    request: Request, response: Response, user: CurrentUser, database: UsedDatabase, storage: UsedStorage
) -> Upload:
    """The same as `POST /api/samples`."""
    response.headers["Deprecation"] = "true"
    response.headers["Link"] = '</api/samples>; rel="successor-version"'
    return await upload_sample(request, response, user, database, storage)


class ListQuery(BaseModel, extra="forbid"):
    """How to narrow, sort and page the list."""

    q: Annotated[
        str, Query(max_length=200, description="words that all occur; `-word` does not; quotes keep words together")
    ] = ""
    kind: Kind | None = None
    tempo_min: Tempo | None = None
    tempo_max: Tempo | None = None
    tempo_multiples: Annotated[bool, Query(description="also half and double the tempo")] = False
    key: Key | None = None
    key_compatible: Annotated[bool, Query(description="also the neighbours on the Camelot wheel")] = False
    duration_min: Annotated[float | None, Query(ge=0, allow_inf_nan=False)] = None
    duration_max: Annotated[float | None, Query(ge=0, allow_inf_nan=False)] = None
    tag: Tag | None = None
    favourite: bool | None = None
    status: Status | None = None
    collection: UUID | None = None
    deleted: Annotated[bool, Query(description="the trash instead of the library")] = False
    sort: Sort = "-created_at"
    limit: Annotated[int, Query(ge=1, le=500)] = 50
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0
    cursor: Annotated[str | None, Query(max_length=1000)] = None

    def filters(self) -> Filters:
        shared = self.model_dump(exclude={"q", "sort", "limit", "offset", "cursor"})
        return Filters(text=self.q, **shared)


@router.get("/samples", response_model=SampleList)
async def list_samples(request: Request, session: OwnTransaction, query: Annotated[ListQuery, Query()]) -> Response:
    """Your samples, narrowed, sorted and paged."""
    page = await find_samples(
        session, query.filters(), sort=query.sort, limit=query.limit, offset=query.offset, cursor=query.cursor
    )
    pending = [sample.job_id for sample in page.samples if sample.status == "pending" and sample.job_id]
    deferred = await jobs.deferred_among(session, pending)
    found = {
        "samples": [service.summarize(sample, deferred=sample.job_id in deferred) for sample in page.samples],
        "total": page.total,
        "limit": query.limit,
        "offset": query.offset,
        "next_cursor": page.next_cursor,
    }
    # Not through SampleList: a model of each row would cost more than finding it.
    return tagged_json(request, orjson.dumps(found, option=orjson.OPT_UTC_Z))


@router.get("/facets")
async def get_facets(session: OwnTransaction) -> Facets:
    """How your samples spread over kinds, keys, tags and tempo."""
    return await count_facets(session)


@router.get("/samples/{sample_id}", response_model=SampleDetail)
async def get_sample(request: Request, sample_id: UUID, session: OwnTransaction) -> Response:
    """Everything about one sample."""
    sample = await service.get_sample(session, sample_id, deleted=None)
    return tagged_response(request, await service.describe_sample(session, sample))


@router.patch("/samples/{sample_id}")
async def change_sample(sample_id: UUID, change: SampleChange, session: OwnTransaction) -> SampleDetail:
    """Rename, tag or correct a sample. A corrected tempo, key or kind wins until you set it to `null`."""
    sample = await service.get_sample(session, sample_id, lock=True)
    await service.change_sample(session, sample, change)
    return await service.describe_sample(session, sample)


@router.delete("/samples/{sample_id}", status_code=204)
async def delete_sample(sample_id: UUID, session: OwnTransaction) -> None:
    """Put a sample into the trash, from where it can be restored."""
    await service.delete_sample(session, await service.get_sample(session, sample_id, lock=True))


@router.post("/samples/{sample_id}/restore")
async def restore_sample(sample_id: UUID, session: OwnTransaction, plan: OwnPlan) -> SampleDetail:
    """Take a sample out of the trash."""
    sample = await service.get_sample(session, sample_id, deleted=True, lock=True)
    await service.restore_sample(session, sample, plan)
    return await service.describe_sample(session, sample)


@router.delete("/trash")
async def empty_trash(user: CurrentUser, session: OwnTransaction) -> Emptied:
    """Delete everything in your trash for good. This cannot be undone."""
    return Emptied(deleted=await trash.empty_trash(session, user.user_id))


@router.post("/samples/{sample_id}/analyze", status_code=202, response_model=Job)
async def analyze_sample(
    sample_id: UUID, user: CurrentUser, session: OwnTransaction, plan: OwnPlan, key: IdempotencyHeader = None
) -> Response:
    """Analyse a sample again; your corrections stay."""
    sample = await service.get_sample(session, sample_id, lock=True)

    async def act() -> Job:
        return jobs.shown(await service.analyze_again(session, sample, plan))

    return await once(session, user.user_id, key, f"analyze {sample_id}", act, status=202)


@router.get("/samples/{sample_id}/download", tags=[MEDIA], response_class=Response, responses={206: {}})
async def download_sample(
    request: Request, sample_id: UUID, user: CurrentUser, database: UsedDatabase, storage: UsedStorage
) -> Response:
    """The original file, byte for byte."""
    async with database.transaction(user.user_id) as session:
        sample = await service.get_sample(session, sample_id, deleted=None)
    return await ranged_response(
        storage, sample.file_key, sample.file_size, sample.content_type, request, filename=sample.filename
    )


@router.get("/samples/{sample_id}/download/link")
async def link_to_download(sample_id: UUID, session: OwnTransaction, storage: UsedStorage) -> Link:
    """An address of the original file that works without a token for an hour."""
    sample = await service.get_sample(session, sample_id, deleted=None)
    signed = await storage.signed_url(
        sample.file_key, expires_in=LINK_LIFETIME, filename=sample.filename, content_type=sample.content_type
    )
    return Link(url=signed.url, expires_at=signed.expires_at)


@router.get("/samples/{sample_id}/preview", tags=[MEDIA], response_class=Response, responses={206: {}})
async def preview_sample(
    request: Request, sample_id: UUID, user: CurrentUser, database: UsedDatabase, storage: UsedStorage
) -> Response:
    """The sample in a form every browser plays."""
    async with database.transaction(user.user_id) as session:
        sample = await service.get_sample(session, sample_id, deleted=None)
    key, size, content_type = _preview_of(sample)
    return await ranged_response(storage, key, size, content_type, request)


@router.get("/samples/{sample_id}/preview/link")
async def link_to_preview(sample_id: UUID, session: OwnTransaction, storage: UsedStorage) -> Link:
    """An address of the preview that works without a token for an hour."""
    key, _, content_type = _preview_of(await service.get_sample(session, sample_id, deleted=None))
    signed = await storage.signed_url(key, expires_in=LINK_LIFETIME, content_type=content_type)
    return Link(url=signed.url, expires_at=signed.expires_at)


@router.get("/samples/{sample_id}/waveform", tags=[MEDIA])
async def get_waveform(
    sample_id: UUID,
    user: CurrentUser,
    database: UsedDatabase,
    storage: UsedStorage,
    points: Annotated[int, Query(ge=16, le=service.MOST_POINTS)] = service.POINTS_AT_HAND,
) -> Waveform:
    """Peaks to draw the sample with; fewer than asked for when the sample is too short to show more in them."""
    async with database.transaction(user.user_id) as session:
        sample = await service.get_sample(session, sample_id, deleted=None)
        analysis = await service.latest_analysis(session, sample_id)
    if analysis is None:
        raise NotFound("The sample has not been analysed yet.")
    close = None
    if points > service.POINTS_AT_HAND and sample.preview_key is not None:
        close = await read_close_peaks(storage, sample.preview_key)
    return service.peaks_to_waveform(analysis.peaks if close is None else close, points)


@router.get("/samples/{sample_id}/spectrogram", tags=[MEDIA], response_class=Response, responses=PICTURE)
async def get_spectrogram(
    request: Request, sample_id: UUID, user: CurrentUser, database: UsedDatabase, storage: UsedStorage
) -> Response:
    """A picture of the sample: time across, pitch upwards in octaves, from 40 Hz to 18 kHz or what its rate allows."""
    async with database.transaction(user.user_id) as session:
        sample = await service.get_sample(session, sample_id, deleted=None)
    picture = await read_spectrogram(storage, sample.preview_key) if sample.preview_key is not None else None
    if picture is None:
        raise NoSpectrogram("There is no spectrogram of this sample (yet).")
    return tagged_content(request, picture, "image/png")


def tagged_response(request: Request, body: BaseModel) -> Response:
    """`body` as JSON with an ETag, or 304 when the client has it already."""
    return tagged_json(request, body.model_dump_json().encode())


def tagged_json(request: Request, content: bytes) -> Response:
    """JSON with an ETag, or 304 when the client has it already."""
    return tagged_content(request, content, "application/json")


def tagged_content(request: Request, content: bytes, media_type: str) -> Response:
    """`content` with an ETag, or 304 when the client has it already."""
    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def _expected_size(request: Request, plan: Plan) -> int:
    """The most the file can have: what the request announces, or, if it does not, what the plan accepts."""
    announced = request.headers.get("content-length", "")
    largest = plan.max_file_bytes + FORM_OVERHEAD_BYTES
    return min(int(announced), largest) if announced.isdigit() else largest


def _parse_tags(given: str) -> list[str]:
    try:
        return list(dict.fromkeys(_TAGS.validate_python([tag for tag in given.split(",") if tag.strip()])))
    except ValidationError as error:
        raise ValidationFailed(f"tags: {error.errors()[0]['msg']}") from error


def _preview_of(sample: Sample) -> tuple[str, int, str]:
    if sample.preview_key is None or sample.preview_size is None or sample.preview_content_type is None:
        raise NotPlayableYet("This sample has no preview (yet).")
    return sample.preview_key, sample.preview_size, sample.preview_content_type
