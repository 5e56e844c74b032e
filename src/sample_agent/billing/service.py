"""What the caller is entitled to."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import CurrentUser, OwnTransaction, plan_of
from sample_agent.billing.plans import PLANS, Plan
from sample_agent.core.settings import PlanId


async def plan_for(session: AsyncSession, user_id: UUID, default: PlanId) -> Plan:
    """The plan `user_id` is entitled to right now, read from the database."""
    return PLANS[await plan_of(session, user_id, default)]


async def _own_plan(request: Request, user: CurrentUser, session: OwnTransaction) -> Plan:
    return await plan_for(session, user.user_id, request.app.state.settings.plan_for_new_accounts)


OwnPlan = Annotated[Plan, Depends(_own_plan)]
