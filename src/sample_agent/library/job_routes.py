"""Jobs over HTTP: state, live progress, retry and cancel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from sample_agent.accounts import CurrentUser, OwnTransaction, identity_of
from sample_agent.billing import OwnPlan
from sample_agent.library import jobs
from sample_agent.library.routes import tagged_response
from sample_agent.library.schemas import Job, JobList, JobStatus

router = APIRouter(prefix="/api", tags=["jobs"])

PING_SECONDS = 15


@router.get("/jobs")
async def list_jobs(
    session: OwnTransaction,
    status: JobStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> JobList:
    """Your jobs, newest first."""
    found = await jobs.list_jobs(session, status=status, limit=limit)
    return JobList(jobs=[jobs.shown(job) for job in found])


@router.get("/jobs/events", response_class=EventSourceResponse)
async def stream_job_events(request: Request, user: CurrentUser) -> EventSourceResponse:
    """Live progress: an event `snapshot` with the jobs under way, then an event `job` for every change.

    Ends when the session or the key it was asked for with has ended.
    """
    identity = identity_of(request)

    async def events() -> AsyncIterator[ServerSentEvent]:
        async for name, data in request.app.state.job_events.subscribe(user.user_id):
            if not await identity.still_holds(user):
                return
            yield ServerSentEvent(event=name, data=data)

    return EventSourceResponse(events(), ping=PING_SECONDS, headers={"Cache-Control": "no-store"})


@router.get("/jobs/{job_id}", response_model=Job)
async def get_job(request: Request, job_id: UUID, session: OwnTransaction) -> Response:
    """How a job stands."""
    return tagged_response(request, jobs.shown(await jobs.get_job(session, job_id)))


@router.post("/jobs/{job_id}/retry", status_code=202)
async def retry_job(job_id: UUID, session: OwnTransaction, plan: OwnPlan) -> Job:
    """Try a failed or cancelled job again."""
    return jobs.shown(await jobs.retry(session, job_id, plan=plan))


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(job_id: UUID, session: OwnTransaction) -> Job:
    """Call a job off; no result appears afterwards."""
    return jobs.shown(await jobs.cancel(session, job_id))
