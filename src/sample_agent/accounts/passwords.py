"""Passwords: the policy, and hashing that cannot take a whole machine."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache, partial
from importlib.resources import files
from typing import TypeVar

import anyio
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from sample_agent.accounts.errors import PasswordTooCommon
from sample_agent.core.errors import Unavailable

SHORTEST, LONGEST = 8, 1024
LONGEST_LINE = 50
"""How many hashes may wait their turn; whoever comes after them is asked to come back."""

T = TypeVar("T")


def refuse_common(password: str, *, email: str = "") -> None:
    """Raise PasswordTooCommon when the password is the address itself or among the most used ones."""
    candidate = password.lower()
    if candidate in common_passwords() or (email and candidate in {email, email.partition("@")[0]}):
        raise PasswordTooCommon(errors=[{"loc": ["body", "password"], "msg": PasswordTooCommon.title}])


@cache
def common_passwords() -> frozenset[str]:
    """The most used passwords that are long enough to be allowed, in lower case."""
    return frozenset((files("sample_agent.accounts") / "common_passwords.txt").read_text("utf-8").split())


class Passwords:
    """Argon2id with 19 MiB, two passes and one lane (the OWASP minimum), computed in threads.

    Only `concurrency` hashes run at once: a storm of sign-ins waits in line and takes neither all processors nor
    more than `concurrency` times 19 MiB.
    """

    def __init__(self, concurrency: int) -> None:
        self._argon2 = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
        self._limiter = anyio.CapacityLimiter(concurrency)
        self._nobodys_hash = self._argon2.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        return await self._in_line(partial(self._argon2.hash, password))

    async def check(self, password: str, stored_hash: str | None) -> tuple[bool, str | None]:
        """Whether the password is right, and a new hash to store when the stored one has outdated parameters.

        Without a stored hash (no such account) it takes just as long and is wrong.
        """
        check = partial(self._argon2.verify_and_update, password, stored_hash or self._nobodys_hash)
        right, new_hash = await self._in_line(check)
        return right and stored_hash is not None, new_hash

    async def _in_line(self, work: Callable[[], T]) -> T:
        if self._limiter.statistics().tasks_waiting >= LONGEST_LINE:
            raise Unavailable("Very many people are signing in at this moment. Try again shortly.", retry_after=5)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)
