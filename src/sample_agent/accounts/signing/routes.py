"""HTTP of the public keys."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse

from sample_agent.accounts.identity import OfApp

router = APIRouter(tags=["accounts"])

# Together less than a new key waits before it signs.
_PUBLIC_KEY_CACHE = {"Cache-Control": "public, max-age=300, stale-while-revalidate=60"}


class PemResponse(PlainTextResponse):
    media_type = "application/x-pem-file"


@router.get("/.well-known/jwks.json")
async def get_jwks(identity: OfApp) -> JSONResponse:
    """The public keys that verify access tokens, as a JSON Web Key Set."""
    return JSONResponse(identity.keys.jwks(), headers=_PUBLIC_KEY_CACHE)


@router.get("/api/auth/public-key", response_class=PemResponse)
async def get_public_key(identity: OfApp) -> PemResponse:
    """The public keys that verify access tokens as PEM, one after another, the one that signs now first."""
    return PemResponse(identity.keys.pem(), headers=_PUBLIC_KEY_CACHE)
