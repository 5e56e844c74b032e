"""The library API: samples, collections, jobs, export."""

from __future__ import annotations

from contextlib import AsyncExitStack

from fastapi import FastAPI

from sample_agent.apps.accounts import open_sign_in_check
from sample_agent.apps.service import create_service
from sample_agent.apps.wiring import database_address, make_storage
from sample_agent.core.database_url import asyncpg_url
from sample_agent.core.files import answer_storage_errors, files_router
from sample_agent.core.scratch import scratch_space
from sample_agent.core.settings import Settings
from sample_agent.engine.pool import EnginePool
from sample_agent.library import api
from sample_agent.library.events import JobEvents


def create_library_app(settings: Settings) -> FastAPI:
    """The library API as a program of its own; the web app calls it from the accounts API's origin."""
    app = create_service(
        "library",
        settings,
        open_sign_in_check,
        open_library,
        public_url=settings.library_url,
        cors_origins=(settings.public_url,),
    )
    add_library(app, settings)
    return app


async def open_library(app: FastAPI, settings: Settings, stack: AsyncExitStack) -> None:
    """Give a running application what the library routes need."""
    app.state.scratch_space = stack.enter_context(scratch_space(settings.data_dir / "scratch"))
    app.state.engine_pool = await stack.enter_async_context(
        EnginePool(
            workers=1,
            timeout_seconds=settings.analysis_timeout_seconds,
            memory_bytes=settings.analysis_memory_mb * 1024 * 1024,
        )
    )
    app.state.job_events = await stack.enter_async_context(
        JobEvents(asyncpg_url(database_address(settings)), app.state.database)
    )


def add_library(app: FastAPI, settings: Settings) -> None:
    """Add the library routes, and those of the files when they lie in a folder."""
    answer_storage_errors(app)
    app.state.storage = make_storage(settings, links_from=settings.library_url)
    app.include_router(api.router)
    if app.state.storage.local_links is not None:
        app.include_router(files_router(app.state.storage))
