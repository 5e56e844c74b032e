"""What goes over the wire of preferences."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from sample_agent.accounts.users.preferences import MODELS, Preferred
from sample_agent.core.settings import PlanId


class OfferedModel(BaseModel):
    """A model that describes sounds, and the smallest plan that includes it."""

    id: str
    name: str
    plan: PlanId
    included: bool = Field(description="whether your plan includes it")


class PreferencesChange(BaseModel):
    """What you prefer, all of it."""

    model_config = ConfigDict(extra="forbid")

    auto_analyze_enabled: bool = Field(description="analyse what you upload at once, instead of when you ask for it")
    selected_model: Annotated[str, Field(min_length=1, max_length=100, description="the model that describes sounds")]
    notification_email_enabled: bool = Field(description="mails that are not about the security of your account")

    def preferred(self) -> Preferred:
        return Preferred(self.auto_analyze_enabled, self.selected_model, self.notification_email_enabled)


class PreferencesShown(BaseModel):
    """What you prefer, and the models there are to choose from."""

    auto_analyze_enabled: bool
    selected_model: str
    notification_email_enabled: bool
    models: list[OfferedModel]

    @classmethod
    def of(cls, preferred: Preferred, plan: PlanId) -> Self:
        return cls(
            auto_analyze_enabled=preferred.auto_analyze_enabled,
            selected_model=preferred.model(plan).id,
            notification_email_enabled=preferred.notification_email_enabled,
            models=[
                OfferedModel(id=each.id, name=each.name, plan=each.plan, included=each.included_in(plan))
                for each in MODELS
            ],
        )
