"""Use cases of who one says one is."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import SessionExpired
from sample_agent.accounts.holding import hold_person
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import User
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.second_factor import has_second_factor
from sample_agent.accounts.sessions.schemas import UserProfile
from sample_agent.core.database import single

_PROFILE = single(
    select(
        User.id,
        User.email,
        User.first_name,
        User.last_name,
        User.avatar_url,
        User.is_superuser,
        User.created_at,
        User.delete_after,
        User.mail_refused_at,
        has_second_factor(User.id).label("second_factor"),
    ).where(User.id == bindparam("user_id"))
)


async def profile_of(identity: Identity, principal: Principal) -> UserProfile:
    """Who the caller is. Raises SessionExpired when they are no more."""
    user = await identity.database.row(_PROFILE, principal.user_id)
    if user is None:
        raise SessionExpired
    return UserProfile.of(
        user,
        principal.tier,
        second_factor=user.second_factor,
        impersonated_by=await _impersonator(identity, principal),
    )


async def _impersonator(identity: Identity, principal: Principal) -> str | None:
    if principal.impersonator_id is None:
        return None
    async with identity.database.transaction(purpose="identity") as db:
        email: str | None = await db.scalar(select(User.email).where(User.id == principal.impersonator_id))
    return email


async def change_names(
    identity: Identity, principal: Principal, *, first_name: str | None, last_name: str | None, client: Client
) -> None:
    """Change the names that are given; None leaves one as it is. What changes nothing is not recorded."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user = await hold_person(db, principal.user_id)
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
