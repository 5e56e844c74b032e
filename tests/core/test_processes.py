"""The process tree: what dies comes back, what is stopped stops in order, and nothing outlives the supervisor."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sample_agent.core.lifeline import LIFELINE_VARIABLE
from sample_agent.core.postgres.server import free_port
from sample_agent.core.processes import Backoff
from tests.waiting import processes_naming, until

SUPERVISOR = """
import sys
from pathlib import Path
from sample_agent.core.processes import Backoff, Program, Supervisor

folder = Path(sys.argv[1])

def python(name, code, **options):
    prologue = '''
import os, signal, subprocess, sys, time
from pathlib import Path
folder, name = Path(sys.argv[1]), sys.argv[2]
def note(word):
    with (folder / name).open("a") as file:
        file.write(word + chr(10))
def on(signum, action):
    signal.signal(signum, lambda *_: action())
'''
    return Program(name, [sys.executable, "-c", prologue + code, str(folder), name], **options)

"""
RUNS = "note(str(os.getpid()))\\nsignal.pause()"
Supervise = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """Runs a script that ends in `Supervisor(...).run()`, in a process group of its own."""
    started = []

    def start(script: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "stdout").open("wb") as stdout, (tmp_path / "stderr").open("wb") as stderr:
            program = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR + script, str(tmp_path)],
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        started.append(program)
        return program

    yield start
    for program in started:
        end(program)
    until(lambda: not processes_naming(str(tmp_path)))


@pytest.fixture
def notes(tmp_path: Path) -> Callable[[str], list[str]]:
    """What a program noted so far: whole lines."""

    def read(name: str) -> list[str]:
        path = tmp_path / name
        return path.read_text().split("\n")[:-1] if path.exists() else []

    return read


@pytest.mark.faults
def test_a_program_that_dies_is_started_again(supervise, notes):
    supervise(f"Supervisor([python('worker', '''{RUNS}''')], backoff=Backoff(first=0.01)).run()")
    first = int(until(lambda: notes("worker"))[0])
    os.kill(first, signal.SIGKILL)
    second = int(until(lambda: notes("worker")[1:])[0])
    assert second != first
    assert psutil.pid_exists(second)


def test_the_wait_doubles_with_each_failure_up_to_a_cap_and_starts_over_after_a_healthy_minute():
    backoff = Backoff(first=0.5, cap=30, healthy_after=60)
    failures, waits = 0, []
    for lived in (1, 1, 1, 1, 1, 1, 1, 1, 60, 1):
        failures = backoff.failures(failures, lived)
        waits.append(backoff.delay(failures))
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 0.5, 1]


@pytest.mark.faults
def test_what_a_dead_program_had_started_dies_with_it(supervise, notes):
    supervise(
        "Supervisor([python('worker', '''"
        "inner = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "note(f'{os.getpid()} {inner.pid}')\nsignal.pause()''')], backoff=Backoff(first=0.01)).run()"
    )
    outer, inner = map(int, until(lambda: notes("worker"))[0].split())
    os.kill(outer, signal.SIGKILL)
    until(lambda: gone(inner))
    until(lambda: notes("worker")[1:])


@pytest.mark.faults
@pytest.mark.parametrize("kill", [os.kill, os.killpg], ids=["supervisor", "process group"])
def test_programs_die_with_a_killed_supervisor(supervise, notes, kill, tmp_path):
    supervisor = supervise(f"Supervisor([python(name, '''{RUNS}''') for name in ('api', 'worker')]).run()")
    pids = [int(until(lambda name=name: notes(name))[0]) for name in ("api", "worker")]
    kill(supervisor.pid, signal.SIGKILL)
    until(lambda: all(gone(pid) for pid in pids))
    until(lambda: not processes_naming(str(tmp_path)))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_lets_programs_finish_and_is_a_success(supervise, notes, signum):
    supervisor = supervise(
        "sys.exit(Supervisor([python('worker', '''"
        "on(signal.SIGTERM, lambda: (note('finished'), sys.exit()))\nnote('up')\n"
        "while True: signal.pause()''')]).run())"
    )
    until(lambda: notes("worker"))
    supervisor.send_signal(signum)
    assert supervisor.wait(30) == 0
    assert notes("worker") == ["up", "finished"]


def test_an_interrupt_from_the_terminal_reaches_the_supervisor_alone(supervise, notes):
    supervisor = supervise(
        "sys.exit(Supervisor([python('worker', '''"
        "on(signal.SIGINT, lambda: note('interrupted'))\n"
        "on(signal.SIGTERM, lambda: (note('finished'), sys.exit()))\nnote('up')\n"
        "while True: signal.pause()''')]).run())"
    )
    until(lambda: notes("worker"))
    os.killpg(supervisor.pid, signal.SIGINT)  # what a terminal does: the whole foreground group gets it
    assert supervisor.wait(30) == 0
    assert notes("worker") == ["up", "finished"]


STUBBORN = (
    "on(signal.SIGTERM, lambda: note('asked'))\\n"
    "inner = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\\n"
    "note(f'{os.getpid()} {inner.pid}')\\nwhile True: signal.pause()"
)


@pytest.mark.faults
def test_a_program_that_does_not_stop_is_killed_with_what_it_started(supervise, notes):
    supervisor = supervise(f"sys.exit(Supervisor([python('worker', '''{STUBBORN}''')], grace=0.1).run())")
    pids = [int(pid) for pid in until(lambda: notes("worker"))[0].split()]
    supervisor.terminate()
    assert supervisor.wait(30) == 0
    assert notes("worker")[1:] == ["asked"]
    until(lambda: all(gone(pid) for pid in pids))


@pytest.mark.faults
def test_a_second_interrupt_forces_the_stop(supervise, notes):
    supervisor = supervise(f"sys.exit(Supervisor([python('worker', '''{STUBBORN}''')], grace=3600).run())")
    until(lambda: notes("worker"))
    supervisor.send_signal(signal.SIGINT)
    until(lambda: "asked" in notes("worker"))
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(30) == 0


def test_a_program_starts_when_the_one_before_is_ready(supervise, notes):
    supervise(
        "Supervisor([python('api', '''time.sleep(0.2)\nnote('up')\nsignal.pause()''', "
        "ready=lambda: (folder / 'api').exists()), "
        "python('worker', '''note(str((folder / 'api').exists()))\nsignal.pause()''')]).run()"
    )
    assert until(lambda: notes("worker")) == ["True"]


def test_the_tree_is_announced_when_every_address_answers(supervise, notes):
    port = free_port()
    supervise(
        f"page = [sys.executable, '-m', 'http.server', '{port}', '--bind', '127.0.0.1', '--directory', str(folder)]\n"
        f"Supervisor([Program('page', page, ready='http://127.0.0.1:{port}/')]).run(lambda: print('up', flush=True))"
    )
    until(lambda: "up" in notes("stdout"))
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        pass


def test_a_program_that_never_comes_up_ends_the_tree_and_is_named(supervise, notes):
    supervisor = supervise(
        "sys.exit(Supervisor([python('api', '''note('tried')\nsys.exit('port 80 is taken')''', ready=lambda: False)], "
        "backoff=Backoff(first=0.01), attempts=2).run())"
    )
    assert supervisor.wait(30) == 1
    words = " ".join(notes("stderr"))
    assert "port 80 is taken" in words  # the program's own words pass through
    assert "api ended 2 times before it was ready" in words
    assert notes("api") == ["tried", "tried"]


def test_variables_given_to_a_program_come_on_top_of_ours(supervise, notes):
    supervise(
        "Supervisor([python('worker', '''note(os.environ['GIVEN'] + os.environ['PATH'])\nsignal.pause()''', "
        "env={'GIVEN': 'and '})]).run()"
    )
    assert until(lambda: notes("worker")) == [f"and {os.environ['PATH']}"]


WITH_POSTGRES = """
from sample_agent.core.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[2]))
port = str(server.start().port)
(folder / "postmaster").write_text(f"{server.pid}\\n")
there = '''
import socket
def there():
    socket.create_connection(("127.0.0.1", int(os.environ["DB_PORT"])), timeout=10).close()
    note("the database is there")
'''
stops = "on(signal.SIGTERM, lambda: (there(), sys.exit()))"
wait = "note('up')\\nwhile True: signal.pause()"
code = chr(10).join([there, stops, wait])
sys.exit(Supervisor([python("worker", code, env={"DB_PORT": port})], postgres=server).run())
"""


@pytest.fixture
def with_postgres(tmp_path: Path, reachable_tmp: Path, supervise: Supervise) -> Iterator[subprocess.Popen[bytes]]:
    data_dir = reachable_tmp / tmp_path.name
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR + WITH_POSTGRES, str(tmp_path), str(data_dir)], start_new_session=True
    )
    yield supervisor
    end(supervisor)
    until(lambda: not processes_naming(str(data_dir)))


def test_programs_stop_before_their_database(with_postgres, notes, reachable_tmp, tmp_path):
    until(lambda: notes("worker"))
    with_postgres.terminate()
    assert with_postgres.wait(60) == 0
    assert notes("worker") == ["up", "the database is there"]
    assert gone(int(notes("postmaster")[0]))
    assert not processes_naming(str(reachable_tmp / tmp_path.name))


@pytest.mark.faults
def test_the_tree_brings_its_database_back(with_postgres, notes, reachable_tmp, tmp_path):
    until(lambda: notes("worker"))
    first = int(notes("postmaster")[0])
    os.kill(first, signal.SIGKILL)
    pid_file = reachable_tmp / tmp_path.name / "postgres" / "cluster" / "postmaster.pid"
    until(lambda: is_ready_again(pid_file, first))
    assert notes("worker") == ["up"]


IN_A_CONTAINER = """
from sample_agent.core.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[2]))
server.start()
code = '''
pid_file = Path(os.environ["PID_FILE"])
first = pid_file.read_text().split()[0]
os.kill(int(first), signal.SIGKILL)
def back():
    lines = pid_file.read_text().splitlines() if pid_file.exists() else []
    return len(lines) >= 8 and lines[0] != first and lines[7].strip() == "ready"
while not back():
    time.sleep(0.01)
subprocess.run(["sh", "-c", "sleep 0.01 &"])
def zombies():
    return "Z" in subprocess.run(["ps", "-eo", "state="], capture_output=True, text=True).stdout
while zombies():
    time.sleep(0.01)
note("the database came back and there are no zombies")
signal.pause()
'''
pid_file = str(Path(sys.argv[2]) / "postgres" / "cluster" / "postmaster.pid")
Supervisor([python("worker", code, env={"PID_FILE": pid_file})], postgres=server).run()
"""
AS_PROCESS_ONE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


@pytest.mark.faults
@pytest.mark.skipif(
    not shutil.which("unshare")
    or subprocess.run([*AS_PROCESS_ONE, "true"], capture_output=True, check=False).returncode != 0,
    reason="making a process namespace is not allowed here",
)
def test_as_process_one_of_a_container_it_brings_the_database_back_and_leaves_no_zombies(
    tmp_path, reachable_tmp, notes
):
    data_dir = reachable_tmp / tmp_path.name
    outside = subprocess.Popen(
        [*AS_PROCESS_ONE, sys.executable, "-c", SUPERVISOR + IN_A_CONTAINER, str(tmp_path), str(data_dir)]
    )
    try:
        assert until(lambda: notes("worker"), 60) == ["the database came back and there are no zombies"]
    finally:
        outside.kill()
        outside.wait()
    until(lambda: not processes_naming(str(data_dir)))


WATCHING = """
from sample_agent.core.lifeline import end_with_lifeline
end_with_lifeline()
print(1, flush=True)
input()
"""


@pytest.mark.faults
def test_a_child_that_watches_the_lifeline_dies_when_it_ends(tmp_path):
    watched, held = os.pipe()
    child = subprocess.Popen(
        [sys.executable, "-c", WATCHING],
        env={**os.environ, LIFELINE_VARIABLE: str(watched)},
        pass_fds=[watched],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(watched)
    try:
        assert child.stdout
        assert child.stdout.readline() == b"1\n"
        assert child.poll() is None
        os.close(held)
        assert child.wait(30) == -signal.SIGKILL
    finally:
        child.kill()
        child.communicate()


def is_ready_again(pid_file: Path, before: int) -> bool:
    lines = pid_file.read_text().splitlines() if pid_file.exists() else []
    return len(lines) >= 8 and int(lines[0]) != before and lines[7].strip() == "ready"


def end(supervisor: subprocess.Popen[bytes]) -> None:
    supervisor.terminate()
    try:
        supervisor.wait(20)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
