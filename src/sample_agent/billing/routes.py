"""Plans and usage over HTTP."""

from __future__ import annotations

from fastapi import APIRouter, Response

from sample_agent.accounts import CurrentUser, OwnTransaction
from sample_agent.billing import quotas
from sample_agent.billing.plans import GIB, MIB, PLANS, Plan
from sample_agent.billing.schemas import PlanFeatures, PlanList, PlanOut, StorageUsage, Usage
from sample_agent.billing.service import OwnPlan

router = APIRouter(prefix="/api", tags=["billing"])


@router.get("/billing/plans")
async def list_plans(response: Response) -> PlanList:
    """The plans anyone can choose from."""
    response.headers["Cache-Control"] = "public, max-age=1800"
    return PlanList(plans=[_shown(plan) for plan in PLANS.values()])


@router.get("/usage")
async def get_usage(user: CurrentUser, plan: OwnPlan, session: OwnTransaction) -> Usage:
    """What you use of your plan."""
    return Usage(
        plan=plan.id,
        storage=StorageUsage(
            used_bytes=await quotas.used(session, user.user_id, "storage"), limit_bytes=plan.storage_bytes
        ),
        max_file_bytes=plan.max_file_bytes,
    )


def _shown(plan: Plan) -> PlanOut:
    return PlanOut(
        id=plan.id,
        name=plan.name,
        price=plan.price,
        trial_days=plan.trial_days,
        contact_sales=plan.contact_sales,
        features=PlanFeatures(
            storage_gb=None if plan.storage_bytes is None else round(plan.storage_bytes / GIB, 1),
            analyses_per_month=plan.analyses_per_month,
            api_requests_per_day=plan.api_requests_per_day,
            max_file_mb=plan.max_file_bytes // MIB,
            collections=plan.collections,
            concurrent_uploads=plan.concurrent_uploads,
        ),
    )
