"""Changing the sealing key: what is kept of second factors is sealed anew, and nobody notices."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from sample_agent.accounts.audit import INSTALLATION, OPERATOR, Action, record
from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.factors.models import RecoveryCode
from sample_agent.accounts.factors.proof import SEEDS
from sample_agent.accounts.factors.recovery_codes import CODES
from sample_agent.accounts.models import Authenticator
from sample_agent.core.database import Database
from sample_agent.core.sealing import KEY_ID_AT, BrokenSeal, key_id, seal, unseal
from sample_agent.core.secret_files import write_secret

_AT_ONCE = 500

_TURN = select(func.pg_try_advisory_xact_lock(7245))
"""Held in the database, which all who share the keys share, and gone with whoever held it."""


@dataclass(frozen=True)
class Resealed:
    """How many secrets have another seal now, and how many opened with no key there is."""

    changed: int = 0
    broken: int = 0


class ResealingUnderWayError(RuntimeError):
    """Somebody else is about it; two at once would each throw away the other's key."""

    def __init__(self) -> None:
        super().__init__("Second factors are being sealed anew already. Wait until that is done.")


async def reseal_with_new_key(database: Database, file: Path) -> Resealed:
    """Put a new key on top of those in `file` and seal everything with it; `database` needs two connections.

    Of the keys before it the last one stays, with which a request under way may just have sealed something; all of them
    stay while there is something that does not open. Raises ResealingUnderWayError.
    """
    async with database.transaction(purpose="identity") as turn:
        if not await turn.scalar(_TURN):
            raise ResealingUnderWayError
        keys = (secrets.token_urlsafe(48), *_keys_in(file))
        await _record_begin(database, keys[0].encode())
        _replace(file, keys)
        done = await _seal_all(database, [key.encode() for key in keys])
        if not done.broken:
            _replace(file, keys[:2])
    return done


def _keys_in(file: Path) -> list[str]:
    return file.read_text().split()


async def reseal(database: Database, keys: Sequence[bytes]) -> Resealed:
    """Seal with the first of `keys` whatever another one has sealed. Cut off, it goes on when it is called again."""
    await _record_begin(database, keys[0])
    return await _seal_all(database, keys)


async def _seal_all(database: Database, keys: Sequence[bytes]) -> Resealed:
    seeds = await _reseal(database, keys, Authenticator.user_id, Authenticator.sealed_seed, SEEDS)
    codes = await _reseal(database, keys, RecoveryCode.id, RecoveryCode.sealed_hash, CODES)
    done = Resealed(seeds.changed + codes.changed, seeds.broken + codes.broken)
    await _record(database, changed=done.changed, broken=done.broken)
    return done


async def _record_begin(database: Database, key: bytes) -> None:
    """Before anything is changed: what is cut off stands in the log, too."""
    await _record(database, begun_with=key_id(key).hex())


async def _record(database: Database, **detail: Any) -> None:
    async with database.transaction(purpose="identity") as db:
        now = utc_now()
        await record(db, Action.SECRETS_RESEALED, tenant_id=INSTALLATION, actor=OPERATOR, detail=detail, now=now)


async def _reseal(
    database: Database,
    keys: Sequence[bytes],
    row_id: InstrumentedAttribute[Any],
    sealed: InstrumentedAttribute[bytes],
    purpose: str,
) -> Resealed:
    table, changed, broken, last = row_id.class_, 0, 0, None
    other_key = func.substr(sealed, KEY_ID_AT.start + 1, KEY_ID_AT.stop - KEY_ID_AT.start) != key_id(keys[0])
    while True:
        async with database.transaction(purpose="identity") as db:
            page = select(table).where(other_key).order_by(row_id).limit(_AT_ONCE).with_for_update()
            rows = (await db.scalars(page if last is None else page.where(row_id > last))).all()
            for row in rows:
                about = row.user_id.bytes
                try:
                    secret = unseal(keys, getattr(row, sealed.key), purpose=purpose, about=about)
                except BrokenSeal:
                    broken += 1
                    continue
                setattr(row, sealed.key, seal(keys, secret, purpose=purpose, about=about))
                changed += 1
        if not rows:
            return Resealed(changed, broken)
        last = getattr(rows[-1], row_id.key)


def _replace(file: Path, keys: Sequence[str]) -> None:
    write_secret(file, "\n".join(keys).encode(), owner_of=file)
