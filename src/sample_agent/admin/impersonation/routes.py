"""HTTP of looking through somebody's eyes."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Response

from sample_agent.accounts import OfApp, OfClient
from sample_agent.accounts.caller import BearerToken, FreshlySignedIn, SureAdministrator
from sample_agent.accounts.sessions.schemas import UserProfile
from sample_agent.accounts.sessions.service import sign_out
from sample_agent.accounts.strangers import limit_strangers
from sample_agent.admin.errors import NotImpersonating
from sample_agent.admin.impersonation import service
from sample_agent.admin.impersonation.schemas import Impersonation, ImpersonationReason
from sample_agent.core.errors import Unauthenticated

router = APIRouter(tags=["admin"])


@router.post("/api/admin/users/{user_id}/impersonation", status_code=201)
async def begin_impersonation(
    user_id: UUID,
    body: ImpersonationReason,
    principal: SureAdministrator,
    _person: FreshlySignedIn,
    identity: OfApp,
    client: OfClient,
    response: Response,
) -> Impersonation:
    """See what somebody sees for a quarter of an hour. They are told of it in their activity, with the reason."""
    look = await service.begin(identity, principal, user_id, reason=body.reason, client=client)
    response.headers["Cache-Control"] = "no-store"
    return Impersonation(
        token=look.access_token,
        expires_in=look.expires_in,
        user=UserProfile.of(look.user, look.plan, second_factor=look.second_factor, impersonated_by=look.administrator),
    )


# Not `CurrentUser`: that refuses every change asked for with such a token, this one among them.
@router.delete("/api/admin/impersonation", status_code=204, dependencies=[Depends(limit_strangers)])
async def end_impersonation(bearer: BearerToken, identity: OfApp, client: OfClient) -> None:
    """End the impersonation whose access token is sent."""
    if bearer is None:
        raise Unauthenticated("Send the access token of the impersonation.")
    principal = await identity.authenticate(bearer.credentials)
    if principal.impersonator_id is None:
        raise NotImpersonating
    assert principal.session_id is not None  # noqa: S101
    await sign_out(identity, principal.session_id, client)
