"""`sample-agent analyze`, told to stop."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.cli.running import ANALYZE, analyze, environment
from tests.engine.files import write
from tests.sounds import drum_loop
from tests.waiting import until

FILES = 60


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loops")
    for number in range(FILES):
        write(folder / f"{number:02}.wav", samples=drum_loop(90 + number, beats=32))
    return folder


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_stops_it_hears_how_far_it_came_and_nothing_is_left_behind(
    folder: Path, tmp_path: Path, by: signal.Signals
) -> None:
    output, unfinished = tmp_path / "out.jsonl", tmp_path / ".out.jsonl.unfinished"
    command = [*ANALYZE, str(folder), "-o", str(output), "-j", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as run:
        until(lambda: unfinished.exists() and unfinished.read_bytes().count(b"\n") >= 3)
        workers = psutil.Process(run.pid).children()
        run.send_signal(by)
        said = run.communicate(timeout=60)[1]
    assert run.returncode == 128 + by
    told = re.fullmatch(r"(\d+) of 60 done; run the same command again to go on\.\n", said)
    assert told, said
    assert workers
    assert not any(worker.is_running() for worker in workers)
    assert not output.exists()
    assert not unfinished.exists()
    again = analyze(folder, "-o", output)
    assert again.returncode == 0
    assert int(again.stderr.split(" unchanged")[0].split()[-1]) >= int(told[1]) >= 3


def test_what_begins_anew_each_time_does_not_promise_to_go_on(folder: Path, tmp_path: Path) -> None:
    command = [*ANALYZE, str(folder), "--json", "--fresh", "-j", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()) as run:
        assert run.stdout is not None
        run.stdout.readline()
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=60)[1]
    assert re.fullmatch(r"\d+ of 60 done\.\n", said), said
