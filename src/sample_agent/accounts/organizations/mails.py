"""The mails of organizations: what each says when it is due.

The name of an organization is what somebody typed; it stands in them only as `quoted` lets it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.mailing import Composed, Composer, Letter, MailResources
from sample_agent.accounts.models import User
from sample_agent.accounts.organizations import notices
from sample_agent.accounts.organizations.invitations import LIFETIME, invitation_token, is_open
from sample_agent.accounts.organizations.membership import Role
from sample_agent.accounts.organizations.models import Invitation, Organization
from sample_agent.accounts.organizations.quoting import quoted

_IN_WORDS = {Role.MEMBER: "a member", Role.ADMIN: "an administrator", Role.OWNER: "the owner"}


async def invitation(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """The link to an invitation that is still open; the same for whoever has an account and whoever has none."""
    invitation_id = UUID(letter.data["invitation_id"])
    row = (
        await db.execute(
            select(Organization.name, Invitation.role)
            .join(Invitation, Invitation.organization_id == Organization.id)
            .where(Invitation.id == invitation_id, is_open(resources.now()))
        )
    ).one_or_none()
    if row is None:
        return None
    query = urlencode({"token": invitation_token(resources.signing_key, invitation_id)})
    return notices.INVITATION, {
        "link": f"{resources.public_url}/invitation?{query}",
        "organization": quoted(row.name),
        "role": _IN_WORDS[Role(row.role)],
        "days": LIFETIME.days,
    }


def notice(template: str) -> Composer:
    """Composes the notice of this name from what was known when it was asked for, as long as its reader has the
    account."""

    async def compose(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
        reads = await db.scalar(select(User.id).where(User.id == letter.user_id, User.is_active))
        return None if reads is None else (template, _in_words(letter.data, resources))

    return compose


def _in_words(data: Any, resources: MailResources) -> dict[str, Any]:
    context: dict[str, Any] = dict(data) | {"organization": quoted(data["organization"]), "link": resources.public_url}
    if "role" in data:
        context["role"] = _IN_WORDS[Role(data["role"])]
    if "at" in data:
        context["at"] = f"{datetime.fromisoformat(data['at']).astimezone(UTC):%d %B %Y at %H:%M} UTC"
    return context


COMPOSERS: dict[str, Composer] = {
    notices.INVITATION: invitation,
    notices.JOINED: notice(notices.JOINED),
    notices.REMOVED: notice(notices.REMOVED),
    notices.ROLE_CHANGED: notice(notices.ROLE_CHANGED),
    notices.TRANSFERRED: notice(notices.TRANSFERRED),
    notices.DELETED: notice(notices.DELETED),
}
"""Who composes which mail."""
