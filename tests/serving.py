"""Applications behind real sockets on this machine, and a host of files that waits when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sample_agent.apps.worker import run_worker
from sample_agent.core.settings import Settings


async def reached(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return when `condition` holds; fail the test when that takes too long."""
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not reached within {seconds} s")


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve `app` on a free port of 127.0.0.1 meanwhile; its `host:port`."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, ws="none")
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    await reached(lambda: server.started or running.done())
    if not server.started:
        await running
    try:
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@dataclass
class FileHost:
    """A server of files: GET gives what is in `files`, PUT keeps in `received`. `held` names wait for `release`."""

    files: dict[str, bytes] = field(default_factory=dict)
    received: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    address: str = ""

    def url(self, name: str) -> str:
        return f"http://{self.address}/{name}"

    def clear(self) -> None:
        """Forget everything; who is held waits no longer."""
        self.release.set()
        self.files, self.received, self.asked, self.release = {}, {}, [], asyncio.Event()

    def put(self, name: str, content: bytes) -> str:
        """Offer a file; its URL."""
        self.files[name] = content
        return self.url(name)

    async def answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append(name)
        if request.method == "PUT":
            if name in self.received:
                return Response(status_code=412)
            self.received[name] = (request.headers["content-type"], await request.body())
            return Response(status_code=201)
        if name.startswith("held"):
            await self.release.wait()
        if name.startswith("moved"):
            return RedirectResponse("http://169.254.169.254/latest/meta-data/")
        if name not in self.files:
            return Response(status_code=404)
        return Response(self.files[name], media_type="application/octet-stream")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FileHost]:
        app = Starlette(routes=[Route("/{name:path}", self.answer, methods=["GET", "PUT"])])
        async with serving(app) as self.address:
            yield self
            self.release.set()


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """A worker of the installation meanwhile."""
    shutdown = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_worker(settings, shutdown))
        yield
        shutdown.set()
