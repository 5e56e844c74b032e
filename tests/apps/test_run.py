"""How programs are run: what a request says of itself on the way here is not believed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

from sample_agent.core.postgres.server import free_port
from tests.waiting import until

PROGRAM = """
import sys
from fastapi import FastAPI, Request
from sample_agent.apps.run import run_app
from sample_agent.core.settings import Settings

app = FastAPI()

@app.get("/")
async def seen(request: Request) -> list[str]:
    return [request.client.host, request.url.scheme]

run_app(app, Settings(_env_file=None), port=int(sys.argv[1]))
"""


def test_forwarding_headers_change_neither_the_peer_nor_the_scheme(tmp_path: Path) -> None:
    port = free_port()
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port)],
        env={**os.environ, "SAMPLE_AGENT_DATA_DIR": str(tmp_path), "FORWARDED_ALLOW_IPS": "*"},
        stdout=subprocess.DEVNULL,
    )
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Forwarded": "for=203.0.113.9"}

    def answer() -> httpx.Response | None:
        assert program.poll() is None
        try:
            return httpx.get(f"http://127.0.0.1:{port}/", headers=forged)
        except httpx.TransportError:
            return None

    try:
        answered = until(answer)
        assert answered is not None
        assert answered.json() == ["127.0.0.1", "http"]
    finally:
        program.terminate()
        program.wait()
