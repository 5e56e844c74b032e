"""Sessions and their chains of refresh tokens.

A refresh token works once and is answered with its successor. The successor is derived from it with a key the
database does not hold, so although only hashes are stored, whoever loses a race of several refreshes with one token
(tabs, retries after a lost answer) is given the same current token as the winner, for a few seconds. After those, a
second use means the token was copied, and the session ends.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import SYSTEM, Action, Actor, Subject, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import SessionExpired
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import RefreshToken, Session, User
from sample_agent.accounts.plans import plan_of
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.second_factor import has_second_factor
from sample_agent.accounts.sessions.ending import end_sessions
from sample_agent.accounts.sessions.mails import NEW_SIGN_IN, TOKEN_REUSED
from sample_agent.accounts.sessions.recognition import is_unknown_device
from sample_agent.core.errors import NotFound
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import PlanId

REUSE_INTERVAL = timedelta(seconds=10)

MOST_LISTED = 200
"""Sessions that are shown; older ones can be ended all the same, with all others."""

log = structlog.get_logger("accounts")


@dataclass(frozen=True)
class SignIn:
    """What a client is given when a session begins or goes on."""

    user: User
    plan: PlanId
    has_second_factor: bool
    """Whether the account has one, used in this session or not."""
    access_token: str
    expires_in: int
    refresh_token: str
    refresh_expires_at: datetime


async def begin_session(
    db: AsyncSession, identity: Identity, user: User, client: Client, *, second_factor: bool = False
) -> SignIn:
    """Open a session with its first refresh token. `second_factor`: whether one was part of the sign-in.

    The person is mailed when it is a device they never used before.
    """
    now = identity.now()
    unknown_device = await is_unknown_device(db, identity, user, client)
    session = Session(
        id=new_id(),
        user_id=user.id,
        user_agent=client.user_agent,
        ip_address=client.ip_address,
        began_from=client.ip_address,
        created_at=now,
        last_used_at=now,
        authenticated_at=now,
        second_factor=second_factor,
        expires_at=now + timedelta(days=identity.settings.refresh_absolute_days),
    )
    db.add(session)
    await db.flush()
    if unknown_device:
        await queue_mail(db, NEW_SIGN_IN, to=user.email, user_id=user.id, data={"session_id": str(session.id)})
    token = secrets.token_urlsafe(32)
    return await _sign_in(db, identity, user, token, _keep(db, identity, session, token))


async def refresh(identity: Identity, token: str, client: Client) -> SignIn:
    """Exchange a refresh token for its successor and a new access token.

    Raises SessionExpired when the token is unknown, spent, or its session has ended. A token that was spent more than
    `REUSE_INTERVAL` ago ends its session, and the person is told.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        link, session, user = await _locked_link(db, token, now)
        if link.rotated_at is not None and now - link.rotated_at > REUSE_INTERVAL:
            # Not raised in here: ending the session has to be committed.
            await _end_copied(db, session, user, client, now)
            signed_in = None
        else:
            if link.rotated_at is None:
                token, link = _rotate(db, identity, session, link, token)
            else:
                token, link = await _current_link(db, identity.refresh_key, token)
            session.ip_address = client.ip_address or session.ip_address
            signed_in = await _sign_in(db, identity, user, token, link)
    if signed_in is None:
        identity.sessions.forget(session.id)
        log.warning("refresh token used twice, session ended", user_id=str(user.id), session_id=str(session.id))
        raise SessionExpired
    return signed_in


async def list_sessions(identity: Identity, principal: Principal) -> list[Session]:
    """The person's living sessions, the one used last first."""
    now = identity.now()
    # One that was not used for so long cannot be refreshed, and has no access token that is good.
    last_use = now - timedelta(days=identity.settings.refresh_idle_days)
    async with identity.database.transaction(purpose="identity") as db:
        sessions = await db.scalars(
            select(Session)
            .where(
                Session.user_id == principal.user_id,
                Session.revoked_at.is_(None),
                Session.expires_at > now,
                or_(Session.last_used_at > last_use, Session.id == principal.session_id),
            )
            .order_by(Session.last_used_at.desc(), Session.id)
            .limit(MOST_LISTED)
        )
        return list(sessions)


async def sign_out(identity: Identity, session_id: UUID, client: Client) -> None:
    """End a session, or an impersonation, at its own wish. Harmless when it has ended before."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        session = await db.get(Session, session_id)
        if session is None:
            return
        supporter = session.impersonator_id
        actor = Actor("admin", supporter, client) if supporter else Actor("user", session.user_id, client)
        if not await end_sessions(db, session.user_id, now=now, reason="signed out", only=session_id, by=actor):
            return
        if supporter is None:
            subject = Subject("session", session_id)
            await record(db, Action.SIGNED_OUT, tenant_id=session.user_id, actor=actor, subject=subject, now=now)
    identity.sessions.forget(session_id)
    log.info("signed out", user_id=str(session.user_id), session_id=str(session_id))


async def revoke_session(identity: Identity, principal: Principal, session_id: UUID, client: Client) -> None:
    """End one of the person's own sessions. Raises NotFound for any other, and for one that has ended."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        if not await end_sessions(db, principal.user_id, now=now, reason="revoked", only=session_id):
            raise NotFound
        await record(
            db,
            Action.SESSION_REVOKED,
            tenant_id=principal.user_id,
            actor=Actor.of(principal, client),
            subject=Subject("session", session_id),
            now=now,
        )
    identity.sessions.forget(session_id)
    log.info("session revoked", user_id=str(principal.user_id), session_id=str(session_id))


async def revoke_sessions(identity: Identity, principal: Principal, client: Client, *, keep_current: bool) -> None:
    """End all of the person's sessions, or all but the one that asks."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        ended = await end_sessions(
            db, principal.user_id, now=now, reason="revoked", keep=principal.session_id if keep_current else None
        )
        await record(
            db,
            Action.SESSIONS_REVOKED,
            tenant_id=principal.user_id,
            actor=Actor.of(principal, client),
            detail={"sessions": len(ended), "kept_current": keep_current},
            now=now,
        )
    identity.sessions.forget(*ended)
    log.info("sessions revoked", user_id=str(principal.user_id), count=len(ended))


async def session_of(identity: Identity, refresh_token: str) -> UUID | None:
    """The session a refresh token belongs to, however old the token is."""
    async with identity.database.transaction(purpose="identity") as db:
        session_id: UUID | None = await db.scalar(
            select(RefreshToken.session_id).where(RefreshToken.token_hash == token_hash(refresh_token))
        )
    return session_id


async def with_origin(identity: Identity, session_id: UUID) -> list[UUID]:
    """The session, and for an impersonation the one it was begun from."""
    async with identity.database.transaction(purpose="identity") as db:
        origin = await db.scalar(select(Session.impersonator_session_id).where(Session.id == session_id))
    return [session_id] if origin is None else [session_id, origin]


def successor(key: bytes, token: str) -> str:
    """The refresh token that follows `token`; only who holds both the token and the key can compute it."""
    digest = hmac.digest(key, b"refresh\0" + token.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """What is stored of a random token. It has 256 bits, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()


async def _locked_link(db: AsyncSession, token: str, now: datetime) -> tuple[RefreshToken, Session, User]:
    """The token's row, its living session and its user; the first two locked, so that refreshes take turns."""
    row = (
        await db.execute(
            select(RefreshToken, Session, User)
            .join(Session, Session.id == RefreshToken.session_id)
            .join(User, User.id == Session.user_id)
            .where(RefreshToken.token_hash == token_hash(token))
            .with_for_update(of=[RefreshToken, Session])
        )
    ).one_or_none()
    if row is None:
        raise SessionExpired
    link, session, user = row
    if session.revoked_at is not None or session.expires_at <= now or not user.is_active:
        raise SessionExpired
    return link, session, user


def _rotate(
    db: AsyncSession, identity: Identity, session: Session, link: RefreshToken, token: str
) -> tuple[str, RefreshToken]:
    now = identity.now()
    if link.expires_at <= now:
        raise SessionExpired
    link.rotated_at = session.last_used_at = now
    token = successor(identity.refresh_key, token)
    return token, _keep(db, identity, session, token)


async def _current_link(db: AsyncSession, key: bytes, token: str) -> tuple[str, RefreshToken]:
    """Follow the chain from a token that was spent a moment ago to the one that is current."""
    while True:
        token = successor(key, token)
        link = await db.scalar(select(RefreshToken).where(RefreshToken.token_hash == token_hash(token)))
        if link is None:  # the key was changed in between
            raise SessionExpired
        if link.rotated_at is None:
            return token, link


def _keep(db: AsyncSession, identity: Identity, session: Session, token: str) -> RefreshToken:
    now = identity.now()
    idle_end = now + timedelta(days=identity.settings.refresh_idle_days)
    link = RefreshToken(
        session_id=session.id,
        user_id=session.user_id,
        token_hash=token_hash(token),
        issued_at=now,
        expires_at=min(idle_end, session.expires_at),
    )
    db.add(link)
    return link


async def _sign_in(db: AsyncSession, identity: Identity, user: User, token: str, link: RefreshToken) -> SignIn:
    plan = await plan_of(db, user.id, identity.settings.plan_for_new_accounts)
    return SignIn(
        user=user,
        plan=plan,
        has_second_factor=bool(await db.scalar(select(has_second_factor(user.id)))),
        access_token=identity.tokens.issue(user_id=user.id, session_id=link.session_id, email=user.email, tier=plan),
        expires_in=identity.tokens.seconds,
        refresh_token=token,
        refresh_expires_at=link.expires_at,
    )


async def _end_copied(db: AsyncSession, session: Session, user: User, client: Client, now: datetime) -> None:
    """End a session whose refresh token is in two hands, tell the person, and record it."""
    await end_sessions(db, user.id, now=now, reason="refresh token used twice", only=session.id)
    data = {"session_id": str(session.id), "ip_address": client.ip_address}
    await queue_mail(db, TOKEN_REUSED, to=user.email, user_id=user.id, data=data)
    await record(
        db,
        Action.REFRESH_TOKEN_REUSED,
        tenant_id=user.id,
        actor=Actor(SYSTEM.kind, client=client),
        subject=Subject("session", session.id),
        now=now,
    )
