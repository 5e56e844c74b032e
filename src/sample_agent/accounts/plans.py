"""Which plan a user has. Billing decides it and writes it here; everything else reads it."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.models import Entitlement
from sample_agent.core.settings import PlanId

_PLAN = select(Entitlement.plan).where(Entitlement.user_id == bindparam("user_id"))


async def plan_of(session: AsyncSession, user_id: UUID, default: PlanId) -> PlanId:
    """The plan the user is entitled to right now; `default` when billing has never said otherwise."""
    plan = await session.scalar(_PLAN, {"user_id": user_id})
    return cast(PlanId, plan) if plan is not None else default


async def set_plan(session: AsyncSession, user_id: UUID, plan: PlanId) -> None:
    """Entitle the user to a plan, in effect on every process within a second of the commit."""
    change = insert(Entitlement).values(user_id=user_id, plan=plan, epoch=1)
    await session.execute(
        change.on_conflict_do_update(
            index_elements=[Entitlement.user_id], set_={"plan": plan, "epoch": Entitlement.epoch + 1}
        )
    )
