"""`sample-agent analyze --remote`: the same answers, from an installation's workers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI

from sample_agent.apps.wiring import make_storage
from sample_agent.cli.analyze.remote import tell_of_absence
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import Settings
from sample_agent.library.analyzer import Analyzer
from sample_agent.library.loose_files import FOLDER, LooseFiles, analyze_loose_file, result_key, sweep_loose_files
from tests.engine.files import write
from tests.serving import working
from tests.sounds import chord, drum_loop
from tests.waiting import until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "crate"
    folder.mkdir()
    write(folder / "Break 100bpm.wav", samples=drum_loop(100, beats=16))
    write(folder / "chord.flac", "FLAC", "PCM_16", chord(220, 262, 330))
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    return folder


async def _run(settings: Settings, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert settings.database_url is not None
    command = [sys.executable, "-c", "from sample_agent.cli import main; main()", "analyze", *map(str, arguments)]
    return await asyncio.to_thread(
        subprocess.run,
        [*command, "--json", "--fresh"],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            "PATH": "",
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "SAMPLE_AGENT_DATA_DIR": str(settings.data_dir),
        },
    )


@pytest.mark.usefixtures("worker")
async def test_workers_give_the_same_answers_and_nothing_is_left_behind(settings: Settings, folder: Path) -> None:
    at_workers, here = await asyncio.gather(_run(settings, folder, "--remote"), _run(settings, folder))
    assert at_workers.stdout == here.stdout
    assert len(here.stdout.splitlines()) == 3
    assert at_workers.returncode == here.returncode == 1
    storage = make_storage(settings, links_from="")
    assert [stored async for stored in storage.list(FOLDER)] == []


@pytest.mark.usefixtures("worker")
async def test_a_name_that_is_not_text_and_a_file_that_cannot_be_read_do_not_end_the_run(
    settings: Settings, folder: Path
) -> None:
    (folder / "chord.flac").rename(folder / os.fsdecode(b"chord 120bpm \xff.flac"))
    (folder / "gone.wav").symlink_to(folder / "nowhere.wav")
    done = await _run(settings, folder, "--remote")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 4, done.stderr
    named = next(row for row in rows if "120bpm" in row["file"])
    assert named["hints"]["tempo"] == 120
    gone = next(row for row in rows if row["file"].endswith("gone.wav"))
    assert gone["error"]["code"] == "file-not-found"


async def test_a_defect_on_the_worker_is_a_result_for_whoever_waits(settings: Settings, tmp_path: Path) -> None:
    class Broken:
        async def describe(self, file_key: str, *, filename: str = "") -> dict[str, Any]:
            raise ZeroDivisionError

    storage = make_storage(settings, links_from="")
    key = f"{FOLDER}/{new_id()}/a"
    await storage.put(key, b"sound", "application/octet-stream")
    await analyze_loose_file({"key": key, "filename": "a"}, storage=storage, analyzer=cast("Analyzer", Broken()))
    assert json.loads(await storage.read(result_key(key)))["error"]["code"] == "analysis-failed"


async def test_without_a_worker_it_says_what_to_start(settings: Settings, folder: Path) -> None:
    done = await _run(settings, folder, "--remote")
    assert done.returncode == 1
    assert "sample-agent worker" in done.stderr
    assert "Traceback" not in done.stderr


async def test_when_the_last_worker_is_gone_it_says_so_once_and_when_one_is_back(
    app: FastAPI, settings: Settings, database: Database
) -> None:
    said: list[str] = []
    watching = asyncio.create_task(tell_of_absence(database, said.append, look=0.02, absent=0.1))
    try:
        await asyncio.to_thread(until, lambda: len(said) == 1)
        assert "Ctrl-C" in said[0]
        async with working(settings):
            await asyncio.to_thread(until, lambda: len(said) == 2)
        assert said[1] == "A worker is there again."
    finally:
        watching.cancel()


async def test_a_run_that_is_called_off_takes_its_tasks_back(
    app: FastAPI, settings: Settings, database: Database, folder: Path
) -> None:
    storage = make_storage(settings, links_from="")
    asking = asyncio.create_task(LooseFiles(database, storage).analyze(folder / "chord.flac"))
    await asyncio.to_thread(until, lambda: list((settings.files_dir / FOLDER).glob("*/*")))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert [stored async for stored in storage.list(FOLDER)] == []


async def test_what_a_killed_run_left_is_swept_when_it_is_old(settings: Settings) -> None:
    storage = make_storage(settings, links_from="")
    fresh, old = f"{FOLDER}/{new_id()}/a", f"{FOLDER}/01900000-0000-7000-8000-000000000000/a"
    for key in (fresh, old):
        await storage.put(key, b"sound", "application/octet-stream")
    assert await sweep_loose_files(storage, older_than=timedelta(days=7)) == 1
    assert [stored.key async for stored in storage.list(FOLDER)] == [fresh]
