"""HTTP of accounts: making one, and who one is."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from sample_agent.accounts.caller import CurrentUser
from sample_agent.accounts.client import OfClient
from sample_agent.accounts.errors import SessionExpired
from sample_agent.accounts.identity import OfApp
from sample_agent.accounts.models import User
from sample_agent.accounts.second_factor import has_second_factor
from sample_agent.accounts.sessions.browser import hand_over
from sample_agent.accounts.sessions.schemas import SignedIn, UserProfile
from sample_agent.accounts.users import sign_up
from sample_agent.accounts.users.schemas import (
    Registered,
    RegisteredUser,
    Registration,
    ResendVerification,
    Verification,
)
from sample_agent.accounts.wire import Message

router = APIRouter(tags=["accounts"])


@router.post("/api/auth/register", status_code=201)
async def register(body: Registration, identity: OfApp) -> Registered:
    """Ask for an account: mails a link that confirms the address."""
    user_id = await sign_up.register(
        identity,
        email=body.email,
        password=body.password.get_secret_value(),
        first_name=body.first_name,
        last_name=body.last_name,
    )
    return Registered(
        message="Almost there: follow the link we have just mailed you.",
        user=RegisteredUser(id=user_id, email=body.email, first_name=body.first_name, last_name=body.last_name),
    )


@router.post("/api/auth/verify-email", response_model_exclude_none=True)
async def verify_email(
    body: Verification, request: Request, response: Response, identity: OfApp, client: OfClient
) -> SignedIn:
    """Confirm an address with the token from the mail and the password of the registration, and sign in."""
    signed_in = await sign_up.verify_email(
        identity, token=body.token, password=body.password.get_secret_value(), client=client
    )
    return hand_over(signed_in, request, response, identity, in_cookie=body.mode == "cookie")


@router.post("/api/auth/resend-verification", status_code=202)
async def resend_verification(body: ResendVerification, identity: OfApp) -> Message:
    """Mail the confirmation link again, if somebody has registered with this address."""
    await sign_up.resend_verification(identity, email=body.email)
    return Message(message="If somebody has registered with this address, a mail is on its way.")


@router.get("/api/auth/me")
async def get_current_user(principal: CurrentUser, identity: OfApp, response: Response) -> UserProfile:
    """The signed-in person."""
    async with identity.database.transaction(principal.user_id) as db:
        user = await db.get(User, principal.user_id)
        second_factor = bool(await db.scalar(select(has_second_factor(principal.user_id))))
    if user is None:
        raise SessionExpired
    response.headers["Cache-Control"] = "no-store"
    return UserProfile.of(user, principal.tier, second_factor=second_factor)
