"""Which makes of password hashes there are: algorithm and parameters, which decide how long a check takes.

An installation that changes its scheme, moves to a faster machine or takes accounts in from elsewhere has hashes of
several until everybody has signed in again. A wrong password is held against one of each, see `Passwords.check`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import TTLCache
from sqlalchemy import case, func, select

from sample_agent.accounts.models import Registration, User
from sample_agent.core.database import Database

ASKED_EVERY = 60.0
"""Seconds that an answer of the database is good for."""


class HashesInUse:
    """One hash of each make, asked of the database once a minute."""

    def __init__(self, database: Database, timer: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._known: TTLCache[type[User | Registration], tuple[str, ...]] = TTLCache(2, ASKED_EVERY, timer)

    async def of_accounts(self) -> tuple[str, ...]:
        return await self._of(User)

    async def of_registrations(self) -> tuple[str, ...]:
        return await self._of(Registration)

    async def _of(self, table: type[User | Registration]) -> tuple[str, ...]:
        known = self._known.get(table)
        if known is None:
            stored = table.password_hash
            make = case(
                (stored.startswith("$argon2"), func.substring(stored, r"^(?:\$[^$]*){3}\$")),
                else_=func.substring(stored, r"^.*\$"),
            )
            async with self._database.transaction(purpose="identity") as db:
                examples = await db.scalars(select(func.min(stored)).where(make.is_not(None)).group_by(make))
                known = self._known[table] = tuple(examples)
        return known
