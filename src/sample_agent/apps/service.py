"""What every API beside a database is: the HTTP shell, a pool, and what its routes need while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI

from sample_agent.accounts.credentials import describe_credentials
from sample_agent.apps.migrate import require_head
from sample_agent.apps.wiring import database_address, open_database
from sample_agent.core.database import answer_lost_database_with_503
from sample_agent.core.http import create_app
from sample_agent.core.settings import Settings

Opener = Callable[[FastAPI, Settings, AsyncExitStack], Awaitable[None]]
"""Puts something on `app.state` while the application runs; what has to be closed goes onto the stack."""


def create_service(
    name: str, settings: Settings, *openers: Opener, public_url: str = "", cors_origins: tuple[str, ...] = ()
) -> FastAPI:
    """An application with a database and what `openers` open on it, and no routes of its own yet.

    Raises before anything starts when the database's address or a secret is missing.
    """
    database_address(settings)
    settings.signing_key_bytes()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.database = await stack.enter_async_context(open_database(settings))
            for opener in openers:
                await opener(app, settings, stack)
            yield

    app = create_app(
        name,
        public_url=public_url or settings.public_url,
        lifespan=lifespan,
        readiness={"database": _database_answers, "schema": _schema_fits},
        cors_origins=(*cors_origins, *settings.cors_origins),
        strict_transport=urlsplit(settings.public_url).scheme == "https",
    )
    app.describers = (describe_credentials,)
    app.state.settings = settings
    answer_lost_database_with_503(app)
    return app


async def _database_answers(app: FastAPI) -> None:
    await app.state.database.ping()


async def _schema_fits(app: FastAPI) -> None:
    require_head(await app.state.database.revision())
