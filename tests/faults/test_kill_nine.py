"""kill -9 of the worker, of PostgreSQL and of everything, while two hundred samples are being analysed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from installation import Installation, Uploaded

from sample_agent.billing import PLANS
from sample_agent.core.postgres import EmbeddedPostgres, running_server
from sample_agent.core.postgres.server import free_port

pytestmark = pytest.mark.faults

FILES = 200
MOMENTS = (10, 50, 90, 130)
"""After how many completed jobs the blow falls."""


async def upload_all(installation: Installation) -> list[Uploaded]:
    """Two hundred files of two people, on plans with different numbers of places."""
    people = [(await installation.make_user(), PLANS[plan]) for plan in ("enterprise", "pro")]
    return [await installation.upload(user, plan=plan) for number in range(FILES // 2) for user, plan in people]


async def until_completed(installation: Installation, number: int) -> None:
    await installation.until(lambda counts: counts.get("completed", 0) >= number)


async def test_the_worker_is_killed_again_and_again(installation: Installation) -> None:
    uploads = await upload_all(installation)
    for moment in MOMENTS:
        worker = installation.start_worker()
        await until_completed(installation, moment)
        worker.kill()
    worker = installation.start_worker()
    await installation.until_all_ended()
    await installation.check_that_everything_happened_once(uploads)
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    assert installation.temporary_files() == []
    assert installation.engine_processes() == []


async def test_postgres_is_killed_again_and_again(
    installation: Installation, durable_postgres: EmbeddedPostgres
) -> None:
    uploads = await upload_all(installation)
    for moment in MOMENTS:
        worker = installation.start_worker()
        await until_completed(installation, moment)
        assert durable_postgres.pid is not None
        psutil.Process(durable_postgres.pid).kill()
        assert worker.wait() == 1, "without its database a worker ends, to be started again"
        assert durable_postgres.restart_if_dead()
    worker = installation.start_worker()
    await installation.until_all_ended()
    await installation.check_that_everything_happened_once(uploads)
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    assert installation.temporary_files() == []


async def test_everything_is_killed_at_once(tree: Tree) -> None:
    tree.start()
    installation = tree.installation()
    try:
        uploads = await upload_all(installation)
        for moment in MOMENTS[:2]:
            await until_completed(installation, moment)
            tree.kill()
            tree.start()
            await installation.close()
            installation = tree.installation()
        await installation.until_all_ended()
        await installation.check_that_everything_happened_once(uploads)
    finally:
        await installation.close()
    tree.stop()
    assert installation.temporary_files() == []


class Tree:
    """`sample-agent serve` with all it starts."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port, self.worker_port = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data_dir.with_suffix(".log")

    def start(self) -> None:
        """Returns once it says that it runs."""
        environment = Installation.environment_for(
            data_dir=self.data_dir, worker_port=self.worker_port, worker_processes=2, job_heartbeat_seconds=2
        )
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sample_agent", "serve", "--port", str(self.port)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while "is running" not in self.log.read_text(errors="replace"):
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to every process of the tree."""
        assert self.process is not None
        root = psutil.Process(self.process.pid)
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(60) == 0

    def installation(self) -> Installation:
        """The running installation, seen from outside."""
        return Installation(self.data_dir, running_server(self.data_dir).app_url, self.worker_port)


@pytest.fixture
def tree(reachable_tmp: Path) -> Iterator[Tree]:
    data_dir = reachable_tmp / "tree"
    data_dir.mkdir()
    tree = Tree(data_dir)
    yield tree
    if tree.process is not None and tree.process.poll() is None:
        tree.kill()
