"""Proving who one is with a second factor: the one place where codes and passkeys are checked and used up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.factors import passkeys, recovery_codes, totp
from sample_agent.accounts.factors.mails import RECOVERY_CODE_USED, tell_of_factors
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import Authenticator, Passkey, User
from sample_agent.core.sealing import BrokenSeal, seal, unseal

Method = Literal["totp", "recovery-code", "passkey"]
Refusal = Literal["wrong-code", "wrong-recovery-code", "wrong-passkey", "copied-passkey"]

SEEDS = "totp-seeds"

log = structlog.get_logger("accounts")


@dataclass(frozen=True)
class Proof:
    """What somebody sent to prove who they are: exactly one of these."""

    code: str | None = None
    recovery_code: str | None = None
    credential: dict[str, Any] | None = None

    @property
    def field(self) -> str:
        """The field of the request it came in."""
        return "code" if self.code is not None else "recovery_code" if self.recovery_code is not None else "credential"


@dataclass(frozen=True)
class Outcome:
    """What a proof was worth: the `method` that was used, or why it was refused."""

    method: Method | None = None
    refusal: Refusal | None = None


async def methods_of(db: AsyncSession, user_id: UUID) -> list[Method]:
    """What the person can prove themselves with beyond the password; nothing for an account without second factor."""
    methods: list[Method] = []
    if await db.scalar(select(Authenticator.user_id).where(Authenticator.user_id == user_id)):
        methods.append("totp")
    if await db.scalar(select(Passkey.id).where(Passkey.user_id == user_id).limit(1)):
        methods.append("passkey")
    if methods and await recovery_codes.codes_left(db, user_id):
        methods.append("recovery-code")
    return methods


async def passkeys_of(db: AsyncSession, user_id: UUID) -> list[Passkey]:
    """The person's passkeys, the oldest first."""
    return list(await db.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


async def check(
    db: AsyncSession, identity: Identity, user: User, proof: Proof, client: Client, *, challenge: bytes | None = None
) -> Outcome:
    """Check a proof and use it up. `challenge` is what a passkey had to sign.

    Everything here works once, also when several try at the same moment. The caller has locked the person's row.
    """
    if proof.code is not None:
        return await _check_code(db, identity, user, proof.code)
    if proof.recovery_code is not None:
        return await _check_recovery_code(db, identity, user, proof.recovery_code, client)
    passkey = await find_passkey(db, proof.credential or {})
    if passkey is None or passkey.user_id != user.id or challenge is None:
        return Outcome(refusal="wrong-passkey")
    return await check_passkey(db, identity, user, passkey, proof.credential or {}, challenge, client)


async def find_passkey(db: AsyncSession, credential: dict[str, Any]) -> Passkey | None:
    """The passkey that an answer says it comes from; nothing of it has been verified."""
    credential_id = passkeys.named_credential(credential)
    if credential_id is None:
        return None
    return await db.scalar(select(Passkey).where(Passkey.credential_id == credential_id))


async def check_passkey(
    db: AsyncSession,
    identity: Identity,
    user: User,
    passkey: Passkey,
    credential: dict[str, Any],
    challenge: bytes,
    client: Client,
) -> Outcome:
    """Check the answer of a passkey of the person's, whose row the caller has locked, and note its use."""
    await db.refresh(passkey, with_for_update=True)
    use = passkeys.verified_use(passkeys.site_of(identity.settings.public_url), credential, challenge, passkey)
    if use is None:
        return Outcome(refusal="wrong-passkey")
    if use.copied:
        log.warning("passkey copied", user_id=str(user.id), passkey_id=str(passkey.id))
        await tell_of_factors(db, user, "copied-passkey", client, identity.now())
        return Outcome(refusal="copied-passkey")
    passkey.sign_count, passkey.backed_up, passkey.last_used_at = use.sign_count, use.backed_up, identity.now()
    return Outcome("passkey")


async def _check_code(db: AsyncSession, identity: Identity, user: User, code: str) -> Outcome:
    app = await db.get(Authenticator, user.id)
    step = None
    if app is not None:
        seed = open_seed(identity, user.id, app.sealed_seed)
        step = totp.matching_step(seed, code, identity.now(), after=app.last_step) if seed else None
    if step is None:
        return Outcome(refusal="wrong-code")
    used = await db.scalar(
        update(Authenticator)
        .where(Authenticator.user_id == user.id, Authenticator.last_step < step)
        .values(last_step=step)
        .returning(Authenticator.user_id)
    )
    return Outcome("totp") if used else Outcome(refusal="wrong-code")


async def _check_recovery_code(db: AsyncSession, identity: Identity, user: User, code: str, client: Client) -> Outcome:
    now = identity.now()
    if not await methods_of(db, user.id) or not await recovery_codes.use_code(
        db, identity.settings.sealing_keys(), user.id, code, now
    ):
        return Outcome(refusal="wrong-recovery-code")
    left = await recovery_codes.codes_left(db, user.id)
    await tell_of_factors(db, user, RECOVERY_CODE_USED, client, now, left=left)
    await record(
        db,
        Action.RECOVERY_CODE_USED,
        tenant_id=user.id,
        actor=Actor("user", user.id, client),
        detail={"left": left},
        now=now,
    )
    return Outcome("recovery-code")


def seal_seed(identity: Identity, user_id: UUID, seed: str) -> bytes:
    """The seed of somebody's app, as it is stored."""
    return seal(identity.settings.sealing_keys(), seed.encode(), purpose=SEEDS, about=user_id.bytes)


def open_seed(identity: Identity, user_id: UUID, sealed: bytes) -> str | None:
    """The seed that was stored; None when it was sealed with a key that is no more."""
    try:
        return unseal(identity.settings.sealing_keys(), sealed, purpose=SEEDS, about=user_id.bytes).decode()
    except BrokenSeal:
        log.error("the seed of an authenticator app does not open with any sealing key", user_id=str(user_id))
        return None
