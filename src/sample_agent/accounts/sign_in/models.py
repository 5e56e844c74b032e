"""Table of sign-ins that were refused."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from sample_agent.core.database import Model


class RefusedSignIns(Model):
    """How many sign-ins to an account were refused since the last one that stands in the audit log."""

    __tablename__ = "refused_sign_ins"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    unrecorded: Mapped[int] = mapped_column(Integer, default=0)
    recorded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When the last one was written into the audit log."""
