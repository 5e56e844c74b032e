"""A crowd of clients, each with a connection that stays open, who think between requests.

Run as a program of its own, so that it takes no time from the server's event loop:

    python -m benchmarks.crowd < visit.json > measured.json

It opens every connection first. Each client then waits, asks, reads the whole answer, and waits again; waits are
exponentially distributed, so the crowd is steady from the start. Answers in the first seconds are not counted.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import httptools
import orjson
import uvloop

from benchmarks.installation import ROOT

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Visit:
    """Who asks for what. Each client sends its own headers and any of the `paths`."""

    port: int
    paths: Sequence[str]
    headers: Sequence[str]
    """One block of header lines for each client."""
    think_seconds: float
    warm_up_seconds: float
    seconds: float
    seed: int = 0


@dataclass
class Measured:
    """What the crowd saw: `milliseconds` of each answer that was counted, and everything that went wrong."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    resets: int = 0
    timeouts: int = 0
    bytes: int = 0
    client_cpu_seconds: float = 0


def visit(wanted: Visit) -> dict[str, Any]:
    """Send the crowd in a process of its own and return what it measured, as the fields of `Measured`."""
    command = [sys.executable, "-m", "benchmarks.crowd"]
    done = subprocess.run(command, input=orjson.dumps(wanted), capture_output=True, cwd=ROOT, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the crowd failed:\n{done.stderr.decode()[-4000:]}")
    measured: dict[str, Any] = orjson.loads(done.stdout)
    return measured


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.answer: asyncio.Future[int] | None = None
        self.parser = httptools.HttpResponseParser(self)
        self.received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(self.parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(ConnectionResetError())

    async def ask(self, request: bytes) -> int:
        """The status of the answer; raises ConnectionResetError when the server hung up."""
        if self.transport is None:
            raise ConnectionResetError
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await asyncio.wait_for(self.answer, PATIENCE_SECONDS)


async def send_crowd(wanted: Visit) -> Measured:
    measured = Measured()
    dice = random.Random(wanted.seed)
    doors = asyncio.Semaphore(100)
    inside = asyncio.Barrier(len(wanted.headers) + 1)
    counted_from = end = 0.0

    async def connect() -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", wanted.port)
        return connection

    async def client(headers: str) -> None:
        async with doors:
            connection = await connect()
        await inside.wait()
        while True:
            thinking = dice.expovariate(1 / wanted.think_seconds)
            if time.perf_counter() + thinking >= end:
                return
            await asyncio.sleep(thinking)
            request = f"GET {dice.choice(wanted.paths)} HTTP/1.1\r\n{headers}\r\n\r\n".encode()
            asked, before = time.perf_counter(), connection.received
            try:
                status = await connection.ask(request)
            except TimeoutError:
                measured.timeouts += 1
                connection = await connect()
            except ConnectionResetError:
                measured.resets += 1
                connection = await connect()
            else:
                if asked >= counted_from:
                    measured.milliseconds.append((time.perf_counter() - asked) * 1000)
                    measured.statuses[status] += 1
                    measured.bytes += connection.received - before

    async with asyncio.TaskGroup() as crowd:
        for headers in wanted.headers:
            crowd.create_task(client(headers))
        counted_from = time.perf_counter() + 3600  # nobody leaves or counts before all are inside
        end = counted_from
        await inside.wait()
        counted_from = time.perf_counter() + wanted.warm_up_seconds
        end = counted_from + wanted.seconds
    measured.client_cpu_seconds = time.process_time()
    return measured


def main() -> None:
    measured = uvloop.run(send_crowd(Visit(**orjson.loads(sys.stdin.buffer.read()))))
    sys.stdout.buffer.write(orjson.dumps(measured, option=orjson.OPT_NON_STR_KEYS))


if __name__ == "__main__":
    main()
