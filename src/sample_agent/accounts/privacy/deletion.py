"""Deleting one's account: asked for, taken back, and due after thirty days."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sample_agent.accounts import audit
from sample_agent.accounts.administrators import hold_with_administrators, refuse_last_administrator
from sample_agent.accounts.audit import Action, Actor
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import NoDeletionAsked, OneTimeTokenSpent, SessionExpired
from sample_agent.accounts.holding import hold_person
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.organizations.departure import refuse_while_needed
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.privacy.keep_token import read_keep_token
from sample_agent.accounts.privacy.mails import ACCOUNT_KEPT, DELETION_ASKED
from sample_agent.accounts.sessions.ending import end_sessions
from sample_agent.accounts.users.password_changes import prove_password

GRACE = timedelta(days=30)


async def ask(identity: Identity, principal: Principal, client: Client, *, password: str) -> datetime:
    """Have the account erased after `GRACE`; when that is. Asked again, the answer is the same.

    All other sessions end, and API keys stop. Raises WrongProof, LastAdministrator, and OrganizationNeedsOwner.
    """
    await prove_password(identity, principal, password=password, client=client, field="password")
    now = identity.now()
    async with identity.database.transaction(principal.user_id, purpose="identity") as db:
        user = await hold_with_administrators(db, principal.user_id)
        if user is None:
            raise SessionExpired
        if user.delete_after is not None:
            return user.delete_after
        await refuse_last_administrator(db, user)
        await refuse_while_needed(db, user.id)
        user.delete_after = delete_after = now + GRACE
        ended = await end_sessions(db, user.id, now=now, reason="account deletion asked for", keep=principal.session_id)
        data = {"at": now.isoformat(), "user_agent": client.user_agent, "ip_address": client.ip_address}
        await queue_mail(db, DELETION_ASKED, to=user.email, user_id=user.id, data=data)
        await audit.record(
            db,
            Action.DELETION_ASKED,
            tenant_id=user.id,
            actor=Actor.of(principal, client),
            detail={"delete_after": delete_after.isoformat()},
            now=now,
        )
    identity.sessions.forget(*ended)
    return delete_after


async def keep(identity: Identity, principal: Principal, client: Client) -> None:
    """Take it back. Raises NoDeletionAsked, also when the time has run out."""
    await _keep(identity, principal.user_id, Actor.of(principal, client), asked_for=None)


async def keep_by_token(identity: Identity, client: Client, *, token: str) -> None:
    """Take it back with the link from the mail. Raises OneTimeTokenSpent."""
    user_id, delete_after = read_keep_token(identity.refresh_key, token)
    try:
        await _keep(identity, user_id, Actor("user", user_id, client), asked_for=delete_after)
    except (NoDeletionAsked, SessionExpired) as error:
        raise OneTimeTokenSpent from error


async def _keep(identity: Identity, user_id: UUID, actor: Actor, *, asked_for: datetime | None) -> None:
    now = identity.now()
    async with identity.database.transaction(user_id, purpose="identity") as db:
        user = await hold_person(db, user_id)
        if user.delete_after is None or user.delete_after <= now or asked_for not in (None, user.delete_after):
            raise NoDeletionAsked
        user.delete_after = None
        data = {"at": now.isoformat(), "user_agent": actor.client.user_agent, "ip_address": actor.client.ip_address}
        await queue_mail(db, ACCOUNT_KEPT, to=user.email, user_id=user.id, data=data)
        await audit.record(db, Action.DELETION_CANCELLED, tenant_id=user.id, actor=actor, now=now)
