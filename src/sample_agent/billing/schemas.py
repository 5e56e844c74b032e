"""Billing on the wire."""

from __future__ import annotations

from pydantic import BaseModel

from sample_agent.core.settings import PlanId


class PlanFeatures(BaseModel):
    """What a plan allows; `null` means unlimited."""

    storage_gb: float | None
    analyses_per_month: int | None
    api_requests_per_day: int | None
    max_file_mb: int
    collections: int | None
    concurrent_uploads: int


class PlanOut(BaseModel):
    id: PlanId
    name: str
    price: int | None
    trial_days: int
    contact_sales: bool
    features: PlanFeatures


class PlanList(BaseModel):
    plans: list[PlanOut]


class StorageUsage(BaseModel):
    used_bytes: int
    limit_bytes: int | None


class Usage(BaseModel):
    """What the caller uses of their plan."""

    plan: PlanId
    storage: StorageUsage
    max_file_bytes: int
