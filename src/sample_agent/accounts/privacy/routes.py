"""HTTP of privacy: a copy of one's data, and leaving for good."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from sample_agent.accounts.caller import FreshlySignedIn, SignedIn
from sample_agent.accounts.client import OfClient
from sample_agent.accounts.identity import OfApp
from sample_agent.accounts.privacy import deletion, exports
from sample_agent.accounts.privacy.schemas import (
    DeletionAsked,
    DeletionDue,
    ExportLink,
    ExportList,
    ExportShown,
    KeepAccount,
)
from sample_agent.accounts.sessions.schemas import UserProfile
from sample_agent.accounts.stored import OfStorage
from sample_agent.accounts.users.profile import profile_of
from sample_agent.accounts.wire import Message

router = APIRouter(tags=["accounts"])


@router.post("/api/account/exports", status_code=202)
async def ask_for_export(
    principal: FreshlySignedIn, identity: OfApp, client: OfClient, response: Response
) -> ExportShown:
    """Have a copy of everything that is kept about you made; a mail tells when it is ready."""
    response.headers["Cache-Control"] = "no-store"
    export = await exports.ask(identity, principal, client)
    response.headers["Location"] = f"/api/account/exports/{export.id}"
    return ExportShown.of(export)


@router.get("/api/account/exports")
async def list_exports(principal: SignedIn, identity: OfApp, response: Response) -> ExportList:
    """The copies of your data, newest first."""
    response.headers["Cache-Control"] = "no-store"
    found = await exports.list_exports(identity, principal.user_id)
    return ExportList(exports=[ExportShown.of(export) for export in found])


@router.get("/api/account/exports/{export_id}")
async def get_export(export_id: UUID, principal: SignedIn, identity: OfApp, response: Response) -> ExportShown:
    """How a copy of your data stands."""
    response.headers["Cache-Control"] = "no-store"
    return ExportShown.of(await exports.get_export(identity, principal.user_id, export_id))


@router.post("/api/account/exports/{export_id}/link")
async def link_to_data_export(
    export_id: UUID,
    principal: FreshlySignedIn,
    identity: OfApp,
    client: OfClient,
    storage: OfStorage,
    response: Response,
) -> ExportLink:
    """An address to download the copy from, which works without a token for an hour."""
    response.headers["Cache-Control"] = "no-store"
    signed = await exports.link(identity, storage, principal, client, export_id)
    return ExportLink(url=signed.url, expires_at=signed.expires_at)


@router.post("/api/account/deletion", status_code=202)
async def ask_for_deletion(
    body: DeletionAsked, principal: FreshlySignedIn, identity: OfApp, client: OfClient, response: Response
) -> DeletionDue:
    """Have your account erased in thirty days. Your other sessions end at once, and your API keys stop."""
    response.headers["Cache-Control"] = "no-store"
    password = body.password.get_secret_value()
    return DeletionDue(delete_after=await deletion.ask(identity, principal, client, password=password))


@router.delete("/api/account/deletion")
async def keep_account(principal: SignedIn, identity: OfApp, client: OfClient, response: Response) -> UserProfile:
    """Keep your account after all."""
    response.headers["Cache-Control"] = "no-store"
    await deletion.keep(identity, principal, client)
    return await profile_of(identity, principal)


@router.post("/api/auth/keep-account")
async def keep_account_by_mail(body: KeepAccount, identity: OfApp, client: OfClient) -> Message:
    """Keep your account, with the token from the mail that tells when it is erased."""
    await deletion.keep_by_token(identity, client, token=body.token)
    return Message(message="Your account stays.")
