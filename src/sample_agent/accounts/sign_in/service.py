"""Signing in: a password and where the account asks for it a second factor, or a passkey."""

from __future__ import annotations

import secrets
from typing import Any, NoReturn

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import (
    AccountDisabled,
    ChallengeExpired,
    EmailNotVerified,
    InvalidCredentials,
    PasskeyUnknown,
    SecondFactorRequired,
    WrongProof,
)
from sample_agent.accounts.factors import challenges, passkeys
from sample_agent.accounts.factors.mails import tell_of_guesses
from sample_agent.accounts.factors.proof import (
    Method,
    Proof,
    check,
    check_passkey,
    find_passkey,
    methods_of,
    passkeys_of,
)
from sample_agent.accounts.holding import hold_person
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import User
from sample_agent.accounts.registrations import registration_with
from sample_agent.accounts.sessions.service import SignIn, begin_session
from sample_agent.accounts.sessions.throttle import attempt
from sample_agent.accounts.sign_in.refusals import note_refusal, take_refusals

log = structlog.get_logger("accounts")


async def login(identity: Identity, *, email: str, password: str, client: Client) -> SignIn:
    """Begin a session with a password.

    Raises InvalidCredentials, after the same time, for a wrong password and for an unknown address. Only someone who
    knows the password learns more: SecondFactorRequired with a challenge, AccountDisabled, or EmailNotVerified when it
    is that of a registration whose mail was not answered; that one comes whether or not the address has an account.
    """
    async with attempt(identity, client, account=email):
        async with identity.database.transaction(purpose="identity") as db:
            user = await db.scalar(select(User).where(User.email == email))
        # Between two transactions, so that a queue of waiting hashes does not hold connections.
        in_use = await identity.hashes_in_use.of_accounts()
        right, new_hash = await identity.passwords.check(password, user.password_hash if user else None, in_use=in_use)
        if user is None or not right:
            registration = await registration_with(identity, email=email, password=password)
            await _refuse_password(identity, user, client, unconfirmed=registration is not None)
        return await _begin_with_password(identity, user, new_hash, client)


async def finish_login(identity: Identity, *, challenge: str, proof: Proof, client: Client) -> SignIn:
    """Begin the session that waited for a second factor.

    Raises ChallengeExpired; WrongProof, after five of which the challenge is void; AccountDisabled.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        asked = await challenges.open_one(db, challenge, "second-factor", now)
        who = await db.scalar(select(User).where(User.id == asked.user_id))
    if who is None:
        raise ChallengeExpired
    async with attempt(identity, client, account=who.email, of="second-factor"):
        async with identity.database.transaction(purpose="identity") as db:
            user = await hold_person(db, who.id)
            asked = await challenges.open_one(db, challenge, "second-factor", now)
            if not challenges.answered_by(asked, user):
                raise ChallengeExpired
            if not user.is_active:
                raise AccountDisabled
            outcome = await check(db, identity, user, proof, client, challenge=asked.expected)
            if outcome.method is None:
                # Not raised in here: the wrong answer has to be counted.
                if challenges.count_wrong_answer(asked, now):
                    await tell_of_guesses(db, user, client, now)
                await note_refusal(db, user.id, outcome.refusal or "", client, now)
                signed_in = None
            else:
                asked.used_at = now
                signed_in = await _begin(db, identity, user, client, ["password", outcome.method])
        if signed_in is None:
            log.info("sign-in refused", reason=outcome.refusal, user_id=str(user.id))
            raise WrongProof(proof.field)
    return signed_in


async def begin_passkey_login(identity: Identity) -> tuple[str, dict[str, Any]]:
    """The name of a challenge, and what the browser needs to find a passkey; whose it is comes with the answer."""
    expected = secrets.token_bytes(passkeys.CHALLENGE_BYTES)
    async with identity.database.transaction(purpose="identity") as db:
        token = await challenges.open_challenge(db, "passkey-sign-in", identity.now(), expected=expected)
    return token, passkeys.request_options(passkeys.site_of(identity.settings.public_url), [], expected)


async def login_with_passkey(
    identity: Identity, *, challenge: str, credential: dict[str, Any], client: Client
) -> SignIn:
    """Begin a session with a passkey alone, which counts as two factors: the device, and who it lets use it.

    Raises ChallengeExpired, PasskeyUnknown and AccountDisabled. Each attempt uses its challenge up.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        asked = await challenges.open_one(db, challenge, "passkey-sign-in", now)
        asked.used_at = now
    async with identity.database.transaction(purpose="identity") as db:
        passkey = await find_passkey(db, credential)
        if passkey is None:
            raise PasskeyUnknown
        user = await hold_person(db, passkey.user_id)
        outcome = await check_passkey(db, identity, user, passkey, credential, asked.expected or b"", client)
        if outcome.method is not None:
            if user.is_active:
                return await _begin(db, identity, user, client, [outcome.method])
            await note_refusal(db, user.id, "switched-off", client, now)
        else:
            await note_refusal(db, user.id, outcome.refusal or "", client, now)
    log.info("sign-in refused", reason=outcome.refusal or "switched off", user_id=str(user.id))
    raise AccountDisabled if outcome.method else PasskeyUnknown


async def _refuse_password(identity: Identity, user: User | None, client: Client, *, unconfirmed: bool) -> NoReturn:
    async with identity.database.transaction(purpose="identity") as db:
        await note_refusal(db, user.id if user else None, "wrong-password", client, identity.now())
    reason = "address not confirmed" if unconfirmed else "credentials"
    log.info("sign-in refused", reason=reason, user_id=str(user.id) if user else None)
    raise EmailNotVerified if unconfirmed else InvalidCredentials


async def _begin_with_password(identity: Identity, user: User, new_hash: str | None, client: Client) -> SignIn:
    now, required, signed_in = identity.now(), None, None
    async with identity.database.transaction(purpose="identity") as db:
        current = await db.scalar(
            select(User).where(User.id == user.id, User.password_hash == user.password_hash).with_for_update()
        )
        if current is None:  # the password was changed meanwhile
            raise InvalidCredentials
        if new_hash is not None:
            current.password_hash = new_hash
        if not current.is_active:
            await note_refusal(db, current.id, "switched-off", client, now)
        elif methods := await methods_of(db, current.id):
            required = await _second_factor(db, identity, current, methods)
        else:
            signed_in = await _begin(db, identity, current, client, ["password"])
    if required is not None:
        raise required
    if signed_in is None:
        log.info("sign-in refused", reason="switched off", user_id=str(user.id))
        raise AccountDisabled
    return signed_in


async def _second_factor(
    db: AsyncSession, identity: Identity, user: User, methods: list[Method]
) -> SecondFactorRequired:
    expected = secrets.token_bytes(passkeys.CHALLENGE_BYTES)
    token = await challenges.open_challenge(db, "second-factor", identity.now(), user=user, expected=expected)
    options = None
    if "passkey" in methods:
        allowed = await passkeys_of(db, user.id)
        options = passkeys.request_options(passkeys.site_of(identity.settings.public_url), allowed, expected)
    return SecondFactorRequired(
        extra={"challenge": token, "methods": methods, "passkey_options": options},
        headers={"Cache-Control": "no-store"},
    )


async def _begin(db: AsyncSession, identity: Identity, user: User, client: Client, methods: list[str]) -> SignIn:
    signed_in = await begin_session(db, identity, user, client, second_factor=methods != ["password"])
    detail: dict[str, Any] = {"method": "+".join(methods)}
    if refused := await take_refusals(db, user.id):
        detail["refused_before"] = refused
    await record(
        db,
        Action.SIGNED_IN,
        tenant_id=user.id,
        actor=Actor("user", user.id, client),
        detail=detail,
        now=identity.now(),
    )
    log.info("signed in", user_id=str(user.id), method=detail["method"])
    return signed_in
