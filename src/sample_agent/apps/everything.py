"""Both APIs and the web app in one program, at one origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI

from sample_agent.apps.accounts import add_accounts, add_web, open_accounts
from sample_agent.apps.library import add_library, open_library
from sample_agent.apps.wiring import DATABASE_READINESS, open_database, require_given
from sample_agent.core.http import create_app
from sample_agent.core.settings import Settings


def create_everything(settings: Settings) -> FastAPI:
    """The application that `sample-agent serve` runs beside its worker."""
    require_given(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.database = await stack.enter_async_context(open_database(settings))
            open_accounts(app, settings)
            await open_library(app, settings, stack)
            yield

    app = create_app(
        "sample-agent",
        public_url=settings.public_url,
        lifespan=lifespan,
        readiness=DATABASE_READINESS,
        cors_origins=settings.cors_origins,
        strict_transport=urlsplit(settings.public_url).scheme == "https",
    )
    app.state.settings = settings
    add_accounts(app, settings)
    add_library(app, settings)
    add_web(app, settings)
    return app
