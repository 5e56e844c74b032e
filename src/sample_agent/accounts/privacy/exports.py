"""Copies of somebody's data: asking for one, and downloading it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import audit
from sample_agent.accounts.audit import Action, Actor, Subject
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import ExportNotReady, ExportUnderWay, SessionExpired
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import User
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.privacy.models import DataExport
from sample_agent.core.database import own_row
from sample_agent.core.errors import NotFound
from sample_agent.core.queue import enqueue
from sample_agent.core.signed_urls import SignedUrl
from sample_agent.core.storage import Storage

EXPORT_DATA = "export-data"
LINK_LIFETIME = timedelta(hours=1)
UNDER_WAY = ("pending", "processing")


async def ask(identity: Identity, principal: Principal, client: Client) -> DataExport:
    """Have a copy of the person's data made. Raises ExportUnderWay while another one is."""
    async with identity.database.transaction(principal.user_id) as db:
        # The person's row lets one ask at a time.
        user = await db.get(User, principal.user_id, with_for_update={"key_share": True})
        if user is None:
            raise SessionExpired
        running = await db.scalar(
            select(DataExport.id).where(DataExport.user_id == user.id, DataExport.status.in_(UNDER_WAY))
        )
        if running is not None:
            raise ExportUnderWay(extra={"export_id": str(running)})
        export = DataExport(user_id=user.id, status="pending", progress=0, attempts=0, created_at=identity.now())
        db.add(export)
        await db.flush()
        await queue_export(db, export)
        await audit.record(
            db,
            Action.EXPORT_ASKED,
            tenant_id=user.id,
            actor=Actor.of(principal, client),
            subject=Subject("data-export", export.id),
            now=identity.now(),
        )
    return export


async def queue_export(db: AsyncSession, export: DataExport) -> None:
    """Let a worker make the copy; nothing happens when one is about to."""
    payload = {"export_id": str(export.id), "user_id": str(export.user_id)}
    await enqueue(db, EXPORT_DATA, payload, dedupe_key=f"{EXPORT_DATA}:{export.id}")


async def list_exports(identity: Identity, user_id: UUID) -> Sequence[DataExport]:
    """The person's copies, newest first."""
    async with identity.database.transaction(user_id) as db:
        newest_first = select(DataExport).where(DataExport.user_id == user_id).order_by(DataExport.id.desc())
        return (await db.scalars(newest_first.limit(100))).all()


async def get_export(identity: Identity, user_id: UUID, export_id: UUID) -> DataExport:
    """One of the person's copies. Raises NotFound."""
    async with identity.database.transaction(user_id) as db:
        return await _export(db, export_id)


async def link(
    identity: Identity, storage: Storage, principal: Principal, client: Client, export_id: UUID
) -> SignedUrl:
    """An address to download the copy from, good for an hour. Raises NotFound and ExportNotReady."""
    async with identity.database.transaction(principal.user_id) as db:
        export = await _export(db, export_id)
        expired = export.expires_at is not None and export.expires_at <= identity.now()
        if export.status != "completed" or export.file_key is None or expired:
            raise ExportNotReady
        signed = await storage.signed_url(
            export.file_key,
            expires_in=LINK_LIFETIME,
            filename=f"sample-agent-data-{export.created_at:%Y-%m-%d}.zip",
            content_type="application/zip",
        )
        await audit.record(
            db,
            Action.EXPORT_DOWNLOADED,
            tenant_id=principal.user_id,
            actor=Actor.of(principal, client),
            subject=Subject("data-export", export.id),
            now=identity.now(),
        )
    return signed


async def _export(db: AsyncSession, export_id: UUID) -> DataExport:
    export = await own_row(db, DataExport, export_id)
    if export is None:
        raise NotFound("There is no such copy.")
    return export
