"""Everything on one machine: a supervisor over PostgreSQL, the API process and a worker.

The supervisor itself stays small: it loads no web framework, and what it starts dies with it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys

from sample_agent.apps.migrate import is_migrated
from sample_agent.core.postgres import EmbeddedPostgres
from sample_agent.core.processes import Program, Supervisor
from sample_agent.core.settings import Settings


class PortTakenError(RuntimeError):
    """Another program listens where we should."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"{host}:{port} is in use, perhaps by a Sample Agent that runs already. "
            "Stop that program, or choose another port with --port."
        )


class NotMigratedError(RuntimeError):
    """The database that is not ours to migrate has another schema than this version needs."""

    def __init__(self) -> None:
        super().__init__("The database of DATABASE_URL has another schema: run `sample-agent migrate` first.")


def serve(settings: Settings) -> int:
    """Start the database (unless DATABASE_URL names one), migrate it, and run the programs until told to stop.

    Returns the exit status for the process.
    """
    if not _is_free(settings.host, settings.port):
        raise PortTakenError(settings.host, settings.port)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    settings.signing_key_bytes()
    if settings.database_url is not None:
        app_url = settings.database_url.get_secret_value()
        if not asyncio.run(is_migrated(app_url)):
            raise NotMigratedError
        return _run(settings, app_url, postgres=None)
    with EmbeddedPostgres(settings.data_dir) as postgres:
        _migrate(postgres.address.owner_url)
        return _run(settings, postgres.address.app_url, postgres=postgres)


def _run(settings: Settings, app_url: str, *, postgres: EmbeddedPostgres | None) -> int:
    # Its metrics are no reason for a worker not to work: on a machine where their port is taken, any will do.
    worker_port = settings.worker_port if _is_free(settings.host, settings.worker_port) else _any_port(settings.host)
    given = {
        "SAMPLE_AGENT_DATABASE_URL": app_url,
        "SAMPLE_AGENT_DATA_DIR": str(settings.data_dir),
        "SAMPLE_AGENT_HOST": settings.host,
        "SAMPLE_AGENT_PORT": str(settings.port),
        "SAMPLE_AGENT_PUBLIC_URL": settings.public_url,
        "SAMPLE_AGENT_WORKER_PORT": str(worker_port),
    }
    sample_agent = (sys.executable, "-m", "sample_agent")
    supervisor = Supervisor(
        [
            Program(
                "api", (*sample_agent, "api"), given, ready=f"http://{_reachable(settings.host)}:{settings.port}/readyz"
            ),
            Program(
                "worker",
                (*sample_agent, "worker"),
                given,
                ready=f"http://{_reachable(settings.host)}:{worker_port}/readyz",
            ),
        ],
        postgres=postgres,
    )
    return supervisor.run(on_ready=lambda: _greet(settings))


def _migrate(owner_url: str) -> None:
    """Migrate in a process of its own when there is something to do, so that its memory is given back."""
    if not asyncio.run(is_migrated(owner_url)):
        subprocess.run(
            [sys.executable, "-m", "sample_agent", "migrate"],
            env={**os.environ, "DATABASE_URL": owner_url, "DATABASE_OWNER_URL": owner_url},
            check=True,
        )


def _is_free(host: str, port: int) -> bool:
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return False
    return True


def _any_port(host: str) -> int:
    with socket.create_server((host, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104


def _greet(settings: Settings) -> None:
    mails = f" (its mail arrives at {settings.public_url}/outbox)"
    outbox = mails if settings.development and not settings.smtp_host else ""
    lines = [
        "",
        "  SP-404MK2 Sample Agent is running.",
        "",
        f"  open           {settings.public_url}",
        f"  first account  register there{outbox},",
        "                 or run: sample-agent user create you@example.com --admin",
        f"  data           {settings.data_dir}",
        "  stop           Ctrl-C",
        "",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
