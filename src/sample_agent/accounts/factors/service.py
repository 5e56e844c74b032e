"""Use cases of second factors: set up, confirm, rename, remove. Each change is recorded, and its owner is mailed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action, Actor, Subject, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import (
    ChallengeExpired,
    LastFactor,
    PasskeyNotAdded,
    StepUpRequired,
    WrongProof,
)
from sample_agent.accounts.factors import challenges, passkeys, recovery_codes, totp
from sample_agent.accounts.factors.mails import tell_of_factors
from sample_agent.accounts.factors.models import RecoveryCode
from sample_agent.accounts.factors.proof import methods_of, open_seed, passkeys_of, seal_seed
from sample_agent.accounts.holding import hold_person
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import Authenticator, Passkey, Session, User
from sample_agent.accounts.principal import Principal
from sample_agent.core.database import constraint_of
from sample_agent.core.errors import Conflict, NotFound

MOST_PASSKEYS = 20

log = structlog.get_logger("accounts")


@dataclass(frozen=True)
class Factors:
    """What somebody can prove themselves with beyond the password."""

    app_since: datetime | None
    passkeys: Sequence[Passkey]
    recovery_codes_left: int


@dataclass(frozen=True)
class NewApp:
    """What an authenticator app needs; shown once."""

    seed: str
    uri: str


async def factors_of(identity: Identity, user_id: UUID) -> Factors:
    """The person's factors."""
    async with identity.database.transaction(user_id) as db:
        return Factors(
            app_since=await db.scalar(select(Authenticator.confirmed_at).where(Authenticator.user_id == user_id)),
            passkeys=await passkeys_of(db, user_id),
            recovery_codes_left=await recovery_codes.codes_left(db, user_id),
        )


async def begin_app(identity: Identity, principal: Principal) -> NewApp:
    """Make the seed of a new authenticator app. One that is set up already stays in force until this is confirmed."""
    now = identity.now()
    seed = totp.new_seed()
    async with identity.database.transaction(purpose="identity") as db:
        user = await _entitled(db, principal)
        await challenges.close_all(db, user.id, now, "new-totp")
        await challenges.open_challenge(
            db,
            "new-totp",
            now,
            user=user,
            expected=seal_seed(identity, user.id, seed),
            lifetime=challenges.SETTING_UP,
        )
    return NewApp(seed, totp.app_uri(seed, user.email))


async def confirm_app(identity: Identity, principal: Principal, client: Client, code: str) -> list[str] | None:
    """Set the app up whose code this is, and return recovery codes if there are none yet.

    Raises ChallengeExpired when no app was begun, WrongProof for a wrong code.
    """
    now = identity.now()
    codes = None
    async with identity.database.transaction(purpose="identity") as db:
        user = await hold_person(db, principal.user_id)
        begun = await challenges.newest_open(db, user.id, "new-totp", now)
        seed = open_seed(identity, user.id, begun.expected or b"") if challenges.answered_by(begun, user) else None
        if seed is None:
            raise ChallengeExpired
        step = totp.matching_step(seed, code, now, after=0)
        if step is None:
            challenges.count_wrong_answer(begun, now)
        else:
            begun.used_at = now
            replaced = await db.get(Authenticator, user.id) is not None
            app = {"sealed_seed": seal_seed(identity, user.id, seed), "last_step": step, "confirmed_at": now}
            await db.execute(
                insert(Authenticator)
                .values(user_id=user.id, **app)
                .on_conflict_do_update(index_elements=[Authenticator.user_id], set_=app)
            )
            codes = await _first_recovery_codes(db, identity, user.id)
            await _note_proof(db, principal, now)
            await tell_of_factors(db, user, "totp-replaced" if replaced else "totp-added", client, now)
            await _record(db, Action.TOTP_ADDED, principal, client, now, detail={"replaced": replaced})
    _forget(identity, principal)
    if step is None:
        raise WrongProof("code")
    log.info("authenticator app added", user_id=str(principal.user_id), replaced=replaced)
    return codes


async def remove_app(identity: Identity, principal: Principal, client: Client) -> None:
    """Remove the authenticator app. Raises NotFound, and LastFactor to an administrator who has no other factor."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user = await _entitled(db, principal)
        removed = await db.scalar(
            delete(Authenticator).where(Authenticator.user_id == user.id).returning(Authenticator.user_id)
        )
        if removed is None:
            raise NotFound("There is no authenticator app.")
        await _after_removal(db, user)
        await tell_of_factors(db, user, "totp-removed", client, now)
        await _record(db, Action.TOTP_REMOVED, principal, client, now)
    log.info("authenticator app removed", user_id=str(principal.user_id))


async def renew_recovery_codes(identity: Identity, principal: Principal, client: Client) -> list[str]:
    """Replace the recovery codes. Raises Conflict for an account without a second factor, which needs none."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user = await _entitled(db, principal)
        if not await methods_of(db, user.id):
            raise Conflict("Recovery codes stand in for a second factor, and this account has none.")
        codes = await recovery_codes.replace_codes(db, identity.settings.sealing_keys(), user.id, now)
        await tell_of_factors(db, user, "recovery-codes-made", client, now)
        await _record(db, Action.RECOVERY_CODES_MADE, principal, client, now)
    return codes


async def begin_passkey(identity: Identity, principal: Principal) -> tuple[str, dict[str, Any]]:
    """The name of a challenge, and what the browser needs to make a passkey. Raises Conflict when there are many."""
    now = identity.now()
    challenge = secrets.token_bytes(passkeys.CHALLENGE_BYTES)
    async with identity.database.transaction(purpose="identity") as db:
        user = await _entitled(db, principal)
        existing = await passkeys_of(db, user.id)
        _refuse_more_than_most(len(existing))
        token = await challenges.open_challenge(db, "new-passkey", now, user=user, expected=challenge)
    site = passkeys.site_of(identity.settings.public_url)
    return token, passkeys.creation_options(site, user, existing, challenge)


async def add_passkey(
    identity: Identity, principal: Principal, client: Client, *, challenge: str, credential: dict[str, Any], name: str
) -> tuple[Passkey, list[str] | None]:
    """Add the passkey that the browser made, and return it with recovery codes if there are none yet.

    Raises ChallengeExpired; PasskeyNotAdded, which uses the challenge up; Conflict when there are many.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user = await hold_person(db, principal.user_id)
        asked = await challenges.open_one(db, challenge, "new-passkey", now)
        if not challenges.answered_by(asked, user):
            raise ChallengeExpired
        asked.used_at = now
    try:
        site = passkeys.site_of(identity.settings.public_url)
        made = passkeys.new_passkey(site, credential, asked.expected or b"")
        async with identity.database.transaction(purpose="identity") as db:
            user = await hold_person(db, principal.user_id)
            _refuse_more_than_most(
                await db.scalar(select(func.count()).where(Passkey.user_id == user.id)) or 0,
            )
            passkey = Passkey(
                user_id=user.id,
                name=name,
                credential_id=made.credential_id,
                public_key=made.public_key,
                sign_count=made.sign_count,
                transports=made.transports,
                backed_up=made.backed_up,
                created_at=now,
            )
            db.add(passkey)
            await db.flush()
            codes = await _first_recovery_codes(db, identity, user.id)
            await _note_proof(db, principal, now)
            await tell_of_factors(db, user, "passkey-added", client, now)
            await _record(db, Action.PASSKEY_ADDED, principal, client, now, passkey_id=passkey.id)
    except IntegrityError as error:
        if constraint_of(error) != "uq_passkeys_credential_id":
            raise
        raise PasskeyNotAdded("This passkey is in use here already.") from None
    _forget(identity, principal)
    log.info("passkey added", user_id=str(user.id), passkey_id=str(passkey.id))
    return passkey, codes


async def rename_passkey(
    identity: Identity, principal: Principal, client: Client, passkey_id: UUID, name: str
) -> Passkey:
    """Give a passkey another name. Raises NotFound."""
    async with identity.database.transaction(purpose="identity") as db:
        passkey: Passkey | None = await db.scalar(
            update(Passkey)
            .where(Passkey.id == passkey_id, Passkey.user_id == principal.user_id)
            .values(name=name)
            .returning(Passkey)
        )
        if passkey is None:
            raise NotFound
        await _record(db, Action.PASSKEY_RENAMED, principal, client, identity.now(), passkey_id=passkey.id)
    return passkey


async def remove_passkey(identity: Identity, principal: Principal, client: Client, passkey_id: UUID) -> None:
    """Remove a passkey. Raises NotFound, and LastFactor to an administrator who has no other factor."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user = await _entitled(db, principal)
        removed = await db.scalar(
            delete(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user.id).returning(Passkey.id)
        )
        if removed is None:
            raise NotFound
        await _after_removal(db, user)
        await tell_of_factors(db, user, "passkey-removed", client, now)
        await _record(db, Action.PASSKEY_REMOVED, principal, client, now, passkey_id=passkey_id)
    log.info("passkey removed", user_id=str(principal.user_id), passkey_id=str(passkey_id))


async def _entitled(db: AsyncSession, principal: Principal) -> User:
    """The person, locked, if their session may change factors: where there are some, one has been part of it."""
    user = await hold_person(db, principal.user_id)
    proved = await db.scalar(
        select(Session.second_factor).where(Session.id == principal.session_id, Session.user_id == user.id)
    )
    if not proved and await methods_of(db, user.id):
        raise StepUpRequired
    return user


async def _first_recovery_codes(db: AsyncSession, identity: Identity, user_id: UUID) -> list[str] | None:
    if await recovery_codes.codes_left(db, user_id):
        return None
    return await recovery_codes.replace_codes(db, identity.settings.sealing_keys(), user_id, identity.now())


async def _after_removal(db: AsyncSession, user: User) -> None:
    if await methods_of(db, user.id):
        return
    if user.is_superuser:
        raise LastFactor
    await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def _refuse_more_than_most(passkeys_there_are: int) -> None:
    if passkeys_there_are >= MOST_PASSKEYS:
        raise Conflict(f"An account has at most {MOST_PASSKEYS} passkeys. Remove one first.")


async def _note_proof(db: AsyncSession, principal: Principal, now: datetime) -> None:
    """Whoever has just shown a factor at this session need not sign in again to have it count."""
    await db.execute(
        update(Session)
        .where(Session.id == principal.session_id, Session.user_id == principal.user_id)
        .values(second_factor=True, authenticated_at=now)
    )


def _forget(identity: Identity, principal: Principal) -> None:
    if principal.session_id is not None:
        identity.sessions.forget(principal.session_id)


async def _record(
    db: AsyncSession,
    action: Action,
    principal: Principal,
    client: Client,
    now: datetime,
    *,
    passkey_id: UUID | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    await record(
        db,
        action,
        tenant_id=principal.user_id,
        actor=Actor.of(principal, client),
        subject=Subject("passkey", passkey_id) if passkey_id else None,
        detail=detail,
        now=now,
    )
