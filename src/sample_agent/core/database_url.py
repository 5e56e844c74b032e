"""The two spellings of a PostgreSQL address."""

from __future__ import annotations

from urllib.parse import urlsplit


def sqlalchemy_url(url: str) -> str:
    """The address in SQLAlchemy's spelling for asyncpg."""
    return f"postgresql+asyncpg://{_rest(url)}"


def asyncpg_url(url: str) -> str:
    """The address in libpq's spelling, as asyncpg takes it."""
    return f"postgresql://{_rest(url)}"


def without_password(url: str) -> str:
    """The address as it may be shown and logged."""
    parts = urlsplit(asyncpg_url(url))
    return f"{parts.scheme}://{parts.username}@{parts.hostname}:{parts.port or 5432}{parts.path}"


def _rest(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise ValueError("the database address has to begin with postgresql://")
    return rest
