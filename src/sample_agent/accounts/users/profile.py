"""Use cases of who one says one is."""

from __future__ import annotations

from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import SessionExpired
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import User
from sample_agent.accounts.principal import Principal


async def change_names(
    identity: Identity, principal: Principal, *, first_name: str | None, last_name: str | None, client: Client
) -> None:
    """Change the names that are given; None leaves one as it is. What changes nothing is not recorded."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user = await db.get(User, principal.user_id, with_for_update=True)
        if user is None:
            raise SessionExpired
        given = {"first_name": first_name, "last_name": last_name}
        changed = {name: value for name, value in given.items() if value is not None and value != getattr(user, name)}
        if not changed:
            return
        for name, value in changed.items():
            setattr(user, name, value)
        await record(
            db,
            Action.ACCOUNT_CHANGED,
            tenant_id=user.id,
            actor=Actor.of(principal, client),
            detail={"fields": sorted(changed)},
            now=now,
        )
