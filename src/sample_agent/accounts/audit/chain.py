"""What makes the entries of a log a chain: how an entry and its context are hashed, to be checked later."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, date
from typing import Any
from uuid import UUID

import orjson

from sample_agent.accounts.audit.models import AuditContext, AuditEntry

FIRST = bytes(32)
"""The hash before the first entry of a chain."""

SALT_BYTES = 16

_FORMAT = "audit-entry-1"
_LARGEST = 2**63 - 1


def entry_hash(entry: AuditEntry) -> bytes:
    """SHA-256 of the hash before an entry and of everything the entry says."""
    said = [
        _FORMAT,
        str(entry.id),
        str(entry.tenant_id),
        entry.position,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.action,
        entry.actor_kind,
        str(entry.actor_id) if entry.actor_id else None,
        entry.subject_kind,
        str(entry.subject_id) if entry.subject_id else None,
        entry.context_hash.hex(),
    ]
    return hashlib.sha256(entry.previous_hash + orjson.dumps(said)).digest()


def context_hash(context: AuditContext) -> bytes:
    """HMAC of a context under its salt; once the salt is erased nothing can be guessed from it."""
    said = [context.ip_address, context.user_agent, context.request_id, context.detail]
    return hmac.digest(context.salt, orjson.dumps(said, option=orjson.OPT_SORT_KEYS), "sha256")


def as_kept(detail: Mapping[str, Any]) -> dict[str, Any]:
    """`detail` as PostgreSQL gives it back from a JSONB column, to the byte: what is hashed has to be what is read.

    JSONB writes some numbers in another way (1e16, -0.0), so that fractions and what exceeds 64 bits are kept as text;
    it takes neither a NUL nor half a character. Raises TypeError for what is not JSON.
    """
    kept: dict[str, Any] = _plain(detail)
    return kept


def as_text(text: str, longest: int) -> str:
    """A text as a column of `longest` characters can hold it."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:longest]


def _plain(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            return as_text(str(value), len(value))
        case int():
            return value if -_LARGEST <= value <= _LARGEST else str(value)
        case float():
            return repr(value)
        case Mapping():
            return {_plain(str(key)): _plain(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(each) for each in value]
        case UUID():
            return str(value)
        case date():
            return value.isoformat()
        case _:
            raise TypeError(f"not JSON: {type(value).__name__}")
