"""HTTP of accounts: making one, who one is, and what one proves it with."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from sample_agent.accounts.caller import CurrentUser, FreshlySignedIn
from sample_agent.accounts.caller import SignedIn as SignedInPerson
from sample_agent.accounts.client import OfClient
from sample_agent.accounts.identity import OfApp
from sample_agent.accounts.sessions.browser import refuse_sign_in_from_elsewhere, replace_session
from sample_agent.accounts.sessions.schemas import SignedIn, UserProfile
from sample_agent.accounts.users import address_changes, password_changes, profile, sign_up
from sample_agent.accounts.users.schemas import (
    EmailChange,
    ForgottenPassword,
    LinkFollowed,
    NameChange,
    NewPasswordByLink,
    PasswordChange,
    Registered,
    RegisteredUser,
    Registration,
    ResendVerification,
    Verification,
)
from sample_agent.accounts.wire import Message

router = APIRouter(tags=["accounts"])


@router.post("/api/auth/register", status_code=201)
async def register(body: Registration, identity: OfApp, client: OfClient) -> Registered:
    """Ask for an account: mails a link that confirms the address."""
    user_id = await sign_up.register(
        identity,
        client,
        email=body.email,
        password=body.password.get_secret_value(),
        first_name=body.first_name,
        last_name=body.last_name,
    )
    return Registered(
        message="Almost there: follow the link we have just mailed you.",
        user=RegisteredUser(id=user_id, email=body.email, first_name=body.first_name, last_name=body.last_name),
    )


@router.post("/api/auth/verify-email")
async def verify_email(
    body: Verification, request: Request, response: Response, identity: OfApp, client: OfClient
) -> SignedIn:
    """Confirm an address with the token from the mail and the password of the registration, and sign in."""
    refuse_sign_in_from_elsewhere(request, identity.settings, in_cookie=body.mode == "cookie")
    signed_in = await sign_up.verify_email(
        identity, token=body.token, password=body.password.get_secret_value(), client=client
    )
    return await replace_session(signed_in, request, response, identity, client, in_cookie=body.mode == "cookie")


@router.post("/api/auth/resend-verification", status_code=202)
async def resend_verification(body: ResendVerification, identity: OfApp, client: OfClient) -> Message:
    """Mail the confirmation link again, if somebody has registered with this address."""
    await sign_up.resend_verification(identity, client, email=body.email)
    return Message(message="If somebody has registered with this address, a mail is on its way.")


@router.get("/api/auth/me")
async def get_current_user(principal: CurrentUser, identity: OfApp, response: Response) -> UserProfile:
    """The signed-in person."""
    response.headers["Cache-Control"] = "no-store"
    return await profile.profile_of(identity, principal)


@router.patch("/api/account")
async def change_profile(
    body: NameChange, principal: SignedInPerson, identity: OfApp, response: Response, client: OfClient
) -> UserProfile:
    """Change your names."""
    await profile.change_names(identity, principal, first_name=body.first_name, last_name=body.last_name, client=client)
    return await get_current_user(principal, identity, response)


@router.post("/api/auth/forgot-password", status_code=202)
async def forgot_password(body: ForgottenPassword, identity: OfApp, client: OfClient) -> Message:
    """Mail a link that sets a new password, if there is an account with this address."""
    await password_changes.forgot_password(identity, email=body.email, client=client)
    return Message(message="If there is an account with this address, a mail is on its way.")


@router.post("/api/auth/reset-password")
async def reset_password(body: NewPasswordByLink, identity: OfApp, client: OfClient) -> Message:
    """Set a new password with the token from the mail; every device is signed out."""
    await password_changes.reset_password(
        identity, token=body.token, password=body.password.get_secret_value(), client=client
    )
    return Message(message="You have a new password. Sign in with it.")


@router.post("/api/account/password")
async def change_password(
    body: PasswordChange, principal: SignedInPerson, identity: OfApp, client: OfClient
) -> Message:
    """Set a new password; every other device is signed out."""
    await password_changes.change_password(
        identity,
        principal,
        current_password=body.current_password.get_secret_value(),
        new_password=body.new_password.get_secret_value(),
        client=client,
    )
    return Message(message="You have a new password. Your other devices are signed out.")


@router.post("/api/account/email", status_code=202)
async def change_email(body: EmailChange, principal: FreshlySignedIn, identity: OfApp, client: OfClient) -> Message:
    """Ask for another e-mail address: mails a link to it that confirms it."""
    await address_changes.ask_for_email(
        identity, principal, email=body.email, password=body.password.get_secret_value(), client=client
    )
    return Message(message="Follow the link we have just mailed to the new address.")


@router.post("/api/auth/confirm-email")
async def confirm_email(body: LinkFollowed, identity: OfApp, client: OfClient) -> Message:
    """Confirm a new e-mail address with the token from the mail; from then on it is the account's."""
    await address_changes.confirm_email(identity, token=body.token, client=client)
    return Message(message="This is the address of your account now.")


@router.post("/api/auth/undo-email-change")
async def undo_email_change(body: LinkFollowed, identity: OfApp, client: OfClient) -> Message:
    """Put the old e-mail address back with the token from the mail to it; every device is signed out."""
    await address_changes.undo_email_change(identity, token=body.token, client=client)
    return Message(message="Your old address is back. We have mailed it a link that sets a new password.")
