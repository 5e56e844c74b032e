"""Collections over HTTP, and their export to a card."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from sample_agent.accounts import CurrentUser, OwnTransaction
from sample_agent.billing import OwnPlan
from sample_agent.core.database import database_of
from sample_agent.core.errors import Forbidden
from sample_agent.core.signed_urls import BadSignature, Grant, attachment, grant_query, read_grant
from sample_agent.library import collections as service
from sample_agent.library.export import export_collection
from sample_agent.library.idempotency import IdempotencyHeader, once
from sample_agent.library.schemas import (
    Added,
    Collection,
    CollectionChange,
    CollectionList,
    Link,
    NewCollection,
    SampleSelection,
)

router = APIRouter(prefix="/api", tags=["collections"])

LINK_LIFETIME = timedelta(minutes=10)
ZIP_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {}}, "description": "the archive"}
}


class LinkExpired(Forbidden):
    """The link was changed, or is too old."""

    code, title = "link-expired", "The link does not work any more"
    next_step = "Ask for a new link."


@router.get("/collections")
async def list_collections(session: OwnTransaction) -> CollectionList:
    """Your collections, by name."""
    return CollectionList(collections=await service.list_collections(session))


@router.post("/collections", status_code=201, response_model=Collection)
async def create_collection(
    new: NewCollection, user: CurrentUser, session: OwnTransaction, plan: OwnPlan, key: IdempotencyHeader = None
) -> Response:
    """Make an empty collection."""

    async def act() -> Collection:
        return await service.create_collection(session, user.user_id, plan, new)

    return await once(session, user.user_id, key, new, act, status=201)


@router.get("/collections/{collection_id}")
async def get_collection(collection_id: UUID, session: OwnTransaction) -> Collection:
    """One collection; its samples are `GET /api/samples?collection=…&sort=position`."""
    return await service.show_collection(session, collection_id)


@router.patch("/collections/{collection_id}")
async def change_collection(collection_id: UUID, change: CollectionChange, session: OwnTransaction) -> Collection:
    """Rename or describe a collection."""
    await service.change_collection(session, collection_id, change)
    session.expire_all()
    return await service.show_collection(session, collection_id)


@router.delete("/collections/{collection_id}", status_code=204)
async def delete_collection(collection_id: UUID, session: OwnTransaction) -> None:
    """Delete a collection; its samples stay in the library."""
    await service.delete_collection(session, collection_id)


@router.post("/collections/{collection_id}/samples")
async def add_to_collection(collection_id: UUID, selection: SampleSelection, session: OwnTransaction) -> Added:
    """Append samples; those already in the collection stay where they are."""
    added = await service.add_samples(session, collection_id, selection.sample_ids)
    session.expire_all()
    return Added(added=added, sample_count=(await service.show_collection(session, collection_id)).sample_count)


@router.delete("/collections/{collection_id}/samples/{sample_id}", status_code=204)
async def remove_from_collection(collection_id: UUID, sample_id: UUID, session: OwnTransaction) -> None:
    """Take a sample out of a collection."""
    await service.remove_sample(session, collection_id, sample_id)


@router.put("/collections/{collection_id}/order", status_code=204)
async def order_collection(collection_id: UUID, selection: SampleSelection, session: OwnTransaction) -> None:
    """Put the samples of a collection into another order."""
    await service.order_samples(session, collection_id, selection.sample_ids)


@router.get("/collections/{collection_id}/export", response_class=Response, responses=ZIP_RESPONSE)
async def download_export(request: Request, collection_id: UUID, user: CurrentUser) -> Response:
    """The collection as an archive for the SD card: `IMPORT/<collection>/` with 48 kHz 16-bit WAV files."""
    return await _archive(request, user.user_id, collection_id)


@router.get("/collections/{collection_id}/export/link")
async def link_to_export(request: Request, collection_id: UUID, user: CurrentUser, session: OwnTransaction) -> Link:
    """An address of the archive that works without a token for ten minutes."""
    await service.samples_to_export(session, collection_id)
    expires_at = datetime.now(UTC).replace(microsecond=0) + LINK_LIFETIME
    grant = Grant("GET", _export_key(user.user_id, collection_id), int(expires_at.timestamp()))
    query = grant_query(grant, request.app.state.settings.signing_key_bytes())
    path = request.app.url_path_for("download_linked_export", user_id=user.user_id, collection_id=collection_id)
    return Link(url=f"{request.app.state.settings.library_url}{path}?{query}", expires_at=expires_at)


@router.get(
    "/exports/{user_id}/{collection_id}", response_class=Response, responses=ZIP_RESPONSE, include_in_schema=False
)
async def download_linked_export(request: Request, user_id: UUID, collection_id: UUID) -> Response:
    key = request.app.state.settings.signing_key_bytes()
    try:
        read_grant("GET", _export_key(user_id, collection_id), request.query_params, key)
    except BadSignature as error:
        raise LinkExpired(str(error)) from error
    return await _archive(request, user_id, collection_id)


async def _archive(request: Request, user_id: UUID, collection_id: UUID) -> Response:
    async with database_of(request).transaction(user_id) as session:
        collection, samples = await service.samples_to_export(session, collection_id)
    blocks = export_collection(
        collection,
        samples,
        request.app.state.storage,
        request.app.state.engine_pool,
        request.app.state.scratch_space,
    )
    headers = {"Content-Disposition": attachment(f"{collection.name}.zip"), "Cache-Control": "private, no-store"}
    return StreamingResponse(blocks, media_type="application/zip", headers=headers)


def _export_key(user_id: UUID, collection_id: UUID) -> str:
    return f"exports/{user_id}/{collection_id}"
