"""HTTP of sessions: going on with one, seeing them all, and ending them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from sample_agent.accounts import caller
from sample_agent.accounts.caller import BearerToken
from sample_agent.accounts.client import OfClient
from sample_agent.accounts.errors import CrossSiteRequest, SessionExpired, SessionRequired
from sample_agent.accounts.identity import Identity, OfApp
from sample_agent.accounts.sessions import service as sessions
from sample_agent.accounts.sessions.browser import cookie_name, hand_over, leave_browser, refuse_cross_site
from sample_agent.accounts.sessions.schemas import Device, Devices, Refresh, SignedIn
from sample_agent.accounts.wire import Message
from sample_agent.core.errors import Problem, Unauthenticated

router = APIRouter(tags=["accounts"])


@router.post("/api/auth/refresh")
async def refresh(
    request: Request,
    response: Response,
    identity: OfApp,
    client: OfClient,
    bearer: BearerToken,
    body: Refresh | None = None,
) -> SignedIn:
    """Exchange a refresh token for a new access token and the next refresh token.

    The token is taken from the body, else from a Bearer header, else from the cookie; the next one goes back the same
    way.
    """
    if body is not None and body.refresh_token is not None:
        token, in_cookie = body.refresh_token.get_secret_value(), False
    elif bearer is not None:
        token, in_cookie = bearer.credentials, False
    else:
        token, in_cookie = _cookie_token(request, identity), True
    return hand_over(await sessions.refresh(identity, token, client), request, response, identity, in_cookie=in_cookie)


@router.post("/api/auth/logout")
async def logout(
    request: Request, response: Response, identity: OfApp, client: OfClient, bearer: BearerToken
) -> Message:
    """End this session and clear the refresh cookie. Works with the cookie alone when the access token has expired.

    Where the cookie is of another session, that one ends as well; and with an impersonation the administrator's own.
    """
    for session_id in await _sessions_to_end(request, identity, bearer):
        await sessions.sign_out(identity, session_id, client)
    leave_browser(request, response, identity.settings)
    return Message(message="You are signed out.")


@router.get("/api/auth/sessions")
async def get_sessions(principal: caller.SignedIn, response: Response, identity: OfApp) -> Devices:
    """The devices on which the caller is signed in, the one used last first; at most 200."""
    response.headers["Cache-Control"] = "no-store"
    living = await sessions.list_sessions(identity, principal)
    return Devices(sessions=[Device.of(each, current=each.id == principal.session_id) for each in living])


@router.delete("/api/auth/sessions", status_code=204)
async def revoke_sessions(
    scope: Literal["others", "all"],
    principal: caller.SignedIn,
    request: Request,
    response: Response,
    identity: OfApp,
    client: OfClient,
) -> None:
    """Sign out everywhere else, or everywhere."""
    await sessions.revoke_sessions(identity, principal, client, keep_current=scope == "others")
    if scope == "all":
        leave_browser(request, response, identity.settings)


@router.delete("/api/auth/sessions/{session_id}", status_code=204)
async def revoke_session(
    session_id: UUID,
    principal: caller.SignedIn,
    request: Request,
    response: Response,
    identity: OfApp,
    client: OfClient,
) -> None:
    """Sign out one device."""
    await sessions.revoke_session(identity, principal, session_id, client)
    if session_id == principal.session_id:
        leave_browser(request, response, identity.settings)


def _cookie_token(request: Request, identity: Identity) -> str:
    token = request.cookies.get(cookie_name(request, identity.settings))
    if not token:
        raise SessionExpired("There is no refresh token in this request.")
    refuse_cross_site(request, identity.settings)
    return token


async def _sessions_to_end(request: Request, identity: Identity, bearer: BearerToken) -> list[UUID]:
    """The session of the access token, the one it was begun from, and that of the cookie; at least one of them."""
    refusal: Problem = Unauthenticated("There is nobody to sign out.")
    found: list[UUID] = []
    if bearer is not None:
        try:
            principal = await identity.authenticate(bearer.credentials)
            if principal.session_id is None:
                raise SessionRequired
            found += await sessions.with_origin(identity, principal.session_id)
        except Unauthenticated as problem:
            refusal = problem
    if request.cookies.get(cookie_name(request, identity.settings)):
        try:
            kept = await sessions.session_of(identity, _cookie_token(request, identity))
            found += [kept] if kept is not None and kept not in found else []
        except CrossSiteRequest:
            if not found:
                raise
    if not found:
        raise refusal
    return found
