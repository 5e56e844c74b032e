"""Whether somebody has a second factor: what profiles say and administrators see of everybody."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_
from sqlalchemy.orm import InstrumentedAttribute

from sample_agent.accounts.models import Authenticator, Passkey


def has_second_factor(user_id: UUID | InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """An SQL expression: whether the person has an authenticator app or a passkey.

    `await db.scalar(select(has_second_factor(user.id)))`, or with `User.id` as one more column of a list of people.
    """
    return or_(
        exists().where(Authenticator.user_id == user_id),
        exists().where(Passkey.user_id == user_id),
    )
