"""The mails to people about their accounts: what each says when it is due."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.mailing import Composed, Letter, MailResources
from sample_agent.accounts.models import ApiKey, Registration, User
from sample_agent.accounts.users.models import OneTimeToken
from sample_agent.accounts.users.one_time_tokens import (
    CONFIRM_EMAIL,
    LIFETIMES,
    RESET_PASSWORD,
    UNDO_EMAIL_CHANGE,
    VERIFY_EMAIL,
    Purpose,
    put_in_force,
)
from sample_agent.core.identifiers import made_at

PASSWORD_CHANGED = "password-changed"  # noqa: S105
EMAIL_RESTORED = "email-restored"


async def verify_email(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """The link that confirms an address; to the address of an account, that there is one."""
    owner = await _user_at(db, letter.to)
    if owner is not None:
        return ("already-registered", {"link": f"{resources.public_url}/login"}) if owner.is_active else None
    waiting = exists().where(Registration.email == letter.to, Registration.expires_at > resources.now())
    if not await db.scalar(select(waiting)):
        return None
    token = await put_in_force(db, resources.signing_key, letter.id, VERIFY_EMAIL, resources.now(), email=letter.to)
    if token is None:
        return None
    return VERIFY_EMAIL, {"link": _link(resources, "verify-email", token.text), "hours": _hours(VERIFY_EMAIL)}


async def reset_password(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """The link that sets a new password, and who asked for it. That somebody did is recorded here, where it is known
    whether there is an account, and where it takes no time of whoever asked."""
    user = await _user_at(db, letter.to)
    if user is None or not user.is_active:
        return None
    token = await put_in_force(
        db, resources.signing_key, letter.id, RESET_PASSWORD, resources.now(), email=letter.to, user=user
    )
    if token is None:
        return None
    if token.is_new:
        asker = Client(letter.data["client"]["agent"], letter.data["client"]["ip"])
        now = resources.now()
        await record(db, Action.PASSWORD_RESET_ASKED, tenant_id=user.id, actor=Actor("user", client=asker), now=now)
    return RESET_PASSWORD, {
        **_origin(letter),
        "link": _link(resources, "reset-password", token.text),
        "minutes": int(LIFETIMES[RESET_PASSWORD].total_seconds() // 60),
    }


async def password_changed(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """That the account has a new password, and how many API keys go on working: programs know nothing of it."""
    works = ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > resources.now())
    keys = await db.scalar(select(func.count()).select_from(ApiKey).where(ApiKey.user_id == letter.user_id, works))
    return PASSWORD_CHANGED, {
        **_origin(letter),
        "link": f"{resources.public_url}/forgot-password",
        "keys": keys,
        "keys_link": f"{resources.public_url}/settings/api-keys",
    }


async def confirm_email(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """To a new address, the link that confirms it; when it is the address of an account, that this cannot be."""
    user = await db.get(User, letter.user_id)
    if user is None or not user.is_active or user.email == letter.to:
        return None
    if await _user_at(db, letter.to) is not None:
        return "email-taken", {"link": f"{resources.public_url}/login"}
    token = await put_in_force(
        db, resources.signing_key, letter.id, CONFIRM_EMAIL, resources.now(), email=letter.to, user=user
    )
    if token is None:
        return None
    return CONFIRM_EMAIL, {"link": _link(resources, "confirm-email", token.text), "hours": _hours(CONFIRM_EMAIL)}


async def undo_email_change(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """To the old address, that there is a new one, and the link that puts the old one back."""
    user = await db.get(User, letter.user_id)
    if user is None or not user.is_active or user.email == letter.to or await _undone_since(db, user.id, letter.id):
        return None
    token = await put_in_force(
        db, resources.signing_key, letter.id, UNDO_EMAIL_CHANGE, resources.now(), email=letter.to, user=user
    )
    if token is None:
        return None
    return "email-changed", {
        **_origin(letter),
        "link": _link(resources, "undo-email-change", token.text),
        "days": LIFETIMES[UNDO_EMAIL_CHANGE].days,
    }


async def email_restored(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """To the address that was put back, the link that sets a new password."""
    user = await db.get(User, letter.user_id)
    if user is None or not user.is_active or user.email != letter.to:
        return None
    token = await put_in_force(
        db, resources.signing_key, letter.id, RESET_PASSWORD, resources.now(), email=letter.to, user=user
    )
    if token is None:
        return None
    return EMAIL_RESTORED, {
        "link": _link(resources, "reset-password", token.text),
        "again": f"{resources.public_url}/forgot-password",
        "minutes": int(LIFETIMES[RESET_PASSWORD].total_seconds() // 60),
    }


async def _user_at(db: AsyncSession, email: str) -> User | None:
    return await db.scalar(select(User).where(User.email == email))


async def _undone_since(db: AsyncSession, user_id: UUID, letter_id: UUID) -> bool:
    """Whether an earlier change of address was taken back after the one this letter tells of, and this one with it."""
    undone = exists().where(
        OneTimeToken.user_id == user_id,
        OneTimeToken.purpose == UNDO_EMAIL_CHANGE,
        OneTimeToken.id < letter_id,
        OneTimeToken.used_at > made_at(letter_id),
    )
    return bool(await db.scalar(select(undone)))


def _origin(letter: Letter) -> dict[str, Any]:
    return {name: letter.data[name] for name in ("device", "address", "at")}


def _link(resources: MailResources, page: str, token: str) -> str:
    return f"{resources.public_url}/{page}?{urlencode({'token': token})}"


def _hours(purpose: Purpose) -> int:
    return int(LIFETIMES[purpose].total_seconds() // 3600)
