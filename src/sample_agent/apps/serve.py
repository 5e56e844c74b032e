"""Everything on one machine: a supervisor over PostgreSQL, the API process and a worker.

The supervisor itself stays small: it loads no web framework, and what it starts dies with it.
"""

from __future__ import annotations

import asyncio
import sys

from sample_agent.apps.migrate import migrate
from sample_agent.core.postgres import EmbeddedPostgres
from sample_agent.core.processes import Program, Supervisor
from sample_agent.core.settings import Settings


def serve(settings: Settings) -> int:
    """Start the database (unless DATABASE_URL names one), migrate it, and run the programs until told to stop.

    Returns the exit status for the process.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if settings.database_url is not None:
        return _run(settings, settings.database_url.get_secret_value(), postgres=None)
    with EmbeddedPostgres(settings.data_dir) as postgres:
        asyncio.run(migrate(postgres.address.owner_url))
        return _run(settings, postgres.address.app_url, postgres=postgres)


def _run(settings: Settings, app_url: str, *, postgres: EmbeddedPostgres | None) -> int:
    given = {
        "SAMPLE_AGENT_DATABASE_URL": app_url,
        "SAMPLE_AGENT_DATA_DIR": str(settings.data_dir),
        "SAMPLE_AGENT_HOST": settings.host,
        "SAMPLE_AGENT_PORT": str(settings.port),
        "SAMPLE_AGENT_PUBLIC_URL": settings.public_url,
    }
    sample_agent = (sys.executable, "-m", "sample_agent")
    supervisor = Supervisor(
        [
            Program("api", (*sample_agent, "api"), given, ready=f"http://{_reachable(settings)}/readyz"),
            Program("worker", (*sample_agent, "worker"), given),
        ],
        postgres=postgres,
    )
    return supervisor.run(on_ready=lambda: _greet(settings))


def _reachable(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return f"{host}:{settings.port}"


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
