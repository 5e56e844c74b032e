"""HTTP of signing in, and of proving once more who one is."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from sample_agent.accounts.caller import SignedIn as SignedInPerson
from sample_agent.accounts.client import OfClient
from sample_agent.accounts.factors.schemas import PasskeyChallenge
from sample_agent.accounts.identity import OfApp
from sample_agent.accounts.sessions.browser import refuse_sign_in_from_elsewhere, replace_session
from sample_agent.accounts.sessions.schemas import SignedIn
from sample_agent.accounts.sign_in import service, step_up
from sample_agent.accounts.sign_in.schemas import Login, PasskeyLogin, SecondFactorLogin, SteppedUp, StepUp

router = APIRouter(tags=["accounts"])


@router.post("/api/auth/login")
async def login(body: Login, request: Request, response: Response, identity: OfApp, client: OfClient) -> SignedIn:
    """Sign in with e-mail address and password; an account with a second factor answers 403 with a challenge."""
    refuse_sign_in_from_elsewhere(request, identity.settings, in_cookie=body.mode == "cookie")
    sign_in = await service.login(identity, email=body.email, password=body.password.get_secret_value(), client=client)
    return await replace_session(sign_in, request, response, identity, client, in_cookie=body.mode == "cookie")


@router.post("/api/auth/login/second-factor")
async def finish_login(
    body: SecondFactorLogin, request: Request, response: Response, identity: OfApp, client: OfClient
) -> SignedIn:
    """Finish signing in with a code, a recovery code or a passkey, for the challenge that the password led to."""
    refuse_sign_in_from_elsewhere(request, identity.settings, in_cookie=body.mode == "cookie")
    sign_in = await service.finish_login(
        identity, challenge=body.challenge.get_secret_value(), proof=body.proof(), client=client
    )
    return await replace_session(sign_in, request, response, identity, client, in_cookie=body.mode == "cookie")


@router.post("/api/auth/login/passkey/options")
async def begin_passkey_login(identity: OfApp, response: Response) -> PasskeyChallenge:
    """Begin to sign in with a passkey alone: what the browser needs to find one."""
    response.headers["Cache-Control"] = "no-store"
    challenge, options = await service.begin_passkey_login(identity)
    return PasskeyChallenge(challenge=challenge, options=options)


@router.post("/api/auth/login/passkey")
async def login_with_passkey(
    body: PasskeyLogin, request: Request, response: Response, identity: OfApp, client: OfClient
) -> SignedIn:
    """Sign in with a passkey alone."""
    refuse_sign_in_from_elsewhere(request, identity.settings, in_cookie=body.mode == "cookie")
    sign_in = await service.login_with_passkey(
        identity, challenge=body.challenge.get_secret_value(), credential=body.credential, client=client
    )
    return await replace_session(sign_in, request, response, identity, client, in_cookie=body.mode == "cookie")


@router.post("/api/auth/step-up/passkey-options")
async def begin_passkey_step_up(principal: SignedInPerson, identity: OfApp, response: Response) -> PasskeyChallenge:
    """Begin to prove with a passkey that it is you."""
    response.headers["Cache-Control"] = "no-store"
    challenge, options = await step_up.begin_passkey_step_up(identity, principal)
    return PasskeyChallenge(challenge=challenge, options=options)


@router.post("/api/auth/step-up")
async def prove_again(
    body: StepUp, principal: SignedInPerson, identity: OfApp, client: OfClient, response: Response
) -> SteppedUp:
    """Prove once more that it is you, before something dangerous; an account with a second factor uses that."""
    response.headers["Cache-Control"] = "no-store"
    if body.password is not None:
        fresh_until = await step_up.step_up_with_password(identity, principal, client, body.password.get_secret_value())
    else:
        challenge = body.challenge.get_secret_value() if body.challenge else None
        fresh_until = await step_up.step_up_with_factor(identity, principal, client, body.proof(), challenge)
    return SteppedUp(message="Thank you. Go on.", fresh_until=fresh_until)
