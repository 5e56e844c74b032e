"""Codes on paper for whoever has lost their factors. Each has 80 random bits, so a fast keyed hash is enough."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.factors.models import RecoveryCode
from sample_agent.core.sealing import derived_key

HOW_MANY = 10
FEW = 3
"""So many left, or fewer, are mentioned."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Without letters that are taken for another one, or for a digit."""
_LENGTH = 16
_MISREAD = str.maketrans("oil", "011")


async def replace_codes(db: AsyncSession, key: bytes, user_id: UUID, now: datetime) -> list[str]:
    """Make new codes in place of all there are. Nobody can read them again."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(HOW_MANY)]
    await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    db.add_all(RecoveryCode(user_id=user_id, code_hash=_hash(key, user_id, code), created_at=now) for code in codes)
    await db.flush()
    return ["-".join(re.findall("....", code)) for code in codes]


async def use_code(db: AsyncSession, key: bytes, user_id: UUID, code: str, now: datetime) -> bool:
    """Use a code up; whether it was one. Of several who use it at once one succeeds."""
    written = re.sub(r"[^0-9a-z]", "", code.lower()).translate(_MISREAD)
    used = await db.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == _hash(key, user_id, written),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return used is not None


async def codes_left(db: AsyncSession, user_id: UUID) -> int:
    """How many codes have not been used."""
    left = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return await db.scalar(left) or 0


def _hash(key: bytes, user_id: UUID, code: str) -> bytes:
    return hmac.digest(derived_key(key, "recovery-codes"), user_id.bytes + code.encode(), "sha256")
