"""Codes on paper for whoever has lost their factors. Each has 80 random bits, so a fast hash is enough, under seal."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.factors.models import RecoveryCode
from sample_agent.core.sealing import BrokenSeal, seal, unseal

CODES = "recovery-codes"
"""What their hashes are sealed for."""
HOW_MANY = 10
FEW = 3
"""So many left, or fewer, are mentioned."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Without letters that are taken for another one, or for a digit."""
_LENGTH = 16
_MISREAD = str.maketrans("oil", "011")


async def replace_codes(db: AsyncSession, keys: Sequence[bytes], user_id: UUID, now: datetime) -> list[str]:
    """Make new codes in place of all there are. Nobody can read them again."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(HOW_MANY)]
    await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    for code in codes:
        sealed = seal(keys, _hash(user_id, code), purpose=CODES, about=user_id.bytes)
        db.add(RecoveryCode(user_id=user_id, sealed_hash=sealed, created_at=now))
    await db.flush()
    return ["-".join(re.findall("....", code)) for code in codes]


async def use_code(db: AsyncSession, keys: Sequence[bytes], user_id: UUID, code: str, now: datetime) -> bool:
    """Use a code up; whether it was one. Of several who use it at once one succeeds."""
    written = re.sub(r"[^0-9a-z]", "", code.lower()).translate(_MISREAD)
    wanted = _hash(user_id, written)
    unused = await db.scalars(
        select(RecoveryCode).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    )
    code_id = next((each.id for each in unused.all() if _is_of(each, keys, wanted)), None)
    if code_id is None:
        return False
    used = await db.scalar(
        update(RecoveryCode)
        .where(RecoveryCode.id == code_id, RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return used is not None


async def codes_left(db: AsyncSession, user_id: UUID) -> int:
    """How many codes have not been used."""
    left = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return await db.scalar(left) or 0


def _is_of(stored: RecoveryCode, keys: Sequence[bytes], wanted: bytes) -> bool:
    try:
        known = unseal(keys, stored.sealed_hash, purpose=CODES, about=stored.user_id.bytes)
    except BrokenSeal:
        return False
    return hmac.compare_digest(known, wanted)


def _hash(user_id: UUID, code: str) -> bytes:
    return hashlib.sha256(user_id.bytes + code.encode()).digest()
