"""Use cases of invitations: make, list and withdraw them, look at one, accept, decline.

The token in the mailed link is computed from the invitation's id and the signing key, so it lies nowhere but in the
mail, and a mail that has to be sent a second time after a failure carries the same link.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import audit
from sample_agent.accounts.audit import Action, Actor, Subject
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import (
    AlreadyMember,
    InvitationForSomebodyElse,
    InvitationLimitReached,
    MemberLimitReached,
    OneTimeTokenSpent,
)
from sample_agent.accounts.holding import hold_person
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import User
from sample_agent.accounts.organizations import notices
from sample_agent.accounts.organizations.holding import (
    hold_as,
    hold_organization,
    refuse_one_too_many,
)
from sample_agent.accounts.organizations.invitation_limits import refuse_too_many_mails
from sample_agent.accounts.organizations.membership import Role, require_role, role_of
from sample_agent.accounts.organizations.models import Invitation, Membership, Organization
from sample_agent.accounts.principal import Principal
from sample_agent.core.errors import NotFound
from sample_agent.core.identifiers import new_id

LIFETIME = timedelta(days=7)

MOST_MEMBERS = 100
"""How many can belong to one organization."""

MOST_OPEN = 50
"""How many invitations of one organization can wait for an answer."""


@dataclass(frozen=True)
class InvitationMade:
    """An open invitation, as administrators of the organization see it."""

    id: UUID
    email: str
    role: Role
    invited_by: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class InvitationReceived:
    """An open invitation, as the person sees it whom it asks."""

    id: UUID
    organization: str
    role: Role
    invited_by: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Preview:
    """What a link tells whoever holds it."""

    organization: str
    role: Role


@dataclass(frozen=True)
class Joined:
    """What was joined."""

    id: UUID
    name: str
    role: Role


def invitation_token(key: bytes, invitation_id: UUID) -> str:
    """The token of this id; only who holds the key can compute it."""
    digest = hmac.digest(key, b"invitation\0" + invitation_id.bytes, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_open(now: datetime) -> ColumnElement[bool]:
    """Whether an invitation waits for an answer."""
    return and_(Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > now)


async def invite(
    identity: Identity, principal: Principal, client: Client, organization_id: UUID, *, email: str, role: Role
) -> InvitationMade:
    """Ask an address to join, in place of an earlier invitation to it. For administrators; `role` is not the owner's.

    Whether there is an account with this address changes nothing that is done or answered. Raises AlreadyMember, which
    the list of members tells as well, InvitationLimitReached, MemberLimitReached, and RateLimited.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        await require_role(db, organization_id, principal.user_id, Role.ADMIN)
        inviter = await hold_person(db, principal.user_id)
        await hold_as(db, organization_id, principal.user_id, Role.ADMIN)
        await refuse_too_many_mails(db, identity.settings, principal.user_id, email, now)
        await _refuse_member(db, organization_id, email)
        await _refuse_full(db, organization_id)
        await db.execute(
            update(Invitation)
            .where(
                Invitation.organization_id == organization_id,
                Invitation.email == email,
                Invitation.accepted_at.is_(None),
                Invitation.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=now)
        )
        await _refuse_more_open(db, organization_id, now)
        invitation = Invitation(
            id=(invitation_id := new_id()),
            organization_id=organization_id,
            user_id=principal.user_id,
            email=email,
            role=role.value,
            token_hash=_hash(invitation_token(identity.refresh_key, invitation_id)),
            created_at=now,
            expires_at=now + LIFETIME,
        )
        db.add(invitation)
        await queue_mail(db, notices.INVITATION, to=email, data={"invitation_id": str(invitation_id)})
        await audit.record(
            db,
            Action.MEMBER_INVITED,
            tenant_id=organization_id,
            actor=Actor.of(principal, client),
            subject=Subject("invitation", invitation_id),
            detail={"email": email, "role": role.value},
            now=now,
        )
        return _made(invitation, inviter.email)


async def list_invitations(identity: Identity, user_id: UUID, organization_id: UUID) -> list[InvitationMade]:
    """The open invitations of an organization, newest first. For administrators."""
    async with identity.database.transaction(purpose="identity") as db:
        await require_role(db, organization_id, user_id, Role.ADMIN)
        rows = await db.execute(
            select(Invitation, User.email)
            .join(User, User.id == Invitation.user_id)
            .where(Invitation.organization_id == organization_id, is_open(identity.now()))
            .order_by(Invitation.id.desc())
        )
        return [_made(invitation, inviter) for invitation, inviter in rows]


async def withdraw(
    identity: Identity, principal: Principal, client: Client, organization_id: UUID, invitation_id: UUID
) -> None:
    """Take an open invitation back: its link works no longer. For administrators."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        await hold_as(db, organization_id, principal.user_id, Role.ADMIN)
        invitation = await _open_invitation(db, invitation_id, now)
        if invitation is None or invitation.organization_id != organization_id:
            raise _no_such_invitation()
        await _end(db, invitation, Action.INVITATION_WITHDRAWN, Actor.of(principal, client), now)


async def preview(identity: Identity, *, token: str) -> Preview:
    """What the link asks for, for whoever holds it. Raises OneTimeTokenSpent."""
    async with identity.database.transaction(purpose="identity") as db:
        row = (
            await db.execute(
                select(Organization.name, Invitation.role)
                .join(Invitation, Invitation.organization_id == Organization.id)
                .where(Invitation.token_hash == _hash(token), is_open(identity.now()))
            )
        ).one_or_none()
    if row is None:
        raise OneTimeTokenSpent
    return Preview(row.name, Role(row.role))


async def received(identity: Identity, user_id: UUID) -> list[InvitationReceived]:
    """The open invitations to the person's address, newest first."""
    inviter, invited = User.__table__.alias("inviter"), User.__table__.alias("invited")
    async with identity.database.transaction(purpose="identity") as db:
        rows = await db.execute(
            select(
                Invitation.id,
                Organization.name,
                Invitation.role,
                inviter.c.email,
                Invitation.created_at,
                Invitation.expires_at,
            )
            .join(Organization, Organization.id == Invitation.organization_id)
            .join(inviter, inviter.c.id == Invitation.user_id)
            .join(invited, invited.c.email == Invitation.email)
            .where(invited.c.id == user_id, invited.c.email_verified_at.is_not(None), is_open(identity.now()))
            .order_by(Invitation.id.desc())
        )
        return [
            InvitationReceived(row.id, row.name, Role(row.role), row.email, row.created_at, row.expires_at)
            for row in rows
        ]


async def accept_by_token(identity: Identity, principal: Principal, client: Client, *, token: str) -> Joined:
    """Join by the link in the mail, signed in with the address it was sent to.

    Raises OneTimeTokenSpent, InvitationForSomebodyElse, OrganizationLimitReached and MemberLimitReached.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        invitation_id: UUID | None = await db.scalar(
            select(Invitation.id).where(Invitation.token_hash == _hash(token), is_open(now))
        )
        held = await _hold_invitation(db, principal.user_id, invitation_id, now) if invitation_id else None
        if held is None:
            raise OneTimeTokenSpent
        if not held.is_for_person:
            raise InvitationForSomebodyElse
        return await _join(db, held, Actor.of(principal, client), now)


async def accept(identity: Identity, principal: Principal, client: Client, invitation_id: UUID) -> Joined:
    """Join by an invitation that `received` lists.

    Raises NotFound, OrganizationLimitReached and MemberLimitReached.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        held = await _own_invitation(db, principal.user_id, invitation_id, now)
        return await _join(db, held, Actor.of(principal, client), now)


async def decline(identity: Identity, principal: Principal, client: Client, invitation_id: UUID) -> None:
    """Turn down an invitation that `received` lists. Raises NotFound."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        held = await _own_invitation(db, principal.user_id, invitation_id, now)
        await _end(db, held.invitation, Action.INVITATION_DECLINED, Actor.of(principal, client), now)


@dataclass(frozen=True)
class _Held:
    """An open invitation, whose organization is held, and the person who answers it."""

    invitation: Invitation
    organization: Organization
    person: User

    @property
    def is_for_person(self) -> bool:
        return self.person.email == self.invitation.email and self.person.email_verified_at is not None


async def _hold_invitation(db: AsyncSession, user_id: UUID, invitation_id: UUID, now: datetime) -> _Held | None:
    organization_id = await db.scalar(select(Invitation.organization_id).where(Invitation.id == invitation_id))
    if organization_id is None:
        return None
    person = await hold_person(db, user_id)
    organization = await hold_organization(db, organization_id)
    invitation = await _open_invitation(db, invitation_id, now)
    if organization is None or invitation is None:
        return None
    return _Held(invitation, organization, person)


async def _own_invitation(db: AsyncSession, user_id: UUID, invitation_id: UUID, now: datetime) -> _Held:
    theirs = await db.scalar(
        select(Invitation.id)
        .join(User, User.email == Invitation.email)
        .where(Invitation.id == invitation_id, User.id == user_id)
    )
    held = await _hold_invitation(db, user_id, invitation_id, now) if theirs else None
    if held is None or not held.is_for_person:
        raise _no_such_invitation()
    return held


async def _join(db: AsyncSession, held: _Held, actor: Actor, now: datetime) -> Joined:
    invitation, organization, user_id = held.invitation, held.organization, held.person.id
    role = await role_of(db, organization.id, user_id)
    if role is None:
        role = Role(invitation.role)
        await refuse_one_too_many(db, user_id)
        await _refuse_full(db, organization.id)
        db.add(Membership(organization_id=organization.id, user_id=user_id, role=role.value, joined_at=now))
    # Else they came under another address before, and stay what they are.
    invitation.accepted_at = now
    await notices.tell(db, invitation.user_id, notices.JOINED, organization=organization.name, invited=invitation.email)
    await audit.record(
        db,
        Action.MEMBER_JOINED,
        tenant_id=organization.id,
        actor=actor,
        subject=Subject("invitation", invitation.id),
        detail={"email": invitation.email, "role": role.value},
        now=now,
    )
    return Joined(organization.id, organization.name, role)


async def _end(db: AsyncSession, invitation: Invitation, action: Action, actor: Actor, now: datetime) -> None:
    invitation.withdrawn_at = now
    await audit.record(
        db,
        action,
        tenant_id=invitation.organization_id,
        actor=actor,
        subject=Subject("invitation", invitation.id),
        detail={"email": invitation.email},
        now=now,
    )


async def _open_invitation(db: AsyncSession, invitation_id: UUID, now: datetime) -> Invitation | None:
    """The invitation as it is now; its organization is held, or it may change at once."""
    found: Invitation | None = await db.scalar(
        select(Invitation).where(Invitation.id == invitation_id, is_open(now)).execution_options(populate_existing=True)
    )
    return found


async def _refuse_member(db: AsyncSession, organization_id: UUID, email: str) -> None:
    member = await db.scalar(
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organization_id == organization_id, User.email == email)
    )
    if member is not None:
        raise AlreadyMember


async def _refuse_full(db: AsyncSession, organization_id: UUID) -> None:
    members = await db.scalar(
        select(func.count()).select_from(Membership).where(Membership.organization_id == organization_id)
    )
    if (members or 0) >= MOST_MEMBERS:
        raise MemberLimitReached(
            f"An organization can have {MOST_MEMBERS} members and no more.", extra={"limit": MOST_MEMBERS}
        )


async def _refuse_more_open(db: AsyncSession, organization_id: UUID, now: datetime) -> None:
    waiting = await db.scalar(
        select(func.count()).select_from(Invitation).where(Invitation.organization_id == organization_id, is_open(now))
    )
    if (waiting or 0) >= MOST_OPEN:
        raise InvitationLimitReached(
            f"{MOST_OPEN} invitations can wait for an answer and no more.", extra={"limit": MOST_OPEN}
        )


def _made(invitation: Invitation, inviter: str) -> InvitationMade:
    return InvitationMade(
        invitation.id,
        invitation.email,
        Role(invitation.role),
        inviter,
        invitation.created_at,
        invitation.expires_at,
    )


def _no_such_invitation() -> NotFound:
    return NotFound("There is no such invitation.")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
