"""The programs as they are installed, started as processes of their own: all under one command, or each by itself."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL

import psutil
from sqlalchemy import text

from sample_agent.accounts.live_sessions import REVOCATION_SECONDS
from sample_agent.core.database import Database
from sample_agent.core.mail import read_outbox
from sample_agent.core.postgres import EmbeddedPostgres, running_server
from sample_agent.core.postgres.server import free_port
from tests.waiting import until

START_SECONDS = 90
MAIL_SECONDS = 60
STOP_SECONDS = 40
COMMAND = Path(sys.executable).with_name("sample-agent")


class Program:
    """One process and everything it prints."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [COMMAND, *arguments],
                cwd=folder,  # where no .env lies
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def until_ready(self, url: str) -> None:
        """Wait until `url` answers with 200; fails with what the program printed when it ends before that."""

        def ready() -> bool:
            assert self.process.poll() is None, f"{self.name} has ended:\n{self.printed()}"
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                return False

        until(ready, START_SECONDS)

    def stop(self) -> None:
        """Ask it to end, and insist when it does not."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, SIGKILL)
            self.process.wait()
            raise AssertionError(f"{self.name} did not end:\n{self.printed()}") from None

    def printed(self) -> str:
        """Everything, or nothing once its folder is cleared away."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass
class Installation:
    """Running programs. `url` is where people open the web app, `library_url` where it finds the library."""

    mode: str
    folder: Path
    url: str
    library_url: str
    environment: dict[str, str]
    programs: list[Program] = field(default_factory=list)

    def start(self, name: str, *arguments: str, ready: str) -> Program:
        program = Program(name, arguments, self.environment, self.folder)
        self.programs.append(program)
        program.until_ready(ready)
        return program

    def make_account(
        self, email: str, password: str, *, first_name: str = "", last_name: str = "", admin: bool = False
    ) -> None:
        """An account that is verified already, by the command for it."""
        more = ["--first-name", first_name, "--last-name", last_name, *(["--admin"] if admin else [])]
        made = subprocess.run(
            [COMMAND, "user", "create", email, "--password-stdin", *more],
            cwd=self.folder,
            env=self.environment,
            input=password + "\n",
            check=False,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stdout + made.stderr

    def link_mailed_to(self, email: str, path: str) -> str:
        """The newest link to `path` in the mails to `email`; waits until one has come."""
        outbox = Path(self.environment["SAMPLE_AGENT_DATA_DIR"]) / "outbox"

        def links() -> list[str]:
            mails = [mail.text for mail in read_outbox(outbox) if mail.to == email]
            return [word for text in mails for word in text.split() if word.startswith(f"{self.url}{path}?")]

        until(lambda: bool(links()), MAIL_SECONDS)
        return links()[0]

    async def forget_proofs(self, email: str) -> None:
        """Let the time pass after which dangerous acts ask who one is."""
        url = self.environment.get("DATABASE_OWNER_URL")
        url = url or running_server(Path(self.environment["SAMPLE_AGENT_DATA_DIR"])).owner_url
        database = Database(url, pool_size=1)
        async with database.transaction(purpose="identity") as session:
            await session.execute(
                text(
                    "update sessions set authenticated_at = authenticated_at - interval '1 hour'"
                    " from users where users.id = sessions.user_id and users.email = :email"
                ),
                {"email": email},
            )
        await database.close()
        # The bound within which every process knows.
        await asyncio.sleep(REVOCATION_SECONDS)


@contextmanager
def installed(mode: str, folder: Path) -> Iterator[Installation]:
    """A running installation, "everything" under one command or "split"; afterwards nothing is left of it."""
    with ExitStack() as ending:
        ending.callback(_refuse_orphans, folder)
        yield ending.enter_context(MODES[mode](folder))


@contextmanager
def everything(folder: Path) -> Iterator[Installation]:
    """`sample-agent serve`: its own database, one API process and one worker."""
    port = free_port()
    url = f"http://localhost:{port}"
    own = {"DATA_DIR": str(folder / "data"), "PORT": str(port), "WORKER_PORT": str(free_port())}
    with _installation(Installation("everything", folder, url, url, _environment(own))) as installation:
        installation.start(
            "serve",
            "serve",
            "--data-dir",
            own["DATA_DIR"],
            "--port",
            str(port),
            ready=f"http://127.0.0.1:{port}/readyz",
        ).until_ready(f"http://127.0.0.1:{own['WORKER_PORT']}/readyz")
        yield installation


@contextmanager
def split(folder: Path) -> Iterator[Installation]:
    """Accounts API, library API, engine API and worker, each a program, over one database."""
    ports = {name: str(free_port()) for name in ("accounts", "library", "engine", "worker")}
    url, library_url = f"http://localhost:{ports['accounts']}", f"http://localhost:{ports['library']}"
    own = {
        "DATA_DIR": str(folder / "data"),
        "PORT": ports["accounts"],
        "PUBLIC_URL": url,
        "LIBRARY_URL": library_url,
        "ENGINE_URL": f"http://127.0.0.1:{ports['engine']}",
        "ENGINE_TOKEN": "a token between our own programs",
        "ENGINE_ALLOWED_HOSTS": f"localhost:{ports['library']}",
        "WORKER_PORT": ports["worker"],
    }
    with EmbeddedPostgres(folder / "database") as server:
        database = {"DATABASE_URL": server.address.app_url, "DATABASE_OWNER_URL": server.address.owner_url}
        with _installation(Installation("split", folder, url, library_url, _environment(own) | database)) as running:
            subprocess.run([COMMAND, "migrate"], cwd=folder, env=running.environment, check=True, capture_output=True)
            running.start("accounts-api", "accounts-api", ready=f"http://127.0.0.1:{ports['accounts']}/readyz")
            for name in ("library", "engine"):
                running.start(
                    f"{name}-api", f"{name}-api", "--port", ports[name], ready=f"http://127.0.0.1:{ports[name]}/healthz"
                )
            running.start("worker", "worker", ready=f"http://127.0.0.1:{ports['worker']}/readyz")
            yield running


MODES = {"everything": everything, "split": split}


@contextmanager
def _installation(installation: Installation) -> Iterator[Installation]:
    """Ends every program afterwards, the last one started first."""
    with ExitStack() as ending:
        ending.callback(lambda: [program.stop() for program in reversed(installation.programs)])
        yield installation


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what would lead to another installation, and with `own` settings.

    Everybody in these stories lives at one address, so addresses have no limit.
    """
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("SAMPLE_AGENT_", "DATABASE_", "JWT_"))
    }
    own = {"AUTH_REQUESTS_PER_QUARTER_HOUR": "0", **own}
    return inherited | {f"SAMPLE_AGENT_{name}": value for name, value in own.items()}


def _refuse_orphans(folder: Path) -> None:
    """Every process of the installation knows its folder, from its environment or its command line."""
    orphans = [process for process in psutil.process_iter() if _belongs_to(process, folder)]
    told = [f"{process.pid} {' '.join(process.cmdline())}" for process in orphans]
    for process in orphans:
        process.kill()
    assert not orphans, "left running: " + "; ".join(told)


def _belongs_to(process: psutil.Process, folder: Path) -> bool:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        known = [*process.cmdline(), process.environ().get("SAMPLE_AGENT_DATA_DIR", "")]
        return any(str(folder) in text for text in known)
    except psutil.Error:
        return False
