"""The token in the mail that tells of a deletion: it takes that deletion back, and no other, so it works once.

It is computed from whose deletion it is and when that is due, and lies nowhere but in the mail.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sample_agent.accounts.errors import OneTimeTokenSpent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def keep_token(key: bytes, user_id: UUID, delete_after: datetime) -> str:
    """What takes back the deletion that is due at this moment."""
    said = user_id.bytes + ((delete_after - _EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big")
    return base64.urlsafe_b64encode(said + _signature(key, said)).decode()


def read_keep_token(key: bytes, token: str) -> tuple[UUID, datetime]:
    """Whose deletion a token takes back, and when that is due. Raises OneTimeTokenSpent when we did not make it."""
    try:
        content = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise OneTimeTokenSpent from error
    said, signature = content[:24], content[24:]
    if len(said) < 24 or not hmac.compare_digest(signature, _signature(key, said)):
        raise OneTimeTokenSpent
    return UUID(bytes=said[:16]), _EPOCH + timedelta(microseconds=int.from_bytes(said[16:], "big"))


def _signature(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, b"keep-account\0" + said, "sha256")
