"""Whether the session behind an access token still lives, asked of the database at most once a second; and its last
use, noted beside the request and never in its way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from cachetools import TLRUCache
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError

from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.models import Entitlement, Session, User
from sample_agent.accounts.principal import Principal
from sample_agent.core.database import Database, single
from sample_agent.core.settings import PlanId

REVOCATION_SECONDS = 1.0
"""The longest a request may still succeed after its session was revoked, on any process."""

NOTED_EVERY = timedelta(minutes=5)
"""A session's last use is this exact: however many requests it makes, one write in so long."""

log = structlog.get_logger("accounts")

_LIVE_SESSION = single(
    select(
        User.email,
        User.is_superuser,
        Entitlement.plan,
        Session.authenticated_at,
        Session.second_factor,
        Session.impersonator_id,
        Session.last_used_at,
    )
    .select_from(Session)
    .join(User, User.id == Session.user_id)
    .outerjoin(Entitlement, Entitlement.user_id == User.id)
    .where(
        Session.id == bindparam("session_id"),
        Session.user_id == bindparam("user_id"),
        Session.revoked_at.is_(None),
        Session.expires_at > bindparam("now"),
        User.is_active,
    )
)


@dataclass(frozen=True)
class _Answer:
    asked_at: float
    user_id: UUID
    principal: Principal | None


class LiveSessions:
    """Which sessions live, asked of the database at most once a second each.

    `now` is the clock sessions expire by, `timer` the one that answers grow old by.
    """

    def __init__(
        self,
        database: Database,
        default_plan: PlanId,
        timer: Callable[[], float] = time.monotonic,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._default_plan = default_plan
        self._timer = timer
        self._now = now
        self._writing: dict[UUID, asyncio.Task[None]] = {}
        # An answer is as old as its question: a slow database must not lengthen the bound.
        self._answers: TLRUCache[UUID, _Answer] = TLRUCache(
            20_000, ttu=lambda _key, answer, _now: answer.asked_at + REVOCATION_SECONDS, timer=timer
        )

    async def principal(self, session_id: UUID, user_id: UUID) -> Principal | None:
        """The person behind the session, or None when it has ended or its user is switched off."""
        answer = self._answers.get(session_id)
        if answer is None or answer.user_id != user_id:
            asked_at = self._timer()
            answer = _Answer(asked_at, user_id, await self._ask(session_id, user_id))
            if answer.principal is not None or session_id not in self._answers:  # a false claim pushes no true one out
                self._answers[session_id] = answer
        return answer.principal

    def forget(self, *session_ids: UUID) -> None:
        """Ask anew about these sessions the next time: they were changed by this process."""
        for session_id in session_ids:
            self._answers.pop(session_id, None)

    async def settled(self) -> None:
        """Return when every use so far is written down."""
        await asyncio.gather(*self._writing.values())

    async def _ask(self, session_id: UUID, user_id: UUID) -> Principal | None:
        now = self._now()
        row = await self._database.row(_LIVE_SESSION, user_id, session_id=session_id, now=now)
        if row is None:
            return None
        if now - row.last_used_at > NOTED_EVERY and session_id not in self._writing:
            task = asyncio.create_task(self._note_use(session_id, user_id, now))
            self._writing[session_id] = task  # the loop alone would let it be collected
            task.add_done_callback(lambda _: self._writing.pop(session_id, None))
        return Principal(
            user_id=user_id,
            email=row.email,
            tier=row.plan or self._default_plan,
            is_admin=row.is_superuser,
            session_id=session_id,
            authenticated_at=row.authenticated_at,
            second_factor=row.second_factor,
            impersonator_id=row.impersonator_id,
        )

    async def _note_use(self, session_id: UUID, user_id: UUID, now: datetime) -> None:
        change = (
            update(Session)
            .where(Session.id == session_id, Session.user_id == user_id, Session.last_used_at < now - NOTED_EVERY)
            .values(last_used_at=now)
        )
        try:
            async with self._database.transaction(user_id) as db:
                await db.execute(change)
        except (SQLAlchemyError, OSError) as error:  # the next question tries again
            log.warning("use of a session was not noted", session_id=str(session_id), error=type(error).__name__)
