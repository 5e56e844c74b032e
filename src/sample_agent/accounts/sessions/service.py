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
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import SessionExpired
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import RefreshToken, Session, User
from sample_agent.accounts.plans import plan_of
from sample_agent.accounts.second_factor import has_second_factor
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import PlanId

REUSE_INTERVAL = timedelta(seconds=10)

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
    """Open a session with its first refresh token. `second_factor`: whether one was part of the sign-in."""
    now = identity.now()
    session = Session(
        id=new_id(),
        user_id=user.id,
        user_agent=client.user_agent,
        ip_address=client.ip_address,
        created_at=now,
        last_used_at=now,
        authenticated_at=now,
        second_factor=second_factor,
        expires_at=now + timedelta(days=identity.settings.refresh_absolute_days),
    )
    db.add(session)
    await db.flush()
    token = secrets.token_urlsafe(32)
    return await _sign_in(db, identity, user, token, _keep(db, identity, session, token))


async def refresh(identity: Identity, token: str) -> SignIn:
    """Exchange a refresh token for its successor and a new access token.

    Raises SessionExpired when the token is unknown, spent, or its session has ended. A token that was spent more than
    `REUSE_INTERVAL` ago ends its session.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        link, session, user = await _locked_link(db, token, now)
        if link.rotated_at is not None and now - link.rotated_at > REUSE_INTERVAL:
            # Not raised in here: ending the session has to be committed.
            await _revoke(db, session.id, now, "refresh token used twice")
            signed_in = None
        else:
            if link.rotated_at is None:
                token, link = _rotate(db, identity, session, link, token)
            else:
                token, link = await _current_link(db, identity.refresh_key, token)
            signed_in = await _sign_in(db, identity, user, token, link)
    if signed_in is None:
        identity.sessions.forget(session.id)
        log.warning("refresh token used twice, session ended", user_id=str(user.id), session_id=str(session.id))
        raise SessionExpired
    return signed_in


async def end_session(identity: Identity, session_id: UUID, reason: str) -> None:
    """End a session: its refresh token is refused at once, its access tokens within a second on every process."""
    async with identity.database.transaction(purpose="identity") as db:
        await _revoke(db, session_id, identity.now(), reason)
    identity.sessions.forget(session_id)


async def session_of(identity: Identity, refresh_token: str) -> UUID | None:
    """The session a refresh token belongs to, however old the token is."""
    async with identity.database.transaction(purpose="identity") as db:
        session_id: UUID | None = await db.scalar(
            select(RefreshToken.session_id).where(RefreshToken.token_hash == token_hash(refresh_token))
        )
    return session_id


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


async def _revoke(db: AsyncSession, session_id: UUID, now: datetime, reason: str) -> None:
    await db.execute(
        update(Session)
        .where(Session.id == session_id, Session.revoked_at.is_(None))
        .values(revoked_at=now, revoked_reason=reason)
    )
