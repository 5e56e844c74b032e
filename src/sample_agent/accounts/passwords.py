"""Passwords: the policy, and hashing that cannot take a whole machine."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from functools import cache, partial
from importlib.resources import files
from typing import Literal, TypeVar

import anyio
import structlog
from argon2 import extract_parameters
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

FEWEST_PASSES, MOST_PASSES = 2, 32
"""Of Argon2id; with 19 MiB two are the least that OWASP recommends."""

LEAST_MILLISECONDS = 40.0
"""What a hash should take at least. As the number of passes is a power of two, it takes less than twice that, unless
the machine is too slow for the fewest."""

_MEMORY_KIB = 19 * 1024
_BCRYPT_DIGEST = 31

_OUR_WORDS = re.compile(r"(?=.*[a-z])(?:sample|agent|roland|sp|mk|ii|\d)+")

T = TypeVar("T")

log = structlog.get_logger("accounts")


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


@cache
def measured_passes() -> int:
    """As many passes of Argon2id as take `LEAST_MILLISECONDS` on this machine, measured once: it takes a moment."""
    fewest, times = Argon2id(FEWEST_PASSES), list[float]()
    for _ in range(5):
        started = time.perf_counter()
        fewest.hash("measured")
        times.append((time.perf_counter() - started) * 1000)
    passes = passes_for(min(times))  # whatever else the machine does makes it longer, never shorter
    log.info("cost of password hashes measured", passes=passes, milliseconds_of_fewest=round(min(times)))
    return passes


def passes_for(milliseconds_of_fewest: float) -> int:
    """The passes that take `LEAST_MILLISECONDS` where the fewest take so long: a power of two."""
    passes = FEWEST_PASSES
    while milliseconds_of_fewest * passes / FEWEST_PASSES < LEAST_MILLISECONDS and passes < MOST_PASSES:
        passes *= 2
    return passes


class Passwords:
    """Hashes of passwords, computed in threads: Argon2id with 19 MiB, one lane and so many passes, or bcrypt where an
    installation asks for it. Both are verified, and a hash of the other kind, or of less cost, is renewed at sign-in.

    Only `concurrency` hashes run at once: a storm of sign-ins waits in line and takes neither all processors nor
    more than `concurrency` times 19 MiB.
    """

    def __init__(self, concurrency: int, *, scheme: Scheme = "argon2id", passes: int = FEWEST_PASSES) -> None:
        argon2, bcrypt = Argon2id(passes), BcryptOfDigest()
        preferred: tuple[HasherProtocol, ...] = (argon2, bcrypt) if scheme == "argon2id" else (bcrypt, argon2)
        self._hashes = PasswordHash((*preferred, PlainBcrypt()))
        self._limiter = anyio.CapacityLimiter(concurrency)
        self._nobodys_hash = self._hashes.hash(secrets.token_urlsafe())

    async def hash(self, password: str, *, salt: bytes | None = None) -> str:
        """A hash to store. `salt`, 16 bytes, is for passwords that `check_any` tells apart; else it is random."""
        return await self._in_line(partial(self._hashes.hash, password, salt=salt))

    async def check(
        self, password: str, stored_hash: str | None, *, in_use: Collection[str] = ()
    ) -> tuple[bool, str | None]:
        """Whether the password is right, and a new hash to store when the stored one has outdated parameters.

        Without a stored hash (no such account) it is wrong. `in_use` has a hash of each make that others have: a wrong
        password is held against one of each, so that the time tells neither whether there is a hash nor of which make.
        """
        return await self._in_line(partial(self._check, password, stored_hash, in_use))

    async def check_any(
        self, password: str, stored_hashes: Sequence[str], *, salt: bytes, in_use: Collection[str] = ()
    ) -> str | None:
        """The one of these hashes that is of this password.

        Those made with `salt` cost one computation together, and `in_use` does what it does for `check`, so that the
        time does not tell how many there are, or whether there are any.
        """
        return await self._in_line(partial(self._check_any, password, stored_hashes, salt, in_use))

    def _check(self, password: str, stored_hash: str | None, in_use: Collection[str]) -> tuple[bool, str | None]:
        held = stored_hash or self._nobodys_hash
        right, new_hash = self._hashes.verify_and_update(password, held)
        if not right:
            self._pass_time(password, in_use, spent=[held])
        return right and stored_hash is not None, new_hash

    def _check_any(
        self, password: str, stored_hashes: Sequence[str], salt: bytes, in_use: Collection[str]
    ) -> str | None:
        ours = self._hashes.hash(password, salt=salt)
        found = [stored for stored in stored_hashes if secrets.compare_digest(stored, ours)]
        apart = [stored for stored in stored_hashes if _without_digest(stored) != _without_digest(ours)]
        found += [stored for stored in apart if self._hashes.verify(password, stored)]
        if not found:
            self._pass_time(password, in_use, spent=[ours, *apart])
        return found[0] if found else None

    def _pass_time(self, password: str, in_use: Collection[str], *, spent: Collection[str]) -> None:
        """Do what checking the password with each make costs that it was not checked with."""
        others = {_make(each): each for each in (*in_use, self._nobodys_hash)}
        for make in others.keys() - {_make(each) for each in spent}:
            self._hashes.verify(password, others[make])

    async def _in_line(self, work: Callable[[], T]) -> T:
        if self._limiter.statistics().tasks_waiting >= LONGEST_LINE:
            raise Unavailable("Very many people are signing in at this moment. Try again shortly.", retry_after=5)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


class Argon2id(Argon2Hasher):
    """Argon2id with 19 MiB and one lane."""

    def __init__(self, passes: int) -> None:
        super().__init__(time_cost=passes, memory_cost=_MEMORY_KIB, parallelism=1)
        self._passes = passes

    def check_needs_rehash(self, hash: str | bytes) -> bool:  # noqa: A002 (the library names it so)
        """Whether it was cheaper than ours. One that cost more stays: two programs on machines of different speed would
        renew each other's without end."""
        made = extract_parameters(hash if isinstance(hash, str) else hash.decode())
        return made.memory_cost < _MEMORY_KIB or made.time_cost < self._passes


def _make(stored_hash: str) -> str:
    """Algorithm and parameters, which decide how long a check takes."""
    return _without_digest(stored_hash).rpartition("$")[0]


def _without_digest(stored_hash: str) -> str:
    """Algorithm, parameters and salt; Argon2 sets the digest apart and bcrypt does not."""
    if stored_hash.startswith("$argon2"):
        return stored_hash.rpartition("$")[0]
    return stored_hash[:-_BCRYPT_DIGEST]
