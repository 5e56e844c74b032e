"""Registrations that wait for their address to be confirmed: found by the password, in a time that tells nothing."""

from __future__ import annotations

import hmac

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import Registration

_TURN = 7245
"""The class of the advisory locks that make changes to one address take turns."""


async def take_turn(db: AsyncSession, email: str) -> None:
    """Wait until no other transaction changes what belongs to this address, and keep others waiting until the end."""
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(email, _TURN))))


async def hash_for_registration(identity: Identity, *, email: str, password: str) -> str:
    """The hash that a registration keeps of its password, and the account after it."""
    return await identity.passwords.hash(password, salt=_salt(identity, email))


async def registration_with(identity: Identity, *, email: str, password: str) -> Registration | None:
    """The newest live registration of this address that was made with this password.

    It takes the time of one hash, however many registrations there are: they share a salt that is their address's.
    """
    async with identity.database.transaction(purpose="identity") as db:
        waiting = (
            await db.scalars(
                select(Registration)
                .where(Registration.email == email, Registration.expires_at > identity.now())
                .order_by(Registration.id.desc())
            )
        ).all()
    by_hash = {registration.password_hash: registration for registration in reversed(waiting)}
    in_use = await identity.hashes_in_use.of_registrations()
    found = await identity.passwords.check_any(password, list(by_hash), salt=_salt(identity, email), in_use=in_use)
    return by_hash[found] if found is not None else None


def _salt(identity: Identity, email: str) -> bytes:
    """16 bytes that nobody else has and nobody without the key can compute."""
    return hmac.digest(identity.refresh_key, b"registration\0" + email.encode(), "sha256")[:16]
