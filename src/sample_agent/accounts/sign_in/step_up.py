"""Stepping up: proving once more who one is before something dangerous, at a session one has already."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import ChallengeExpired, FactorNeeded, SessionExpired, WrongProof
from sample_agent.accounts.factors import challenges, passkeys
from sample_agent.accounts.factors.proof import Proof, check, methods_of, passkeys_of
from sample_agent.accounts.holding import hold_person
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import Session, User
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.sessions.throttle import attempt
from sample_agent.accounts.sign_in.refusals import note_refusal
from sample_agent.core.errors import Conflict

log = structlog.get_logger("accounts")


async def begin_passkey_step_up(identity: Identity, principal: Principal) -> tuple[str, dict[str, Any]]:
    """The name of a challenge, and what the browser needs to use a passkey of the account's. Raises Conflict without
    one."""
    expected = secrets.token_bytes(passkeys.CHALLENGE_BYTES)
    async with identity.database.transaction(purpose="identity") as db:
        user = await hold_person(db, principal.user_id)
        allowed = await passkeys_of(db, user.id)
        if not allowed:
            raise Conflict("This account has no passkey.")
        token = await challenges.open_challenge(db, "passkey-step-up", identity.now(), user=user, expected=expected)
    return token, passkeys.request_options(passkeys.site_of(identity.settings.public_url), allowed, expected)


async def step_up_with_password(identity: Identity, principal: Principal, client: Client, password: str) -> datetime:
    """Prove it by password, for an account without second factor; until when the proof is fresh.

    Raises FactorNeeded to whoever has a second factor, WrongProof otherwise.
    """
    async with attempt(identity, client, account=principal.email, session=principal.session_id):
        async with identity.database.transaction(purpose="identity") as db:
            await _refuse_password_alone(db, principal.user_id)
            stored = await db.scalar(select(User.password_hash).where(User.id == principal.user_id))
        right, _ = await identity.passwords.check(password, stored)
        if not right:
            await _refuse(identity, principal, client, "step-up-wrong-password")
            raise WrongProof("password")
        async with identity.database.transaction(purpose="identity") as db:
            user = await hold_person(db, principal.user_id)
            await _refuse_password_alone(db, user.id)
            if user.password_hash != stored:
                raise WrongProof("password")
            fresh_until = await _renew(db, identity, principal, client, "password")
    _forget(identity, principal)
    return fresh_until


async def step_up_with_factor(
    identity: Identity, principal: Principal, client: Client, proof: Proof, challenge: str | None
) -> datetime:
    """Prove it by a second factor; until when the proof is fresh. `challenge` belongs to a passkey.

    Raises WrongProof, and ChallengeExpired.
    """
    now = identity.now()
    async with attempt(identity, client, account=principal.email, of="second-factor", session=principal.session_id):
        async with identity.database.transaction(purpose="identity") as db:
            user = await hold_person(db, principal.user_id)
            asked = await challenges.open_one(db, challenge, "passkey-step-up", now) if challenge else None
            if asked is not None:
                if not challenges.answered_by(asked, user):
                    raise ChallengeExpired
                asked.used_at = now
            expected = asked.expected if asked else None
            outcome = await check(db, identity, user, proof, client, challenge=expected)
            if outcome.method is None:
                await note_refusal(db, user.id, f"step-up-{outcome.refusal}", client, now)
            else:
                fresh_until = await _renew(db, identity, principal, client, outcome.method)
        if outcome.method is None:
            log.info("step-up refused", reason=outcome.refusal, user_id=str(principal.user_id))
            raise WrongProof(proof.field)
    _forget(identity, principal)
    return fresh_until


async def _refuse_password_alone(db: AsyncSession, user_id: UUID) -> None:
    if methods := await methods_of(db, user_id):
        raise FactorNeeded(extra={"methods": methods})


async def _refuse(identity: Identity, principal: Principal, client: Client, reason: str) -> None:
    async with identity.database.transaction(purpose="identity") as db:
        await note_refusal(db, principal.user_id, reason, client, identity.now())
    log.info("step-up refused", reason=reason, user_id=str(principal.user_id))


async def _renew(db: AsyncSession, identity: Identity, principal: Principal, client: Client, method: str) -> datetime:
    now = identity.now()
    renewed = update(Session).where(
        Session.id == principal.session_id, Session.user_id == principal.user_id, Session.revoked_at.is_(None)
    )
    by_factor = {} if method == "password" else {"second_factor": True}
    session_id = await db.scalar(renewed.values(authenticated_at=now, **by_factor).returning(Session.id))
    if session_id is None:
        raise SessionExpired
    await record(
        db,
        Action.STEPPED_UP,
        tenant_id=principal.user_id,
        actor=Actor.of(principal, client),
        detail={"method": method},
        now=now,
    )
    log.info("stepped up", user_id=str(principal.user_id), method=method)
    return now + timedelta(minutes=identity.settings.step_up_minutes)


def _forget(identity: Identity, principal: Principal) -> None:
    assert principal.session_id is not None  # noqa: S101
    identity.sessions.forget(principal.session_id)
