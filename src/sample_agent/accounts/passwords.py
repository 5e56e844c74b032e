"""Passwords: the policy, and hashing that cannot take a whole machine."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.resources import files
from typing import Literal, TypeVar

import anyio
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.base import HasherProtocol

from sample_agent.accounts.bcrypt_hashes import BcryptOfDigest, PlainBcrypt
from sample_agent.accounts.errors import PasswordTooCommon
from sample_agent.core.errors import Unavailable

SHORTEST, LONGEST = 8, 1024
LONGEST_LINE = 50
"""How many hashes may wait their turn; whoever comes after them is asked to come back."""

Scheme = Literal["argon2id", "bcrypt"]

_BCRYPT_DIGEST = 31

_OUR_WORDS = re.compile(r"(?=.*[a-z])(?:sample|agent|roland|sp|mk|ii|\d)+")

T = TypeVar("T")


def refuse_common(password: str, *, email: str = "", field: str = "password") -> None:
    """Raise PasswordTooCommon when the password is the address itself, one of the most used ones, or nothing but words
    that come to mind here, as `SP-404MK2` and `roland2026` are."""
    candidate = password.lower()
    about_us = _OUR_WORDS.fullmatch(re.sub(r"[\W_]", "", candidate))
    if about_us or candidate in common_passwords() or (email and candidate in {email, email.partition("@")[0]}):
        raise PasswordTooCommon(errors=[{"loc": ["body", field], "msg": PasswordTooCommon.title}])


@cache
def common_passwords() -> frozenset[str]:
    """The most used passwords that are long enough to be allowed, in lower case."""
    return frozenset((files("sample_agent.accounts") / "common_passwords.txt").read_text("utf-8").split())


class Passwords:
    """Hashes of passwords, computed in threads: Argon2id with 19 MiB, two passes and one lane (the OWASP minimum), or
    bcrypt where an installation asks for it. Both are verified, and a hash of another kind is renewed at sign-in.

    Only `concurrency` hashes run at once: a storm of sign-ins waits in line and takes neither all processors nor
    more than `concurrency` times 19 MiB.
    """

    def __init__(self, concurrency: int, *, scheme: Scheme = "argon2id") -> None:
        argon2, bcrypt = Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1), BcryptOfDigest()
        preferred: tuple[HasherProtocol, ...] = (argon2, bcrypt) if scheme == "argon2id" else (bcrypt, argon2)
        self._hashes = PasswordHash((*preferred, PlainBcrypt()))
        self._limiter = anyio.CapacityLimiter(concurrency)
        self._nobodys_hash = self._hashes.hash(secrets.token_urlsafe())

    async def hash(self, password: str, *, salt: bytes | None = None) -> str:
        """A hash to store. `salt`, 16 bytes, is for passwords that `check_any` tells apart; else it is random."""
        return await self._in_line(partial(self._hashes.hash, password, salt=salt))

    async def check(self, password: str, stored_hash: str | None) -> tuple[bool, str | None]:
        """Whether the password is right, and a new hash to store when the stored one has outdated parameters.

        Without a stored hash (no such account) it takes just as long and is wrong.
        """
        check = partial(self._hashes.verify_and_update, password, stored_hash or self._nobodys_hash)
        right, new_hash = await self._in_line(check)
        return right and stored_hash is not None, new_hash

    async def check_any(self, password: str, stored_hashes: Sequence[str], *, salt: bytes) -> str | None:
        """The one of these hashes that is of this password.

        Those made with `salt` cost one computation together, so that the time does not tell how many there are, or
        whether there are any.
        """
        ours = await self.hash(password, salt=salt)
        found = [stored for stored in stored_hashes if secrets.compare_digest(stored, ours)]
        of_another_make = [stored for stored in stored_hashes if _make(stored) != _make(ours)]
        found += [stored for stored in of_another_make if (await self.check(password, stored))[0]]
        return found[0] if found else None

    async def _in_line(self, work: Callable[[], T]) -> T:
        if self._limiter.statistics().tasks_waiting >= LONGEST_LINE:
            raise Unavailable("Very many people are signing in at this moment. Try again shortly.", retry_after=5)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


def _make(stored_hash: str) -> str:
    """Algorithm, parameters and salt: everything but the digest, which Argon2 sets apart and bcrypt does not."""
    if stored_hash.startswith("$argon2"):
        return stored_hash.rpartition("$")[0]
    return stored_hash[:-_BCRYPT_DIGEST]
