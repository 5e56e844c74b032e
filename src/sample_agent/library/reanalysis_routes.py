"""The renewal of a whole library over HTTP."""

from __future__ import annotations

from fastapi import APIRouter, Response

from sample_agent.accounts import CurrentUser, OwnTransaction
from sample_agent.billing import OwnPlan
from sample_agent.library import reanalysis
from sample_agent.library.idempotency import IdempotencyHeader, once
from sample_agent.library.schemas import Reanalysis, ReanalysisState

router = APIRouter(prefix="/api", tags=["jobs"])


@router.get("/reanalysis")
async def get_reanalysis(session: OwnTransaction) -> ReanalysisState:
    """Whether an older version of the engine analysed your samples, and how far the latest renewal is."""
    return await reanalysis.state(session)


@router.post("/reanalysis", status_code=202, response_model=Reanalysis)
async def start_reanalysis(
    user: CurrentUser, session: OwnTransaction, plan: OwnPlan, key: IdempotencyHeader = None
) -> Response:
    """Analyse again every sample that an older version of the engine has analysed; your corrections stay."""

    async def act() -> Reanalysis:
        return await reanalysis.shown(session, await reanalysis.start(session, user.user_id, plan))

    return await once(session, user.user_id, key, "reanalysis", act, status=202)


@router.post("/reanalysis/cancel")
async def cancel_reanalysis(session: OwnTransaction) -> Reanalysis:
    """Call off what is left of the renewal."""
    return await reanalysis.shown(session, await reanalysis.cancel(session))
