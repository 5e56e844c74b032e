"""Limits on proving who one is, made so that nobody can lock somebody else out.

Failures count for the pair of address and account, and for the account from everywhere together. A device that has
signed in to the account before, or is at a session of it, counts by itself and for nothing else: however many strangers
fail, its owner gets in.
What has no account is counted like what has one, so the limits tell nobody which addresses there are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import structlog

from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import AccountDisabled, EmailNotVerified, SecondFactorRequired
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.sessions.devices import known_device
from sample_agent.core.client_address import limit_key
from sample_agent.core.errors import Problem, RateLimited
from sample_agent.core.limits import Limits, Rule

Proof = Literal["password", "second-factor"]

_PROOF_WAS_RIGHT = (AccountDisabled, EmailNotVerified, SecondFactorRequired)

log = structlog.get_logger("accounts")


@asynccontextmanager
async def attempt(
    identity: Identity, client: Client, *, account: str, of: Proof = "password", session: UUID | None = None
) -> AsyncIterator[None]:
    """Check a password, a code or a passkey inside of this; raises RateLimited when too many have failed.

    `account` is the e-mail address as it is looked up, of an account or of none; `session` is the one at which somebody
    signed in proves it again. The attempt is counted before it is
    made, so that many at once do not slip through. A block that ends has succeeded: the device's or the pair's
    failures are forgiven. One that raises has failed and stays counted, unless the proof was right and something else
    is in the way, or the fault is ours; then it is given back.
    """
    counts = _counts(identity, client, account, of, session)
    await _spend(identity.limits, counts, of)
    try:
        yield
    except Exception as error:
        if isinstance(error, _PROOF_WAS_RIGHT) or not isinstance(error, Problem) or error.status >= 500:
            await _give_back(identity.limits, counts)
        raise
    own, *everybodys = counts
    await identity.limits.forgive(own.rule, *own.key)
    await _give_back(identity.limits, everybodys)


async def before_mail(identity: Identity, client: Client, *, to: str) -> None:
    """Count a mail that anybody can have sent to an address; raises RateLimited when that would be too many.

    A device that has signed in with this address counts by itself: nobody keeps its owner from resetting a password.
    """
    device = known_device(identity.refresh_key, client.device, to)
    rule = Rule("mails", identity.settings.mails_per_hour, 3600)
    key = ("device", device, to) if device else ("everybody", to)
    standing = await identity.limits.spend(rule, *key)
    if not standing.allowed:
        raise RateLimited(
            "This address has had many mails from us in a short time.", retry_after=standing.reset_seconds
        )


@dataclass(frozen=True)
class _Count:
    rule: Rule
    key: tuple[str, ...]


def _counts(identity: Identity, client: Client, account: str, of: Proof, session: UUID | None) -> list[_Count]:
    """What an attempt is counted by; the first is the own one of whoever makes it."""
    settings = identity.settings
    own = Rule(f"{of}-failures", settings.sign_in_failures_per_quarter_hour, 15 * 60)
    if session is not None:
        return [_Count(own, ("session", str(session)))]
    if device := known_device(identity.refresh_key, client.device, account):
        return [_Count(own, ("device", device, account))]
    from_anywhere = Rule(f"{of}-failures-of-account", settings.sign_in_failures_per_hour, 60 * 60)
    return [_Count(own, ("address", limit_key(client.ip_address), account)), _Count(from_anywhere, (account,))]


async def _spend(limits: Limits, counts: list[_Count], of: Proof) -> None:
    """Spend one on each or on none."""
    for number, count in enumerate(counts):
        standing = await limits.spend(count.rule, *count.key)
        if not standing.allowed:
            await _give_back(limits, counts[:number])
            log.warning("too many failed attempts", proof=of, rule=count.rule.name)
            raise RateLimited("Too many failed attempts. Try again later.", retry_after=standing.reset_seconds)


async def _give_back(limits: Limits, counts: list[_Count]) -> None:
    for count in counts:
        await limits.give_back(count.rule, *count.key)
