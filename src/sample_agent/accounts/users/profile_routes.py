"""HTTP of what people set up for themselves: their preferences and their picture."""

from __future__ import annotations

from fastapi import APIRouter, Response

from sample_agent.accounts.caller import CurrentUser, SignedIn
from sample_agent.accounts.identity import OfApp
from sample_agent.accounts.users import preferences
from sample_agent.accounts.users.profile_schemas import PreferencesChange, PreferencesShown

router = APIRouter(tags=["accounts"])


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
