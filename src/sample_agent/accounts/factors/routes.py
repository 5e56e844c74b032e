"""HTTP of second factors. No API key reaches them."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from sample_agent.accounts.caller import FreshlySignedIn, SignedIn
from sample_agent.accounts.client import OfClient
from sample_agent.accounts.factors import service
from sample_agent.accounts.factors.schemas import (
    FirstRecoveryCodes,
    NewPasskey,
    NewTotp,
    PasskeyAdded,
    PasskeyChallenge,
    PasskeyChange,
    PasskeyFactor,
    RecoveryCodes,
    SecondFactors,
    TotpConfirmation,
    digits,
)
from sample_agent.accounts.factors.totp import qr_svg
from sample_agent.accounts.identity import OfApp

router = APIRouter(tags=["accounts"])


@router.get("/api/account/factors")
async def get_factors(principal: SignedIn, identity: OfApp, response: Response) -> SecondFactors:
    """What you can prove yourself with beyond the password."""
    _keep_to_yourself(response)
    return SecondFactors.of(await service.factors_of(identity, principal.user_id))


@router.post("/api/account/factors/totp")
async def begin_totp(principal: FreshlySignedIn, identity: OfApp, response: Response) -> NewTotp:
    """Begin to set up an authenticator app; confirm it with a code within a quarter of an hour."""
    _keep_to_yourself(response)
    app = await service.begin_app(identity, principal)
    return NewTotp(secret=app.seed, uri=app.uri, qr_svg=qr_svg(app.uri))


@router.post("/api/account/factors/totp/confirm")
async def confirm_totp(
    body: TotpConfirmation, principal: SignedIn, identity: OfApp, client: OfClient, response: Response
) -> FirstRecoveryCodes:
    """Set up the app whose code this is. It takes the place of one that was set up before."""
    _keep_to_yourself(response)
    codes = await service.confirm_app(identity, principal, client, digits(body.code))
    return FirstRecoveryCodes(recovery_codes=codes)


@router.delete("/api/account/factors/totp", status_code=204)
async def remove_totp(principal: FreshlySignedIn, identity: OfApp, client: OfClient) -> None:
    """Remove the authenticator app."""
    await service.remove_app(identity, principal, client)


@router.post("/api/account/factors/recovery-codes")
async def renew_recovery_codes(
    principal: FreshlySignedIn, identity: OfApp, client: OfClient, response: Response
) -> RecoveryCodes:
    """Make new recovery codes; the ones before stop working."""
    _keep_to_yourself(response)
    return RecoveryCodes(recovery_codes=await service.renew_recovery_codes(identity, principal, client))


@router.post("/api/account/factors/passkeys/options")
async def begin_passkey(principal: FreshlySignedIn, identity: OfApp, response: Response) -> PasskeyChallenge:
    """Begin to add a passkey: what the browser needs to make one."""
    _keep_to_yourself(response)
    challenge, options = await service.begin_passkey(identity, principal)
    return PasskeyChallenge(challenge=challenge, options=options)


@router.post("/api/account/factors/passkeys")
async def add_passkey(
    body: NewPasskey, principal: SignedIn, identity: OfApp, client: OfClient, response: Response
) -> PasskeyAdded:
    """Add the passkey that the browser made."""
    _keep_to_yourself(response)
    passkey, codes = await service.add_passkey(
        identity,
        principal,
        client,
        challenge=body.challenge.get_secret_value(),
        credential=body.credential,
        name=body.name,
    )
    return PasskeyAdded(**PasskeyFactor.of(passkey).model_dump(), recovery_codes=codes)


@router.patch("/api/account/factors/passkeys/{passkey_id}")
async def rename_passkey(
    passkey_id: UUID, body: PasskeyChange, principal: SignedIn, identity: OfApp, client: OfClient, response: Response
) -> PasskeyFactor:
    """Give a passkey another name."""
    _keep_to_yourself(response)
    return PasskeyFactor.of(await service.rename_passkey(identity, principal, client, passkey_id, body.name))


@router.delete("/api/account/factors/passkeys/{passkey_id}", status_code=204)
async def remove_passkey(passkey_id: UUID, principal: FreshlySignedIn, identity: OfApp, client: OfClient) -> None:
    """Remove a passkey."""
    await service.remove_passkey(identity, principal, client, passkey_id)


def _keep_to_yourself(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"
