"""HTTP of API keys. A key reaches none of this: keys are made and ended by people."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from sample_agent.accounts.api_keys import service
from sample_agent.accounts.api_keys.schemas import ApiKeys, ApiKeyView, MadeApiKey, NewApiKey, Rotation
from sample_agent.accounts.caller import FreshlySignedIn, SignedIn
from sample_agent.accounts.client import OfClient
from sample_agent.accounts.identity import OfApp
from sample_agent.core.cursors import Cursor

router = APIRouter(prefix="/api/user/api-keys", tags=["accounts"])


@router.get("")
async def list_api_keys(
    principal: SignedIn,
    identity: OfApp,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Cursor | None = None,
) -> ApiKeys:
    """The person's API keys, newest first, without those that were revoked."""
    keys, next_cursor = await service.list_keys(identity, principal.user_id, limit=limit, cursor=cursor)
    response.headers["Cache-Control"] = "no-store"
    return ApiKeys(api_keys=[ApiKeyView.of(key) for key in keys], next_cursor=next_cursor)


@router.post("", status_code=201)
async def create_api_key(
    body: NewApiKey, principal: FreshlySignedIn, identity: OfApp, client: OfClient, response: Response
) -> MadeApiKey:
    """Make an API key; the answer is the only place where it is ever shown."""
    made = await service.create_key(
        identity,
        principal,
        client,
        name=body.name,
        scopes=body.scopes,
        expires_in=timedelta(days=body.expires_in_days) if body.expires_in_days is not None else None,
        requests_per_minute=body.requests_per_minute,
    )
    return _shown_once(made, response)


@router.post("/{api_key_id}/rotate", status_code=201)
async def rotate_api_key(
    api_key_id: UUID,
    body: Rotation,
    principal: FreshlySignedIn,
    identity: OfApp,
    client: OfClient,
    response: Response,
) -> MadeApiKey:
    """Make a key in the place of another, which goes on working for `overlap_days` at most.

    The new key has the name, the scopes, the limit and the lifetime of the old one, counted from now.
    """
    overlap = timedelta(days=body.overlap_days)
    return _shown_once(await service.rotate_key(identity, principal, client, api_key_id, overlap=overlap), response)


@router.delete("/{api_key_id}", status_code=204)
async def revoke_api_key(api_key_id: UUID, principal: SignedIn, identity: OfApp, client: OfClient) -> None:
    """End an API key; within a second it works nowhere any more."""
    await service.revoke_key(identity, principal, client, api_key_id)


def _shown_once(made: service.Made, response: Response) -> MadeApiKey:
    response.headers["Cache-Control"] = "no-store"
    return MadeApiKey(key=made.key, api_key=ApiKeyView.of(made.listed))
