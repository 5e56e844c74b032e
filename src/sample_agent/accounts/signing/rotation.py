"""Replacing the signing key, on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import exists, func, select

from sample_agent.accounts.audit import INSTALLATION, OPERATOR, Action, record
from sample_agent.accounts.audit.models import AuditContext, AuditEntry
from sample_agent.accounts.signing.key_files import GRACE, KeyFiles
from sample_agent.accounts.signing.pem import rsa_key
from sample_agent.core.database import Database

_TURN = select(func.pg_advisory_xact_lock(7246))
"""Two who go on with one key record it once."""

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

    Not on record, not done: when it is cut off, the next call goes on with the same key. Raises NoSigningKeyError, and
    RotationUnderWayError while an earlier one waits.
    """
    if not files.exists():
        raise NoSigningKeyError(files.folder)
    files.settle(now)
    new = NewKey(files.prepare_successor(now).thumbprint(), now + GRACE)
    await _record_once(database, now, new.key_id, signs_from=(now + GRACE).isoformat())
    files.publish_successor(now)
    return new


async def replace_compromised(database: Database, files: KeyFiles, now: datetime) -> NewKey:
    """Make a key that signs from this moment on, and forget every other: for when somebody else has the old one.

    Every access token ends within seconds; people stay signed in by their refresh tokens. Not on record, not done: when
    it is cut off, the next call goes on with the same key. Raises NoSigningKeyError.
    """
    if not files.exists():
        raise NoSigningKeyError(files.folder)
    new = NewKey(files.prepare_replacement(now).thumbprint(), now)
    await _record_once(database, now, new.key_id, signs_from=now.isoformat(), compromised=True)
    files.replace_at_once(now)
    return new


async def prepare_for_environment(database: Database, files: KeyFiles, now: datetime) -> NewKey:
    """Make a key for an installation that is given its keys by the environment, where only its operator can put it.

    Raises FileExistsError while the file of an earlier one is there; which is put on record now if that was cut off.
    """
    left = files.pair_for_environment()
    private_file = left or files.make_pair_for_environment(now)
    new = NewKey(rsa_key(private_file.read_bytes()).thumbprint(), None, private_file)
    await _record_once(database, now, new.key_id, for_environment=True)
    if left is not None:
        raise FileExistsError(f"{left} is left of an earlier rotation. Put it to use or delete it first.")
    return new


async def _record_once(database: Database, now: datetime, key_id: str, **detail: Any) -> None:
    """Record it, unless an earlier call has and was cut off afterwards."""
    entry = exists().where(
        AuditEntry.tenant_id == INSTALLATION,
        AuditEntry.action == Action.SIGNING_KEY_ROTATED.value,
        AuditContext.entry_id == AuditEntry.id,
        AuditContext.detail["key_id"].astext == key_id,
    )
    detail = {"key_id": key_id, **detail}
    async with database.transaction(purpose="identity") as db:
        await db.execute(_TURN)
        if await db.scalar(select(entry)):
            return
        await record(db, Action.SIGNING_KEY_ROTATED, tenant_id=INSTALLATION, actor=OPERATOR, detail=detail, now=now)
    log.info("signing key rotated", **detail)
