"""Whether somebody signs in from where they have signed in before.

A browser is known by the cookie it was given when the account was last signed in to with it, wherever it is now.
Anything else is known by its label ("Chrome on Windows") in its neighbourhood (/24 or /64) for 90 days after it was
last used: nothing has to stay there for that, and it holds for programs, too. A stranger next door with the same
browser is taken for known: the lesser evil beside a mail at every sign-in of whoever keeps no cookies.

A change of password or address makes everything unknown but where the person has stayed signed in: whoever is shut out
with it does not come back unnoticed.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action
from sample_agent.accounts.audit.models import AuditEntry
from sample_agent.accounts.client import Client
from sample_agent.accounts.device import device_label, neighbourhood
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import Session, User
from sample_agent.accounts.sessions.devices import is_known_device

KNOWN_FOR = timedelta(days=90)

_MOST_LOOKED_AT = 1000


async def is_unknown_device(db: AsyncSession, identity: Identity, user: User, client: Client) -> bool:
    """Whether the person has signed in before, but neither with this browser nor from such a device in such a network.

    Call it before the new session is added. The first sign-in of an account is not unknown: there is nobody to warn.
    """
    if is_known_device(identity.refresh_key, client.device, user):
        return False
    user_id, now = user.id, identity.now()
    earlier = select(Session.user_agent, Session.ip_address).where(
        Session.user_id == user_id, Session.impersonator_id.is_(None), Session.last_used_at > now - KNOWN_FOR
    )
    if user.credentials_id is not None:
        lives = and_(Session.revoked_at.is_(None), Session.expires_at > now)
        earlier = earlier.where(or_(lives, Session.id > user.credentials_id))
    found = await db.execute(earlier.distinct().limit(_MOST_LOOKED_AT))
    places = {_place(Client(row.user_agent, row.ip_address)) for row in found}
    if places:
        return _place(client) not in places
    return bool(
        await db.scalar(
            select(exists().where(AuditEntry.tenant_id == user_id, AuditEntry.action == Action.SIGNED_IN.value))
        )
    )


def _place(client: Client) -> tuple[str, str]:
    return device_label(client.user_agent), neighbourhood(client.ip_address)
