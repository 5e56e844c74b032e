"""The plan catalogue: the one place that knows what a plan costs and allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from sample_agent.core.settings import PlanId

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True)
class Plan:
    """A plan. `None` means unlimited; `price` is US dollars a month, `None` where it is agreed by contract."""

    id: PlanId
    name: str
    price: int | None
    trial_days: int
    storage_bytes: int | None
    analyses_per_month: int | None
    api_requests_per_day: int | None
    collections: int | None
    concurrent_uploads: int
    concurrent_jobs: int
    max_file_bytes: int
    queue_priority: int

    @property
    def contact_sales(self) -> bool:
        return self.price is None


PLANS: dict[PlanId, Plan] = {
    "free": Plan(
        id="free",
        name="Free",
        price=0,
        trial_days=0,
        storage_bytes=100 * MIB,
        analyses_per_month=10,
        api_requests_per_day=100,
        collections=5,
        concurrent_uploads=1,
        concurrent_jobs=2,
        max_file_bytes=10 * MIB,
        queue_priority=0,
    ),
    "pro": Plan(
        id="pro",
        name="Pro",
        price=29,
        trial_days=14,
        storage_bytes=5 * GIB,
        analyses_per_month=500,
        api_requests_per_day=10_000,
        collections=None,
        concurrent_uploads=5,
        concurrent_jobs=4,
        max_file_bytes=100 * MIB,
        queue_priority=100,
    ),
    "enterprise": Plan(
        id="enterprise",
        name="Enterprise",
        price=None,
        trial_days=0,
        storage_bytes=None,
        analyses_per_month=None,
        api_requests_per_day=None,
        collections=None,
        concurrent_uploads=10,
        concurrent_jobs=8,
        max_file_bytes=500 * MIB,
        queue_priority=100,
    ),
}
if set(PLANS) != set(get_args(PlanId)):
    raise AssertionError("every plan id has a plan")
