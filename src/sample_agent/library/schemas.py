"""The library on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from sample_agent.library.keys import KEYS

Kind = Literal["one-shot", "loop", "track"]
Status = Literal["pending", "processing", "completed", "failed"]
JobStatus = Literal["pending", "processing", "completed", "failed", "cancelled"]
AudioFormat = Literal["wav", "aiff", "flac", "mp3", "ogg", "opus", "m4a"]
Correctable = Literal["name", "tempo", "key", "kind"]


def _known_key(value: str) -> str:
    if value not in KEYS:
        raise ValueError("not a key; write the tonic with sharps and `m` for minor, such as C, F# or A#m")
    return value


def _clean_tag(value: str) -> str:
    if "," in value:
        raise ValueError("a tag cannot contain a comma")
    return value.lower()


Key = Annotated[str, AfterValidator(_known_key)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]*$")
]
Tag = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]*$"),
    AfterValidator(_clean_tag),
]
Tempo = Annotated[float, Field(ge=20, le=400, allow_inf_nan=False)]


class Failure(BaseModel):
    """Why something did not work: `code` for programs, `message` for people."""

    code: str
    message: str


class Job(BaseModel):
    """A piece of background work."""

    id: UUID
    sample_id: UUID
    kind: str
    status: JobStatus
    progress: int = Field(ge=0, le=100)
    step: str
    attempt: int
    max_attempts: int
    error: Failure | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    estimated_completion: datetime | None


class JobList(BaseModel):
    jobs: list[Job]


class Reanalysis(BaseModel):
    """A library being analysed anew. `done` counts what ended in any way, `failed` what kept its earlier analysis."""

    id: UUID
    engine_version: str
    total: int
    done: int
    failed: int
    active: bool
    cancelled: bool
    created_at: datetime


class ReanalysisState(BaseModel):
    """`outdated`: how many samples an engine of another version than `engine_version` has analysed."""

    engine_version: str
    outdated: int
    latest: Reanalysis | None


class Upload(BaseModel):
    """What became of an uploaded file.

    `duplicate`: the same bytes were in the library already, as `sample_id`. `deferred`: it is analysed when you ask.
    """

    sample_id: UUID
    job_id: UUID | None
    status: Status
    filename: str
    estimated_completion: datetime | None
    duplicate: bool
    deferred: bool


class SampleSummary(BaseModel):
    """A sample as it stands in a list. `waveform`: 128 unsigned bytes of peak level, base64."""

    id: UUID
    filename: str
    name: str
    folder: str
    status: Status
    deferred: bool = Field(description="not analysed until you ask for it")
    kind: Kind | None
    tempo: float | None = Field(description="beats per minute")
    key: str | None
    camelot: str | None
    duration: float | None = Field(description="seconds")
    size_bytes: int
    format: AudioFormat
    sample_rate: int | None = Field(description="Hz")
    channels: int | None
    loudness: float | None = Field(description="integrated loudness, LUFS")
    favourite: bool
    tags: list[str]
    vibe: str | None
    waveform: str | None
    corrected: list[Correctable]
    error: Failure | None
    created_at: datetime
    deleted_at: datetime | None
    job_id: UUID | None
    version: int


class CollectionRef(BaseModel):
    id: UUID
    name: str


class SampleDetail(SampleSummary):
    """A sample with everything the engine found, the collections it is in and its latest job."""

    analysis: dict[str, Any] | None
    collections: list[CollectionRef]
    job: Job | None


class SampleList(BaseModel):
    samples: list[SampleSummary]
    total: int
    limit: int
    offset: int
    next_cursor: str | None


class SampleChange(BaseModel):
    """The fields to change. `null` takes a correction back, so that the machine's value shows again."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    tempo: Tempo | None = None
    key: Key | None = None
    kind: Kind | None = None
    tags: Annotated[list[Tag], Field(max_length=50)] | None = None
    favourite: bool | None = None


class Waveform(BaseModel):
    """Lowest and highest level of each of `points` equal parts of the sample, -1 to 1."""

    points: int
    channels: Literal[1]
    minimum: list[float]
    maximum: list[float]


class Link(BaseModel):
    """An address that works without a token until `expires_at`."""

    url: str
    expires_at: datetime


class TagCount(BaseModel):
    tag: str
    count: int


class TempoRange(BaseModel):
    min: float | None
    max: float | None


class Facets(BaseModel):
    """How the library's samples spread over what they can be filtered by."""

    total: int
    kinds: dict[str, int]
    formats: dict[str, int]
    keys: dict[str, int]
    statuses: dict[str, int]
    tags: list[TagCount]
    tempo: TempoRange


class Emptied(BaseModel):
    deleted: int


class Collection(BaseModel):
    id: UUID
    name: str
    description: str
    sample_count: int
    duration: float = Field(description="seconds, all samples together")
    created_at: datetime
    updated_at: datetime


class CollectionList(BaseModel):
    collections: list[Collection]


CollectionName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]*$")
]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")]
SampleIds = Annotated[list[UUID], Field(min_length=1, max_length=10_000)]


class NewCollection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: CollectionName
    description: Description = ""


class CollectionChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: CollectionName | None = None
    description: Description | None = None


class SampleSelection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sample_ids: SampleIds


class Added(BaseModel):
    added: int
    sample_count: int
