"""What a person prefers, and the models they can choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.errors import ModelNotIncluded
from sample_agent.accounts.users.models import Preferences
from sample_agent.core.errors import ValidationFailed
from sample_agent.core.settings import PlanId

_RANK = {plan: rank for rank, plan in enumerate(get_args(PlanId))}
"""Plans from the smallest to the largest."""


@dataclass(frozen=True)
class Model:
    """A language model that describes sounds, for everybody from the plan `plan` upwards."""

    id: str
    name: str
    plan: PlanId

    def included_in(self, plan: PlanId) -> bool:
        return _RANK[plan] >= _RANK[self.plan]


MODELS = (
    Model("qwen/qwen3-7b-it", "Qwen3 7B", "free"),
    Model("qwen/qwen3-235b", "Qwen3 235B", "pro"),
)
DEFAULT_MODEL = MODELS[0]
_BY_ID = {model.id: model for model in MODELS}


@dataclass(frozen=True)
class Preferred:
    """What somebody prefers; as it comes until they say otherwise."""

    auto_analyze_enabled: bool = True
    selected_model: str = DEFAULT_MODEL.id
    notification_email_enabled: bool = True

    def model(self, plan: PlanId) -> Model:
        """The model to use: the chosen one, as long as it exists and `plan` includes it."""
        chosen = _BY_ID.get(self.selected_model, DEFAULT_MODEL)
        return chosen if chosen.included_in(plan) else DEFAULT_MODEL


async def preferences_of(db: AsyncSession, user_id: UUID) -> Preferred:
    """What this person prefers. `db` is a transaction of theirs, or one with the purpose "identity"."""
    row = await db.scalar(select(Preferences).where(Preferences.user_id == user_id))
    if row is None:
        return Preferred()
    return Preferred(row.auto_analyze_enabled, row.selected_model, row.notification_email_enabled)


async def prefer(db: AsyncSession, user_id: UUID, preferred: Preferred, plan: PlanId) -> None:
    """Keep what somebody prefers from now on. Raises ValidationFailed, and ModelNotIncluded in their plan."""
    model = _BY_ID.get(preferred.selected_model)
    if model is None:
        message = f"There is no such model. Choose one of {', '.join(_BY_ID)}."
        raise ValidationFailed(message, errors=[{"loc": ["body", "selected_model"], "msg": message}])
    if not model.included_in(plan):
        raise ModelNotIncluded(
            f"{model.name} comes with the plan {model.plan.capitalize()} and those above it.",
            extra={"plan": model.plan},
        )
    values = {
        "auto_analyze_enabled": preferred.auto_analyze_enabled,
        "selected_model": preferred.selected_model,
        "notification_email_enabled": preferred.notification_email_enabled,
    }
    entry = insert(Preferences).values(user_id=user_id, **values)
    await db.execute(entry.on_conflict_do_update(index_elements=[Preferences.user_id], set_=values))
