"""Whether somebody signs in from where they have signed in before.

A device is known by its label ("Chrome on Windows") in its neighbourhood (/24 or /64) for 90 days after it was last
used. Nothing has to stay in the browser for that, and it holds for programs, too. A household that gets a new network
is told once more, and a stranger next door with the same browser is taken for known: the lesser evils.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action
from sample_agent.accounts.audit.models import AuditEntry
from sample_agent.accounts.client import Client
from sample_agent.accounts.device import device_label, neighbourhood
from sample_agent.accounts.models import Session

KNOWN_FOR = timedelta(days=90)

_MOST_LOOKED_AT = 1000


async def is_unknown_device(db: AsyncSession, user_id: UUID, client: Client, now: datetime) -> bool:
    """Whether the person has signed in before, but not from such a device in such a network.

    Call it before the new session is added. The first sign-in of an account is not unknown: there is nobody to warn.
    """
    earlier = await db.execute(
        select(Session.user_agent, Session.ip_address)
        .where(Session.user_id == user_id, Session.impersonator_id.is_(None), Session.last_used_at > now - KNOWN_FOR)
        .distinct()
        .limit(_MOST_LOOKED_AT)
    )
    places = {_place(Client(row.user_agent, row.ip_address)) for row in earlier}
    if places:
        return _place(client) not in places
    return bool(
        await db.scalar(
            select(exists().where(AuditEntry.tenant_id == user_id, AuditEntry.action == Action.SIGNED_IN.value))
        )
    )


def _place(client: Client) -> tuple[str, str]:
    return device_label(client.user_agent), neighbourhood(client.ip_address)
