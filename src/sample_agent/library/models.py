"""Tables of the library: samples, their analyses, collections, and the jobs that process them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Computed,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sample_agent.core.database import Model
from sample_agent.core.identifiers import new_id
from sample_agent.library.schemas import AudioFormat, JobStatus, Kind, Status


class Sample(Model):
    """An uploaded sound.

    What the machine found stands in `detected_*`, what its owner says in `corrected_*`; `tempo`, `key` and `kind` are
    computed from both, and the owner always wins. A sample with `deleted_at` is in the trash. `counted` says whether
    its bytes stand in its owner's storage: a file that cannot be analysed costs nothing.
    """

    __tablename__ = "samples"
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 (the computed columns come back with each change)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    filename: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    folder: Mapped[str] = mapped_column(String(1024), default="")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    favourite: Mapped[bool] = mapped_column(Boolean, default=False)

    file_key: Mapped[str] = mapped_column(String(255))
    file_size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    format: Mapped[AudioFormat] = mapped_column(String(8))
    content_type: Mapped[str] = mapped_column(String(64))
    preview_key: Mapped[str | None] = mapped_column(String(255))
    preview_size: Mapped[int | None] = mapped_column(BigInteger)
    preview_content_type: Mapped[str | None] = mapped_column(String(64))

    status: Mapped[Status] = mapped_column(String(16), default="pending")
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    job_id: Mapped[UUID | None] = mapped_column()
    counted: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))

    duration: Mapped[float | None] = mapped_column(Float)
    sample_rate: Mapped[int | None] = mapped_column(Integer)
    channels: Mapped[int | None] = mapped_column(SmallInteger)
    loudness: Mapped[float | None] = mapped_column(Float)
    detected_kind: Mapped[Kind | None] = mapped_column(String(16))
    detected_tempo: Mapped[float | None] = mapped_column(Float)
    detected_key: Mapped[str | None] = mapped_column(String(8))
    corrected_kind: Mapped[Kind | None] = mapped_column(String(16))
    corrected_tempo: Mapped[float | None] = mapped_column(Float)
    corrected_key: Mapped[str | None] = mapped_column(String(8))
    kind: Mapped[Kind | None] = mapped_column(
        String(16), Computed("coalesce(corrected_kind, detected_kind)", persisted=True)
    )
    tempo: Mapped[float | None] = mapped_column(
        Float, Computed("coalesce(corrected_tempo, detected_tempo)", persisted=True)
    )
    key: Mapped[str | None] = mapped_column(
        String(8), Computed("coalesce(corrected_key, detected_key)", persisted=True)
    )
    engine_version: Mapped[str | None] = mapped_column(String(32))
    waveform: Mapped[bytes | None] = mapped_column(LargeBinary)
    vibe: Mapped[str | None] = mapped_column(Text)
    search_text: Mapped[str] = mapped_column(Text, default="")

    version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("uq_samples_user_id_sha256", "user_id", "sha256", unique=True),
        Index("ix_samples_user_id_created_at", "user_id", "created_at", "id"),
        Index("ix_samples_user_id_tempo", "user_id", "tempo"),
        Index("ix_samples_deleted_at", "deleted_at", postgresql_where=text("deleted_at is not null")),
    )


class Analysis(Model):
    """What one version of the engine found in a sample; the latest row is the one shown."""

    __tablename__ = "audio_features"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sample_id: Mapped[UUID] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    engine_version: Mapped[str] = mapped_column(String(32))
    bpm: Mapped[float | None] = mapped_column(Float)
    musical_key: Mapped[str | None] = mapped_column(String(8))
    spectral_centroid: Mapped[float | None] = mapped_column(Float)
    result: Mapped[dict[str, Any]] = mapped_column(JSONB)
    peaks: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (Index("ix_audio_features_sample_id_created_at", "sample_id", "created_at"),)


class Collection(Model):
    """A named, ordered set of samples."""

    __tablename__ = "collections"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )

    __table_args__ = (
        Index("uq_collections_user_id_name", "user_id", func.lower(text("name")), unique=True),
        Index("ix_collections_user_id_created_at", "user_id", "created_at"),
    )


class CollectionSample(Model):
    """A sample's place in a collection."""

    __tablename__ = "collection_samples"

    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True)
    sample_id: Mapped[UUID] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True, index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ProcessingJob(Model):
    """The truth about a piece of background work, as its owner sees it.

    `lease` names the attempt that may write the result; an attempt that lost it writes nothing. A job without
    `enqueued_at` waits for one of its owner's places.
    """

    __tablename__ = "processing_jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    sample_id: Mapped[UUID] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(32), default="analyze")
    reanalysis_id: Mapped[UUID | None] = mapped_column(ForeignKey("reanalyses.id", ondelete="SET NULL"), index=True)
    run_id: Mapped[UUID | None] = mapped_column(index=True)
    """What was asked for before all of what came earlier had ended has the same run."""
    tier: Mapped[str] = mapped_column(String(16))
    status: Mapped[JobStatus] = mapped_column(String(16), default="pending")
    progress: Mapped[int] = mapped_column(SmallInteger, default=0)
    step: Mapped[str] = mapped_column(String(32), default="waiting")
    attempt: Mapped[int] = mapped_column(SmallInteger, default=0)
    max_attempts: Mapped[int] = mapped_column(SmallInteger, default=3)
    lease: Mapped[UUID | None] = mapped_column()
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    estimated_completion: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    enqueued_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("ix_processing_jobs_user_id_created_at", "user_id", "created_at"),
        Index(
            "ix_processing_jobs_active",
            "user_id",
            "enqueued_at",
            postgresql_where=text("status in ('pending', 'processing')"),
        ),
    )


class Reanalysis(Model):
    """A library being brought to a newer version of the engine, a job for each of `total` samples.

    How far it is stands in its jobs.
    """

    __tablename__ = "reanalyses"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    engine_version: Mapped[str] = mapped_column(String(32))
    total: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("ix_reanalyses_user_id_created_at", "user_id", "created_at"),)


class JobAttempt(Model):
    """One try at a job: who tried, when, and how it ended."""

    __tablename__ = "job_attempts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("processing_jobs.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(SmallInteger)
    worker: Mapped[str] = mapped_column(String(128))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(Text)


class IdempotencyKey(Model):
    """The answer already given to a request with this `Idempotency-Key`."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
