"""What the accounts keep of a person: who they are, how they sign in, what happened, and what they were mailed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit.models import AuditContext, AuditEntry
from sample_agent.accounts.audit.search import Recorded
from sample_agent.accounts.factors.models import RecoveryCode
from sample_agent.accounts.mail_log import MailRecord
from sample_agent.accounts.models import ApiKey, Authenticator, Entitlement, Passkey, Session, User
from sample_agent.accounts.organizations.models import Invitation, Membership, Organization
from sample_agent.accounts.privacy.models import DataExport
from sample_agent.accounts.privacy.portions import OwnFile, Part, Portion, Row, table_part
from sample_agent.accounts.sign_in.models import RefusedSignIns
from sample_agent.accounts.users import avatar
from sample_agent.accounts.users.models import OneTimeToken, Preferences
from sample_agent.core.database import Database

EXPORTS = "exports"
"""The folder of the archives in storage."""


async def _activity(db: AsyncSession, user_id: UUID) -> AsyncIterator[Row]:
    entries = (
        select(AuditEntry, AuditContext)
        .outerjoin(AuditContext, AuditContext.entry_id == AuditEntry.id)
        .where(AuditEntry.tenant_id == user_id)
        .order_by(AuditEntry.position)
    )
    async for row in await db.stream(entries.execution_options(yield_per=200)):
        recorded = Recorded(*row)
        entry, context = recorded.entry, recorded.context
        from_where = context if entry.is_by(user_id) else None
        yield {
            "at": entry.at,
            "action": entry.action,
            "actor_kind": entry.actor_kind,
            "actor_id": entry.actor_id if entry.is_by(user_id) else None,
            "subject_kind": entry.subject_kind,
            "subject_id": entry.subject_id,
            "ip_address": from_where.ip_address if from_where else None,
            "user_agent": from_where.user_agent if from_where else None,
            "detail": context.detail if context else None,
        }


async def _organizations(db: AsyncSession, user_id: UUID) -> AsyncIterator[Row]:
    joined = (
        select(Organization.id, Organization.name, Membership.role, Membership.joined_at)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.joined_at)
    )
    for row in await db.execute(joined):
        yield dict(row._mapping)


async def _invitations(db: AsyncSession, user_id: UUID) -> AsyncIterator[Row]:
    address = select(User.email).where(User.id == user_id).scalar_subquery()
    received = (
        select(Organization.name.label("organization"), Invitation.role, Invitation.created_at, Invitation.accepted_at)
        .join(Organization, Organization.id == Invitation.organization_id)
        .where(Invitation.email == address)
        .order_by(Invitation.id)
    )
    for row in await db.execute(received):
        yield dict(row._mapping)


async def _mails(db: AsyncSession, user_id: UUID) -> AsyncIterator[Row]:
    address = select(User.email).where(User.id == user_id).scalar_subquery()
    sent = (
        select(MailRecord.mail, MailRecord.email, MailRecord.status, MailRecord.created_at, MailRecord.sent_at)
        .where(or_(MailRecord.user_id == user_id, MailRecord.email == address))
        .order_by(MailRecord.id)
    )
    for row in await db.execute(sent):
        yield dict(row._mapping)


PARTS = (
    table_part("account/profile", "Who you are here.", User, leave_out=("password_hash", "credentials_id"), owner="id"),
    table_part("account/preferences", "What you prefer, if you ever changed it.", Preferences),
    table_part("account/plan", "Your plan, if it is not the usual one.", Entitlement),
    table_part(
        "account/sessions",
        "Where you are or were signed in.",
        Session,
        leave_out=("impersonator_id", "impersonator_session_id"),
    ),
    table_part("account/api-keys", "Your API keys, without the keys themselves.", ApiKey, leave_out=("key_hash",)),
    table_part(
        "account/authenticator",
        "Your authenticator app, without its secret.",
        Authenticator,
        leave_out=("sealed_seed", "last_step"),
    ),
    table_part("account/passkeys", "Your passkeys.", Passkey, leave_out=("credential_id", "public_key")),
    table_part(
        "account/recovery-codes",
        "When your recovery codes were made and used.",
        RecoveryCode,
        leave_out=("sealed_hash",),
    ),
    table_part("account/mailed-links", "Links that were mailed to you.", OneTimeToken, leave_out=("token_hash",)),
    table_part("account/refused-sign-ins", "How often signing in as you was refused lately.", RefusedSignIns),
    Part("account/organizations", "The teams you belong to.", _organizations, ("organizations", "memberships")),
    table_part(
        "account/invitations-made", "Invitations to teams that you sent.", Invitation, leave_out=("token_hash",)
    ),
    Part("account/invitations-received", "Invitations to teams that were sent to you.", _invitations, ("invitations",)),
    Part(
        "account/activity",
        "What happened to your account, and from where.",
        _activity,
        ("audit_entries", "audit_contexts"),
    ),
    Part("account/mails", "The mails that were sent to you.", _mails, ("mail_log",)),
    table_part("account/copies", "The copies of your data that you asked for.", DataExport, leave_out=("file_key",)),
)


async def _picture(database: Database, user_id: UUID) -> AsyncIterator[OwnFile]:
    async with database.transaction(user_id) as db:
        url = await db.scalar(select(User.avatar_url).where(User.id == user_id))
    if url is not None:
        yield OwnFile(url.removeprefix("/api/"), 0, "account/picture.webp")


async def _no_bytes(database: Database, user_id: UUID) -> int:
    return 0  # a picture is nothing beside sounds


async def _nothing_ahead(database: Database, user_id: UUID) -> Mapping[str, int]:
    return {}  # all of it goes with the person's own row


OWN_DATA = Portion(PARTS, (avatar.FOLDER, EXPORTS), _picture, _no_bytes, _nothing_ahead)
