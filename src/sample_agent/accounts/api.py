"""All routes of identity."""

from __future__ import annotations

from fastapi import APIRouter

from sample_agent.accounts.sessions import routes as sessions
from sample_agent.accounts.sign_in import routes as sign_in
from sample_agent.accounts.signing import routes as signing
from sample_agent.accounts.users import routes as users

router = APIRouter()
for room in (users, sign_in, sessions, signing):
    router.include_router(room.router)
