"""HTTP of other people's accounts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from sample_agent.accounts import Administrator, Identity, OfApp, OfClient
from sample_agent.accounts.caller import SureAdministrator
from sample_agent.accounts.errors import SessionRequired
from sample_agent.admin.actor import administrator
from sample_agent.admin.people import search, service
from sample_agent.admin.people.schemas import AdminUser, AdminUserDetail, AdminUsers, Status, UserChange, UserSearch
from sample_agent.core.cursors import Cursor

router = APIRouter(tags=["admin"])


@router.get("/api/admin/users")
async def list_users(
    principal: Administrator,
    identity: OfApp,
    response: Response,
    q: UserSearch | None = None,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor | None = None,
) -> AdminUsers:
    """Accounts of this installation, newest first."""
    async with identity.database.transaction(purpose="identity") as db:
        page = await search.find(
            db, q=q, status=status, limit=limit, cursor=cursor, default_plan=identity.settings.plan_for_new_accounts
        )
    response.headers["Cache-Control"] = "no-store"
    return AdminUsers(users=[AdminUser.model_validate(each) for each in page.users], next_cursor=page.next_cursor)


@router.get("/api/admin/users/{user_id}")
async def get_user(user_id: UUID, principal: Administrator, identity: OfApp, response: Response) -> AdminUserDetail:
    """One account, with what hangs on it."""
    return await _detail(identity, user_id, response)


@router.put("/api/admin/users/{user_id}")
async def change_user(
    user_id: UUID,
    body: UserChange,
    principal: SureAdministrator,
    identity: OfApp,
    client: OfClient,
    response: Response,
) -> AdminUserDetail:
    """Suspend or restore an account, make somebody an administrator or no longer one, change name or plan."""
    if body.is_admin is not None and principal.session_id is None:
        raise SessionRequired("Who is an administrator is decided by a person, not with an API key.")
    ended = await service.change(
        identity.database,
        user_id,
        service.Change(**body.model_dump()),
        actor=administrator(principal, client),
        now=identity.now(),
        default_plan=identity.settings.plan_for_new_accounts,
    )
    identity.sessions.forget(*ended)
    return await _detail(identity, user_id, response)


@router.delete("/api/admin/users/{user_id}", status_code=202)
async def delete_user(
    user_id: UUID, principal: SureAdministrator, identity: OfApp, client: OfClient, response: Response
) -> AdminUserDetail:
    """Have an account erased in 30 days; until then whose it is can sign in and keep it."""
    ended = await service.ask_for_deletion(
        identity.database, user_id, actor=administrator(principal, client), now=identity.now()
    )
    identity.sessions.forget(*ended)
    return await _detail(identity, user_id, response)


@router.post("/api/admin/users/{user_id}/sign-out", status_code=204)
async def sign_out_user(user_id: UUID, principal: Administrator, identity: OfApp, client: OfClient) -> None:
    """End every session of a person, within a second everywhere."""
    ended = await service.sign_out(
        identity.database, user_id, actor=administrator(principal, client), now=identity.now()
    )
    identity.sessions.forget(*ended)


@router.post("/api/admin/users/{user_id}/reset-factors", status_code=204)
async def reset_user_factors(user_id: UUID, principal: SureAdministrator, identity: OfApp, client: OfClient) -> None:
    """Remove a person's second factors and end their sessions, for somebody who has lost them."""
    ended = await service.reset_factors(
        identity.database, user_id, actor=administrator(principal, client), now=identity.now()
    )
    identity.sessions.forget(*ended)


async def _detail(identity: Identity, user_id: UUID, response: Response) -> AdminUserDetail:
    async with identity.database.transaction(purpose="identity") as db:
        found = await search.detail(
            db, user_id, now=identity.now(), default_plan=identity.settings.plan_for_new_accounts
        )
    response.headers["Cache-Control"] = "no-store"
    return AdminUserDetail.model_validate(found)
