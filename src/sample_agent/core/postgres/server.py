"""Starts, watches, restarts and stops the embedded server."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sample_agent.core.lifeline import die_with_parent
from sample_agent.core.postgres.account import Account, server_account
from sample_agent.core.postgres.binaries import Binaries, find_binaries, reachable_binaries
from sample_agent.core.postgres.cluster import (
    SETTINGS_FILE,
    check_version,
    create_cluster,
    reset_superuser_password,
    server_environment,
    write_settings,
)
from sample_agent.core.postgres.errors import NoBinariesError, PostgresError, StartError
from sample_agent.core.postgres.folder import FolderLock, make_folder
from sample_agent.core.postgres.leftovers import end_leftovers, is_ready, wait_until
from sample_agent.core.postgres.roles import (
    APP,
    BACKUP,
    DATABASE,
    OWNER,
    SUPERUSER,
    prepare_database,
    read_or_create_passwords,
)

_PORTS = range(20000, 32768)  # below the range from which systems take the local port of outgoing connections
_PORT_ATTEMPTS = 5


@dataclass(frozen=True)
class ServerAddress:
    """Where the server listens, and as whom to connect."""

    data_dir: Path
    port: int
    app_url: str
    """The application's role: bound by row-level security."""
    owner_url: str
    """The role that owns database, schema and tables: for migrations."""
    backup_url: str
    """A role that reads everything and writes nothing: for pg_dump."""


@dataclass(frozen=True)
class _Prepared:
    binaries: Binaries
    account: Account
    passwords: Mapping[str, str]


class EmbeddedPostgres:
    """The server of one data folder. Start, restart and stop it from the main thread.

    Data lie in `data_dir/postgres/cluster`, logs in `data_dir/postgres/log`, passwords in `data_dir/postgres/pgpass`
    (mode 0600, usable as PGPASSFILE). `settings` overrides server settings. When this process dies, however it dies,
    the server ends at once; what was committed is there at the next start.
    """

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None, patience: float = 120) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.settings = dict(settings or {})
        self.patience = patience
        """Seconds the server may take to come up, recovery after a crash included."""
        self._home = self.data_dir.resolve() / "postgres"
        self._cluster = self._home / "cluster"
        self._lock = FolderLock(self._home / "lock", self.data_dir)
        self._prepared: _Prepared | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._address: ServerAddress | None = None

    @property
    def address(self) -> ServerAddress:
        """Raises PostgresError before the first start."""
        if self._address is None:
            raise PostgresError("the embedded PostgreSQL was not started")
        return self._address

    @property
    def pid(self) -> int | None:
        """The process number of the postmaster while it lives."""
        return self._process.pid if self._process and self.alive() else None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> ServerAddress:
        """Start the server, making its data folder first when there is none; returns when it takes connections.

        Raises AlreadyRunningError when another program runs it, and other PostgresErrors that say what to do.
        """
        if self._prepared is not None:
            self.restart_if_dead()
            return self.address
        if sys.platform == "win32":
            raise NoBinariesError("the embedded PostgreSQL does not run on Windows: set DATABASE_URL to a server")
        make_folder(self._home)
        self._lock.acquire()
        try:
            self._prepared = self._prepare()
            port = self._launch_on_free_port(self._prepared)
            prepare_database(self._prepared.binaries, port, self._prepared.passwords)
            self._address = _address_on(self.data_dir, port, self._prepared.passwords)
        except BaseException:
            self._end(signal.SIGQUIT)
            raise
        return self._address

    def restart_if_dead(self) -> bool:
        """Start a server that died again on the same port, so that pools find it; whether it had died.

        Raises StartError when it does not come up; call again later.
        """
        if self.alive():
            return False
        if self._prepared is None:
            raise PostgresError("the embedded PostgreSQL was not started, or was stopped")
        end_leftovers(self._cluster)
        self._launch(self._prepared, self.address.port)
        return True

    def stop(self, *, immediately: bool = False) -> None:
        """End every session and the server. `immediately` skips the checkpoint; the next start then replays the log."""
        self._end(signal.SIGQUIT if immediately else signal.SIGINT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare(self) -> _Prepared:
        binaries = find_binaries()
        account = server_account(self._cluster)
        account.require_reach(self._home)
        binaries = reachable_binaries(binaries, account, self._home / "programs")
        end_leftovers(self._cluster)
        log_dir = self._home / "log"
        log_dir.mkdir(mode=0o700, exist_ok=True)
        account.own(log_dir)
        write_settings(self._home / SETTINGS_FILE, log_dir, self.settings)
        password_file = self._home / "pgpass"
        passwords_lost = not password_file.exists()
        passwords = read_or_create_passwords(password_file)
        if not self._cluster.exists():
            create_cluster(binaries, self._cluster, account, passwords[SUPERUSER])
        check_version(self._cluster, binaries)
        if passwords_lost:
            reset_superuser_password(binaries, self._cluster, account, passwords[SUPERUSER])
        return _Prepared(binaries, account, passwords)

    def _launch_on_free_port(self, prepared: _Prepared) -> int:
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            port = free_port()
            try:
                self._launch(prepared, port)
            except StartError:
                # Asked of the port itself: the server's own words may not have reached its log yet.
                if is_free(port) or attempt == _PORT_ATTEMPTS:
                    raise
            else:
                return port
        raise AssertionError("unreachable")

    def _launch(self, prepared: _Prepared, port: int) -> None:
        logged = self._log_sizes()
        with (self._home / "startup.log").open("wb") as startup_log:
            self._process = process = subprocess.Popen(
                [
                    prepared.binaries.program("postgres"),
                    *("-D", self._cluster, "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}"),
                    *("-c", "unix_socket_directories="),
                ],
                stdin=subprocess.DEVNULL,
                stdout=startup_log,
                stderr=startup_log,
                cwd="/",
                env=server_environment(),
                start_new_session=True,  # the terminal's ^C is for us: the programs finish before their database
                preexec_fn=die_with_parent(signal.SIGQUIT),  # noqa: PLW1509 forks from the main thread only
                **prepared.account.popen_options(),
            )
        wait_until(lambda: process.poll() is not None or is_ready(self._cluster, process.pid), self.patience)
        if process.poll() is not None:
            raise StartError(f"PostgreSQL ended while starting ({process.returncode}):", self._log_since(logged))
        if not is_ready(self._cluster, process.pid):
            self._kill(process, signal.SIGQUIT)
            raise StartError(f"PostgreSQL did not start within {self.patience:.0f} s:", self._log_since(logged))

    def _end(self, signum: signal.Signals) -> None:
        if self._process is not None:
            self._kill(self._process, signum)
            end_leftovers(self._cluster)
        self._process = self._prepared = None
        self._lock.release()

    @staticmethod
    def _kill(process: subprocess.Popen[bytes], signum: signal.Signals) -> None:
        for stronger, seconds in ((signum, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            if process.poll() is None:
                process.send_signal(stronger)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return

    def _log_sizes(self) -> dict[Path, int]:
        return {path: path.stat().st_size for path in (self._home / "log").glob("*.log")}

    def _log_since(self, sizes: Mapping[Path, int], lines: int = 20) -> str:
        """The end of what the server said since its log files had `sizes`."""
        said = (self._home / "startup.log").read_text(errors="replace")
        for path in (self._home / "log").glob("*.log"):
            with path.open("rb") as file:
                file.seek(sizes.get(path, 0))
                said += file.read().decode(errors="replace")
        return "\n".join(said.splitlines()[-lines:])


def free_port() -> int:
    """A loopback port nobody listens on at the moment."""
    for port in random.sample(_PORTS, 100):
        if is_free(port):
            return port
    raise PostgresError("no free port on 127.0.0.1")


def is_free(port: int) -> bool:
    """Whether nobody listens on a loopback port at the moment."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def running_server(data_dir: Path) -> ServerAddress:
    """The address of the server that another program runs on this data folder. Raises PostgresError when none does."""
    home = data_dir.expanduser().resolve() / "postgres"
    try:
        port = int((home / "cluster" / "postmaster.pid").read_text().splitlines()[3])
    except (FileNotFoundError, IndexError, ValueError) as error:
        raise PostgresError(f"no embedded PostgreSQL runs on {data_dir}") from error
    return _address_on(data_dir, port, read_or_create_passwords(home / "pgpass"))


def _address_on(data_dir: Path, port: int, passwords: Mapping[str, str]) -> ServerAddress:
    def url(role: str) -> str:
        return f"postgresql://{role}:{passwords[role]}@127.0.0.1:{port}/{DATABASE}"

    return ServerAddress(data_dir, port, url(APP), url(OWNER), url(BACKUP))
