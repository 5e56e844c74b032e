"""The accounts API: identity, plans and usage. It also serves the web app, whose origin it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel

from sample_agent import accounts, billing
from sample_agent.apps.web import mount_web
from sample_agent.apps.wiring import DATABASE_READINESS, open_database, require_given
from sample_agent.core.database import answer_lost_database_with_503
from sample_agent.core.http import VERSION, create_app
from sample_agent.core.mail import outbox_router
from sample_agent.core.settings import Settings

configuration = APIRouter(tags=["configuration"])


class WebConfiguration(BaseModel):
    """What the web app has to know before anyone signs in. `library_url` is empty when it is this origin."""

    library_url: str
    version: str
    registration: bool
    development: bool


@configuration.get("/config.json")
async def get_configuration(request: Request) -> WebConfiguration:
    """Where the web app finds things."""
    settings: Settings = request.app.state.settings
    return WebConfiguration(
        library_url=settings.library_url, version=VERSION, registration=True, development=settings.development
    )


def create_accounts_app(settings: Settings) -> FastAPI:
    """The accounts API as a program of its own."""
    require_given(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.database = await stack.enter_async_context(open_database(settings))
            open_accounts(app, settings)
            yield

    app = create_app(
        "accounts",
        public_url=settings.public_url,
        lifespan=lifespan,
        readiness=DATABASE_READINESS,
        cors_origins=settings.cors_origins,
        strict_transport=urlsplit(settings.public_url).scheme == "https",
    )
    app.state.settings = settings
    add_accounts(app, settings)
    add_web(app, settings)
    return app


def open_accounts(app: FastAPI, settings: Settings, *, signing: bool = True) -> None:
    """Give a running application what the accounts routes and everyone's sign-in check need."""
    app.state.identity = accounts.Identity(settings, app.state.database, accounts.load_keys(settings, signing=signing))


def add_accounts(app: FastAPI, settings: Settings) -> None:
    """Add the accounts routes, and in development the outbox."""
    answer_lost_database_with_503(app)
    app.include_router(accounts.router)
    app.include_router(billing.router)
    app.include_router(configuration)
    if settings.development:
        app.include_router(outbox_router(settings.outbox_dir))


def add_web(app: FastAPI, settings: Settings) -> None:
    """Serve the web app at every address that is not an API's; add it last."""
    mount_web(app, library_url=settings.library_url)
