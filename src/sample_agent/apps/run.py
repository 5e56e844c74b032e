"""Runs an application under uvicorn."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from sample_agent.core.lifeline import end_with_lifeline
from sample_agent.core.logs import start_logs
from sample_agent.core.settings import Settings

IDLE_CONNECTION_SECONDS = 75
"""Longer than any proxy's own limit: the default of 5 s resets clients that are about to send."""

GRACE_SECONDS = 10
"""How long requests under way may take to end once the program is told to stop."""


def run_app(app: FastAPI, settings: Settings, *, port: int) -> None:
    """Serve until told to stop, then let requests under way end."""
    end_with_lifeline()
    start_logs(settings)
    uvicorn.run(
        app,
        host=settings.host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # core.client_address alone decides whose X-Forwarded-For is believed
        timeout_keep_alive=IDLE_CONNECTION_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=4096,
    )
