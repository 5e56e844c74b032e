"""Plans, entitlements and exact quotas."""

from sample_agent.billing.plans import PLANS, Plan
from sample_agent.billing.routes import router
from sample_agent.billing.service import OwnPlan, plan_for

__all__ = ["PLANS", "OwnPlan", "Plan", "plan_for", "router"]
