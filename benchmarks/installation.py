"""A fresh installation to measure: a data folder, a PostgreSQL that is as durable as anyone's, and programs on it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from sample_agent.apps.migrate import migrate
from sample_agent.core.postgres import EmbeddedPostgres
from sample_agent.core.settings import Settings

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Installation:
    """Settings of its programs and its running database."""

    settings: Settings
    postgres: EmbeddedPostgres

    @property
    def app_url(self) -> str:
        return self.postgres.address.app_url


@dataclass(frozen=True)
class Server:
    """A running HTTP server; `log` is where its output goes."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)

    def memory_mib(self) -> float:
        resident: int = psutil.Process(self.process.pid).memory_info().rss
        return resident / 2**20


@contextmanager
def fresh_installation() -> Iterator[Installation]:
    """An empty, migrated installation in a folder of its own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sample-agent-benchmark-"))
    folder.chmod(0o755)  # the database server may run as an unprivileged user
    try:
        with EmbeddedPostgres(folder) as postgres:
            asyncio.run(migrate(postgres.address.owner_url))
            settings = Settings(
                _env_file=None,
                environment="development",
                data_dir=folder,
                port=free_port(),
                public_url="http://localhost:8000",
                database_url=postgres.address.app_url,
                database_owner_url=postgres.address.owner_url,
            )
            yield Installation(settings, postgres)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def api(installation: Installation, *, sources: Path | None = None) -> Iterator[Server]:
    """`sample-agent api` as `serve` starts it; from the `src` folder of another checkout when `sources` is given."""
    port = free_port()
    environment = {
        "SAMPLE_AGENT_DATABASE_URL": installation.app_url,
        "SAMPLE_AGENT_DATA_DIR": str(installation.settings.data_dir),
        "SAMPLE_AGENT_PUBLIC_URL": installation.settings.public_url,
        "SAMPLE_AGENT_PORT": str(port),
        "SAMPLE_AGENT_LOG_FORMAT": "json",  # as where a thousand people come
        "SAMPLE_AGENT_AUTH_REQUESTS_PER_QUARTER_HOUR": "0",  # here they all come from one address
    }
    if sources is not None:
        environment["PYTHONPATH"] = str(sources)
    command = [sys.executable, "-m", "sample_agent", "api"]
    with served(command, environment, port, "/readyz", installation.settings.data_dir) as server:
        yield server


@contextmanager
def bare_api(installation: Installation) -> Iterator[Server]:
    """A FastAPI application with one route that answers a constant, under the same uvicorn settings."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.bare_api", str(port)]
    with served(command, {}, port, "/bare", installation.settings.data_dir) as server:
        yield server


@contextmanager
def served(
    command: Sequence[str], environment: Mapping[str, str], port: int, ready: str, folder: Path
) -> Iterator[Server]:
    """Run a server until the block ends; enter it when `ready` answers."""
    log = folder / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}{ready}", process, log)
        yield Server(port, process, log)
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path, *, seconds: float = 120) -> None:
    """Return as soon as `url` answers 200; raise when the server ends before, or does not answer in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}:\n{log.read_text()[-4000:]}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within {seconds:.0f} s:\n{log.read_text()[-4000:]}")


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of those it started that still run."""
    total = 0.0
    process = psutil.Process(pid)
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
