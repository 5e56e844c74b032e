"""HTTP of what people set up for themselves: their preferences and their picture."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from sample_agent.accounts.caller import CurrentUser, SignedIn
from sample_agent.accounts.client import Client, OfClient
from sample_agent.accounts.identity import Identity, OfApp
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.second_factor import has_second_factor
from sample_agent.accounts.sessions.schemas import UserProfile
from sample_agent.accounts.stored import OfStorage
from sample_agent.accounts.users import avatar, preferences
from sample_agent.accounts.users.profile_schemas import PreferencesChange, PreferencesShown
from sample_agent.core.errors import NotFound
from sample_agent.core.request_body import streams_body
from sample_agent.core.storage import ObjectMissing, Storage

router = APIRouter(tags=["accounts"])

PICTURE_SENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in ("image/png", "image/jpeg", "image/webp", "image/gif")
        },
    }
}
PICTURE_SHOWN: dict[int | str, dict[str, Any]] = {
    200: {"content": {avatar.CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("/api/account/preferences")
async def get_preferences(principal: CurrentUser, identity: OfApp, response: Response) -> PreferencesShown:
    """What you prefer, and the models you can choose from."""
    async with identity.database.transaction(principal.user_id) as db:
        preferred = await preferences.preferences_of(db, principal.user_id)
    response.headers["Cache-Control"] = "no-store"
    return PreferencesShown.of(preferred, principal.tier)


@router.put("/api/account/preferences")
async def set_preferences(
    body: PreferencesChange, principal: SignedIn, identity: OfApp, response: Response
) -> PreferencesShown:
    """Change what you prefer."""
    preferred = body.preferred()
    async with identity.database.transaction(principal.user_id) as db:
        await preferences.prefer(db, principal.user_id, preferred, principal.tier)
    response.headers["Cache-Control"] = "no-store"
    return PreferencesShown.of(preferred, principal.tier)


@router.put("/api/account/avatar", openapi_extra=PICTURE_SENT)
@streams_body
async def set_avatar(
    request: Request, response: Response, principal: SignedIn, identity: OfApp, client: OfClient, storage: OfStorage
) -> UserProfile:
    """Change your picture. The body is the picture itself; a square of 256 pixels is kept of its middle."""
    announced = request.headers.get("content-length", "")
    content = await avatar.receive(request.stream(), int(announced) if announced.isdecimal() else None)
    return await _changed(response, identity, storage, principal, client, await avatar.redraw(content))


@router.delete("/api/account/avatar")
async def delete_avatar(
    response: Response, principal: SignedIn, identity: OfApp, client: OfClient, storage: OfStorage
) -> UserProfile:
    """Remove your picture."""
    return await _changed(response, identity, storage, principal, client, None)


@router.get("/api/avatars/{user_id}/{picture}", response_class=Response, responses=PICTURE_SHOWN)
async def get_avatar(user_id: UUID, picture: str, storage: OfStorage) -> Response:
    """Somebody's picture, at the address that their profile names; another picture has another address."""
    key = avatar.key_of(user_id, picture)
    if key is None:
        raise NotFound("There is no such picture.")
    try:
        content = await storage.read(key)
    except ObjectMissing as error:
        raise NotFound("There is no such picture.") from error
    headers = {
        # Only in browsers: what lies in a cache between could not be erased with the account.
        "Cache-Control": "private, max-age=604800, immutable",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=avatar.CONTENT_TYPE, headers=headers)


async def _changed(
    response: Response,
    identity: Identity,
    storage: Storage,
    principal: Principal,
    client: Client,
    picture: bytes | None,
) -> UserProfile:
    user = await avatar.change(identity, storage, principal, client, picture)
    async with identity.database.transaction(principal.user_id) as db:
        second_factor = bool(await db.scalar(select(has_second_factor(principal.user_id))))
    response.headers["Cache-Control"] = "no-store"
    return UserProfile.of(user, principal.tier, second_factor=second_factor)
