"""HTTP of the audit log of everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from sample_agent.accounts import Administrator, Identity, OfApp, OfClient, Principal
from sample_agent.accounts.audit import INSTALLATION, Action, record
from sample_agent.accounts.audit.export import MEDIA_TYPES, Format, exported
from sample_agent.accounts.audit.search import Filters, find
from sample_agent.admin.actor import administrator
from sample_agent.admin.audit.schemas import AuditFilters, AuditRecord, AuditRecords
from sample_agent.core.cursors import Cursor

router = APIRouter(tags=["admin"])


class _Search(AuditFilters):
    limit: int = Field(50, ge=1, le=200)
    cursor: Cursor | None = None


class _Export(AuditFilters):
    format: Format = Field("csv", description="CSV, or a line of JSON for each entry")


@router.get("/api/admin/audit")
async def search_audit_log(
    search: Annotated[_Search, Query()], principal: Administrator, identity: OfApp, response: Response
) -> AuditRecords:
    """Entries of the audit log, newest first."""
    async with identity.database.transaction(purpose="identity") as db:
        page = await find(db, search.wanted(), limit=search.limit, cursor=search.cursor)
    response.headers["Cache-Control"] = "no-store"
    return AuditRecords(entries=[AuditRecord.of(each) for each in page.entries], next_cursor=page.next_cursor)


@router.get(
    "/api/admin/audit/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The entries that match, oldest first.",
            "content": {media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES.values()},
        }
    },
)
async def export_audit_log(
    export: Annotated[_Export, Query()], principal: Administrator, identity: OfApp, client: OfClient
) -> StreamingResponse:
    """The audit log as a file, oldest entries first. That it was taken is itself recorded."""
    now = identity.now()
    wanted = export.wanted()
    async with identity.database.transaction(purpose="identity") as db:
        await record(
            db,
            Action.AUDIT_EXPORTED,
            tenant_id=INSTALLATION,
            actor=administrator(principal, client),
            detail=export.model_dump(exclude_none=True),
            now=now,
        )
    return StreamingResponse(
        _while_signed_in(identity, principal, replace(wanted, until=wanted.until or now), export.format),
        media_type=MEDIA_TYPES[export.format],
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="audit-{now:%Y%m%dT%H%M%SZ}.{export.format}"',
        },
    )


async def _while_signed_in(
    identity: Identity, principal: Principal, filters: Filters, format_: Format
) -> AsyncIterator[bytes]:
    """The file, broken off when the administrator is signed out meanwhile."""
    async for piece in exported(identity.database, filters, format_):
        if not await identity.still_holds(principal):
            raise ConnectionAbortedError("signed out during the export")
        yield piece
