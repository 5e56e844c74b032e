"""All routes of identity."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from sample_agent.accounts.activity import routes as activity
from sample_agent.accounts.api_keys import routes as api_keys
from sample_agent.accounts.factors import routes as factors
from sample_agent.accounts.organizations import routes as organizations
from sample_agent.accounts.privacy import routes as privacy
from sample_agent.accounts.sessions import routes as sessions
from sample_agent.accounts.sign_in import routes as sign_in
from sample_agent.accounts.signing import routes as signing
from sample_agent.accounts.strangers import limit_strangers
from sample_agent.accounts.users import profile_routes as profiles
from sample_agent.accounts.users import routes as users

router = APIRouter(dependencies=[Depends(limit_strangers)])
for room in (users, profiles, sign_in, factors, sessions, signing, api_keys, activity, organizations, privacy):
    router.include_router(room.router)
