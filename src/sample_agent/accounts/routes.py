"""HTTP of identity."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from sample_agent.accounts import service, sessions
from sample_agent.accounts.browser import clear_refresh_cookie, cookie_name, refuse_cross_site, set_refresh_cookie
from sample_agent.accounts.errors import SessionExpired
from sample_agent.accounts.identity import BearerToken, CurrentUser, Identity, identity_of
from sample_agent.accounts.models import User
from sample_agent.accounts.schemas import (
    Login,
    Message,
    Refresh,
    Registered,
    RegisteredUser,
    Registration,
    ResendVerification,
    SignedIn,
    UserProfile,
    Verification,
)
from sample_agent.accounts.sessions import Client
from sample_agent.core.errors import Problem, Unauthenticated

router = APIRouter(tags=["accounts"])
log = structlog.get_logger("accounts")

OfApp = Annotated[Identity, Depends(identity_of)]
_PUBLIC_KEY_CACHE = {"Cache-Control": "public, max-age=300, stale-while-revalidate=3600"}


class PemResponse(PlainTextResponse):
    media_type = "application/x-pem-file"


@router.post("/api/auth/register", status_code=201)
async def register(body: Registration, identity: OfApp) -> Registered:
    """Create an account and mail a link that confirms its address."""
    user_id = await service.register(
        identity,
        email=body.email,
        password=body.password.get_secret_value(),
        first_name=body.first_name,
        last_name=body.last_name,
    )
    return Registered(
        message="Almost there: follow the link we have just mailed you, then sign in.",
        user=RegisteredUser(id=user_id, email=body.email, first_name=body.first_name, last_name=body.last_name),
    )


@router.post("/api/auth/verify-email")
async def verify_email(body: Verification, identity: OfApp) -> Message:
    """Confirm an address with the token from the mail."""
    await service.verify_email(identity, token=body.token)
    return Message(message="Your e-mail address is confirmed. You can sign in now.")


@router.post("/api/auth/resend-verification", status_code=202)
async def resend_verification(body: ResendVerification, identity: OfApp) -> Message:
    """Mail the confirmation link again, if there is an account with this address."""
    await service.resend_verification(identity, email=body.email)
    return Message(message="If there is an account with this address, a mail is on its way.")


@router.post("/api/auth/login", response_model_exclude_none=True)
async def login(body: Login, request: Request, response: Response, identity: OfApp) -> SignedIn:
    """Sign in with e-mail address and password."""
    client = Client(request.headers.get("user-agent", ""), request.client.host if request.client else "")
    sign_in = await service.login(identity, email=body.email, password=body.password.get_secret_value(), client=client)
    return _hand_over(sign_in, request, response, identity, in_cookie=body.mode == "cookie")


@router.post("/api/auth/refresh", response_model_exclude_none=True)
async def refresh(
    request: Request, response: Response, identity: OfApp, bearer: BearerToken, body: Refresh | None = None
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
    return _hand_over(await sessions.refresh(identity, token), request, response, identity, in_cookie=in_cookie)


@router.post("/api/auth/logout")
async def logout(request: Request, response: Response, identity: OfApp, bearer: BearerToken) -> Message:
    """End this session and clear the refresh cookie. Works with the cookie alone when the access token has expired."""
    session_id = await _session_to_end(request, identity, bearer)
    await sessions.end_session(identity, session_id, "signed out")
    clear_refresh_cookie(request, response, identity.settings)
    response.headers["Cache-Control"] = "no-store"
    log.info("signed out", session_id=str(session_id))
    return Message(message="You are signed out.")


@router.get("/api/auth/me")
async def get_current_user(principal: CurrentUser, identity: OfApp, response: Response) -> UserProfile:
    """The signed-in person."""
    async with identity.database.transaction(principal.user_id) as db:
        user = await db.get(User, principal.user_id)
    if user is None:
        raise SessionExpired
    response.headers["Cache-Control"] = "no-store"
    return UserProfile.of(user, principal.tier)


@router.get("/.well-known/jwks.json")
async def get_jwks(identity: OfApp) -> JSONResponse:
    """The public keys that verify access tokens, as a JSON Web Key Set."""
    return JSONResponse(identity.keys.jwks(), headers=_PUBLIC_KEY_CACHE)


@router.get("/api/auth/public-key", response_class=PemResponse)
async def get_public_key(identity: OfApp) -> PemResponse:
    """The current public key, as PEM."""
    return PemResponse(identity.keys.pem(), headers=_PUBLIC_KEY_CACHE)


def _hand_over(
    sign_in: sessions.SignIn, request: Request, response: Response, identity: Identity, *, in_cookie: bool
) -> SignedIn:
    response.headers["Cache-Control"] = "no-store"
    if in_cookie:
        set_refresh_cookie(request, response, identity.settings, sign_in.refresh_token, sign_in.refresh_expires_at)
    return SignedIn.of(sign_in, with_refresh_token=not in_cookie)


def _cookie_token(request: Request, identity: Identity) -> str:
    token = request.cookies.get(cookie_name(request, identity.settings))
    if not token:
        raise SessionExpired("There is no refresh token in this request.")
    refuse_cross_site(request, identity.settings)
    return token


async def _session_to_end(request: Request, identity: Identity, bearer: BearerToken) -> UUID:
    refusal: Problem = Unauthenticated("There is nobody to sign out.")
    if bearer is not None:
        try:
            return (await identity.authenticate(bearer.credentials)).session_id
        except Unauthenticated as problem:
            refusal = problem
    if cookie_name(request, identity.settings) in request.cookies:
        session_id = await sessions.session_of(identity, _cookie_token(request, identity))
        if session_id is not None:
            return session_id
    raise refusal
