"""The accounts API: identity, plans and usage. It also serves the web app, whose origin it is."""

from __future__ import annotations

from contextlib import AsyncExitStack

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel

from sample_agent import accounts, admin, billing
from sample_agent.accounts.passwords import measured_passes
from sample_agent.apps.service import create_service
from sample_agent.apps.web import mount_web
from sample_agent.apps.wiring import make_storage
from sample_agent.core.files import answer_storage_errors
from sample_agent.core.http import VERSION
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
    app = create_service("accounts", settings, open_accounts)
    add_accounts(app, settings)
    add_web(app, settings)
    return app


async def open_accounts(app: FastAPI, settings: Settings, stack: AsyncExitStack) -> None:
    """What the accounts routes need, measured and checked before the first request."""
    settings.sealing_keys()
    _open_identity(app, settings, stack, accounts.load_keys(settings))
    if settings.password_hash_passes is None:
        measured_passes()


async def open_sign_in_check(app: FastAPI, settings: Settings, stack: AsyncExitStack) -> None:
    """What any other service needs to know who is calling: all of that but the private key."""
    _open_identity(app, settings, stack, accounts.load_keys(settings, signing=False))


def _open_identity(app: FastAPI, settings: Settings, stack: AsyncExitStack, keys: accounts.Keys) -> None:
    app.state.identity = accounts.Identity(settings, app.state.database, keys)
    stack.push_async_callback(app.state.identity.limits.close)
    stack.push_async_callback(app.state.identity.key_uses.settled)
    stack.push_async_callback(app.state.identity.sessions.settled)


def add_accounts(app: FastAPI, settings: Settings) -> None:
    """Add the accounts routes, and in development the outbox."""
    answer_storage_errors(app)
    app.state.storage = make_storage(settings, links_from=settings.library_url)
    app.include_router(accounts.router)
    app.include_router(admin.router)
    app.include_router(billing.router)
    app.include_router(configuration)
    if settings.development:
        app.include_router(outbox_router(settings.outbox_dir))


def add_web(app: FastAPI, settings: Settings) -> None:
    """Serve the web app at every address that is not an API's; add it last."""
    mount_web(app, library_url=settings.library_url)
