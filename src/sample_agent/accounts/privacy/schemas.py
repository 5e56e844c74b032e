"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sample_agent.accounts.privacy.models import DataExport
from sample_agent.accounts.wire import KnownPassword

ExportStatus = Literal["pending", "processing", "completed", "failed", "expired"]


class ExportShown(BaseModel):
    """A copy of your data. It can be downloaded while its `status` is `completed`, until `expires_at`."""

    id: UUID
    status: ExportStatus
    progress: int = Field(ge=0, le=100)
    size_bytes: int | None
    error: str | None
    created_at: datetime
    completed_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, export: DataExport) -> Self:
        return cls(
            id=export.id,
            status=cast(ExportStatus, export.status),
            progress=export.progress,
            size_bytes=export.file_size,
            error=export.error,
            created_at=export.created_at,
            completed_at=export.completed_at,
            expires_at=export.expires_at,
        )


class ExportList(BaseModel):
    exports: list[ExportShown]


class ExportLink(BaseModel):
    """An address that works without a token until `expires_at`."""

    url: str
    expires_at: datetime


class DeletionAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    password: KnownPassword


class DeletionDue(BaseModel):
    """When the account is erased."""

    delete_after: datetime


class KeepAccount(BaseModel):
    token: Annotated[str, Field(min_length=1, max_length=512)]
