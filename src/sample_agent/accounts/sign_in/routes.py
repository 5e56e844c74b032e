"""HTTP of signing in."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from sample_agent.accounts.client import OfClient
from sample_agent.accounts.identity import OfApp
from sample_agent.accounts.sessions.browser import hand_over
from sample_agent.accounts.sessions.schemas import SignedIn
from sample_agent.accounts.sign_in import service
from sample_agent.accounts.sign_in.schemas import Login

router = APIRouter(tags=["accounts"])


@router.post("/api/auth/login", response_model_exclude_none=True)
async def login(body: Login, request: Request, response: Response, identity: OfApp, client: OfClient) -> SignedIn:
    """Sign in with e-mail address and password."""
    sign_in = await service.login(identity, email=body.email, password=body.password.get_secret_value(), client=client)
    return hand_over(sign_in, request, response, identity, in_cookie=body.mode == "cookie")
