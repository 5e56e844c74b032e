"""HTTP of a person's own activity."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from sample_agent.accounts.activity import service
from sample_agent.accounts.activity.schemas import Activities
from sample_agent.accounts.caller import SignedIn
from sample_agent.accounts.identity import OfApp
from sample_agent.core.cursors import Cursor

router = APIRouter(tags=["accounts"])


@router.get("/api/account/activity")
async def list_activity(
    principal: SignedIn,
    identity: OfApp,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor | None = None,
) -> Activities:
    """What happened to the account: sign-ins, changes of credentials, and what administrators did."""
    response.headers["Cache-Control"] = "no-store"
    return await service.activities(identity.database, principal.user_id, limit=limit, cursor=cursor)
