"""Both APIs and the web app in one program, at one origin."""

from __future__ import annotations

from fastapi import FastAPI

from sample_agent.apps.accounts import add_accounts, add_web, open_accounts
from sample_agent.apps.library import add_library, open_library
from sample_agent.apps.service import create_service
from sample_agent.core.settings import Settings


def create_everything(settings: Settings) -> FastAPI:
    """The application that `sample-agent serve` runs beside its worker."""
    app = create_service("sample-agent", settings, open_accounts, open_library)
    add_accounts(app, settings)
    add_library(app, settings)
    add_web(app, settings)
    return app
