"""Replacing the signing key, on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import exists, select

from sample_agent.accounts.audit import INSTALLATION, OPERATOR, Action, record
from sample_agent.accounts.audit.models import AuditContext, AuditEntry
from sample_agent.accounts.signing.key_files import GRACE, KeyFiles
from sample_agent.accounts.signing.pem import rsa_key
from sample_agent.core.database import Database

log = structlog.get_logger("accounts")


class NoSigningKeyError(RuntimeError):
    """There is nothing to replace yet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"There is no signing key in {folder} yet; the first start of the accounts API makes one.")


@dataclass(frozen=True)
class NewKey:
    """A key that was made: when it begins to sign by itself, or the file to take it from."""

    key_id: str
    signs_from: datetime | None
    private_file: Path | None = None


async def rotate(database: Database, files: KeyFiles, now: datetime) -> NewKey:
    """Make and publish the key that signs ten minutes from now; nobody notices.

    Raises NoSigningKeyError, and RotationUnderWayError while an earlier one waits.
    """
    if not files.exists():
        raise NoSigningKeyError(files.folder)
    files.settle(now)
    new = NewKey(files.make_successor(now).thumbprint(), now + GRACE)
    try:
        await _record(database, now, key_id=new.key_id, signs_from=(now + GRACE).isoformat())
    except BaseException:  # not on record, not done
        files.discard_successor()
        raise
    return new


async def replace_compromised(database: Database, files: KeyFiles, now: datetime) -> NewKey:
    """Make a key that signs from this moment on, and forget every other: for when somebody else has the old one.

    Every access token ends within seconds; people stay signed in by their refresh tokens. Not on record, not done: when
    it is cut off, the next call goes on with the same key. Raises NoSigningKeyError.
    """
    if not files.exists():
        raise NoSigningKeyError(files.folder)
    new = NewKey(files.prepare_replacement(now).thumbprint(), now)
    if not await _is_on_record(database, new.key_id):
        await _record(database, now, key_id=new.key_id, signs_from=now.isoformat(), compromised=True)
    files.replace_at_once(now)
    return new


async def prepare_for_environment(database: Database, files: KeyFiles, now: datetime) -> NewKey:
    """Make a key for an installation that is given its keys by the environment, where only its operator can put it.

    Raises FileExistsError while the file of an earlier one is there.
    """
    private_file = files.make_pair_for_environment(now)
    new = NewKey(rsa_key(private_file.read_bytes()).thumbprint(), None, private_file)
    await _record(database, now, key_id=new.key_id, for_environment=True)
    return new


async def _is_on_record(database: Database, key_id: str) -> bool:
    entry = exists().where(
        AuditEntry.tenant_id == INSTALLATION,
        AuditEntry.action == Action.SIGNING_KEY_ROTATED.value,
        AuditContext.entry_id == AuditEntry.id,
        AuditContext.detail["key_id"].astext == key_id,
    )
    async with database.transaction(purpose="identity") as db:
        return bool(await db.scalar(select(entry)))


async def _record(database: Database, now: datetime, **detail: Any) -> None:
    async with database.transaction(purpose="identity") as db:
        await record(db, Action.SIGNING_KEY_ROTATED, tenant_id=INSTALLATION, actor=OPERATOR, detail=detail, now=now)
    log.info("signing key rotated", **detail)
