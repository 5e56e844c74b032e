"""Tables of recovery codes, and of what waits for a factor."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, LargeBinary, SmallInteger, String, func
from sqlalchemy.orm import Mapped, mapped_column

from sample_agent.core.database import Model
from sample_agent.core.identifiers import new_id


class RecoveryCode(Model):
    """A code for whoever has lost their factors; only its hash is kept, sealed, and it works once."""

    __tablename__ = "recovery_codes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    sealed_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Challenge(Model):
    """Something that has to be answered once and soon: a second factor after the password, a passkey, a new app.

    `user_id` is empty while nobody knows who will answer. Only the SHA-256 of the token that names it is kept.
    """

    __tablename__ = "challenges"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(32))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expected: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The random bytes that a passkey has to sign; of a new authenticator app the sealed seed."""
    password_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What the password that came first was stored as; once it is another, the challenge is void."""
    wrong_answers: Mapped[int] = mapped_column(SmallInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
