"""Whether the session behind an access token still lives, asked of the database at most once a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from cachetools import TLRUCache
from sqlalchemy import bindparam, func, select

from sample_agent.accounts.models import Entitlement, Session, User
from sample_agent.accounts.principal import Principal
from sample_agent.core.database import Database
from sample_agent.core.settings import PlanId

REVOCATION_SECONDS = 1.0
"""The longest a request may still succeed after its session was revoked, on any process."""

_LIVE_SESSION = (
    select(
        User.email,
        User.is_superuser,
        Entitlement.plan,
        Session.authenticated_at,
        Session.second_factor,
        Session.impersonator_id,
    )
    .select_from(Session)
    .join(User, User.id == Session.user_id)
    .outerjoin(Entitlement, Entitlement.user_id == User.id)
    .where(
        Session.id == bindparam("session_id"),
        Session.user_id == bindparam("user_id"),
        Session.revoked_at.is_(None),
        Session.expires_at > func.now(),
        User.is_active,
    )
)


@dataclass(frozen=True)
class _Answer:
    asked_at: float
    user_id: UUID
    principal: Principal | None


class LiveSessions:
    """Which sessions live, asked of the database at most once a second each."""

    def __init__(self, database: Database, default_plan: PlanId, timer: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._default_plan = default_plan
        self._timer = timer
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

    def forget(self, session_id: UUID) -> None:
        """Ask anew about this session the next time: it was changed by this process."""
        self._answers.pop(session_id, None)

    async def _ask(self, session_id: UUID, user_id: UUID) -> Principal | None:
        async with self._database.transaction(user_id) as db:
            row = (await db.execute(_LIVE_SESSION, {"session_id": session_id, "user_id": user_id})).one_or_none()
        if row is None:
            return None
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
