"""All routes for administrators, behind the list of networks they may be used from."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from sample_agent.accounts import identity_of
from sample_agent.admin.audit import routes as audit
from sample_agent.admin.errors import NotFromHere
from sample_agent.admin.impersonation import routes as impersonation
from sample_agent.admin.networks import is_allowed
from sample_agent.admin.people import routes as people


async def _from_an_allowed_network(request: Request) -> None:
    if not is_allowed(request, identity_of(request).settings):
        raise NotFromHere


router = APIRouter(dependencies=[Depends(_from_an_allowed_network)])
for room in (people, impersonation, audit):
    router.include_router(room.router)
