"""Whatever a file does to the process that reads it, the pool and its owner live on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sample_agent.engine import AudioError, analyze_file
from sample_agent.engine.pool import EnginePool, PoolUnavailableError
from tests.engine import tasks
from tests.engine.files import AUDIO, write
from tests.sounds import drum_loop
from tests.waiting import until


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pool() -> AsyncIterator[EnginePool]:
    async with EnginePool(workers=1, timeout_seconds=30, memory_bytes=512 << 20) as pool:
        yield pool


async def test_a_worker_gives_the_same_analysis_as_the_process_itself(pool: EnginePool, tmp_path: Path) -> None:
    path = write(tmp_path / "blob", samples=drum_loop(100))
    analysis = await pool.analyze(path, filename="Break 100bpm.wav")
    assert analysis.to_dict() == analyze_file(path, filename="Break 100bpm.wav").to_dict()
    assert analysis.hints.tempo == 100
    assert len(analysis.waveform_row) == 128


async def test_a_bad_file_is_an_error_and_the_worker_stays(pool: EnginePool, tmp_path: Path) -> None:
    before = await pool.run(tasks.process_id)
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"nothing to hear")
    with pytest.raises(AudioError) as caught:
        await pool.analyze(bad)
    assert caught.value.code == "unsupported-format"
    assert await pool.run(tasks.process_id) == before


@pytest.mark.parametrize(
    ("task", "code"),
    [
        (tasks.crash, "analysis-crashed"),
        (tasks.abort, "analysis-crashed"),
        (tasks.leave, "analysis-crashed"),
        (tasks.eat_memory, "too-much-memory"),
    ],
)
async def test_a_worker_that_dies_is_replaced(pool: EnginePool, task: object, code: str) -> None:
    with pytest.raises(AudioError) as caught:
        await pool.run(task)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert await pool.run(tasks.double, 21) == 42


@pytest.mark.parametrize("task", [tasks.hang, tasks.spin])
async def test_a_task_that_takes_too_long_is_ended(task: object) -> None:
    async with EnginePool(workers=1, timeout_seconds=0.5) as pool:
        worker = await pool.run(tasks.process_id)
        with pytest.raises(AudioError) as caught:
            await pool.run(task)  # type: ignore[arg-type]
        assert caught.value.code == "analysis-timeout"
        assert not psutil.pid_exists(worker)
        assert await pool.run(tasks.double, 1) == 2


async def test_a_worker_that_died_while_idle_is_not_the_fault_of_the_next_file(
    pool: EnginePool, tmp_path: Path
) -> None:
    path = write(tmp_path / "kick.wav")
    idle = psutil.Process(await pool.run(tasks.process_id))
    idle.kill()
    assert (await pool.analyze(path)).frames > 0


async def test_a_worker_whose_death_is_known_is_replaced_as_well(pool: EnginePool) -> None:
    idle = await pool.run(tasks.process_id)
    psutil.Process(idle).kill()
    # Reaped, that is.
    await asyncio.to_thread(until, lambda: not psutil.pid_exists(idle))
    assert await pool.run(tasks.double, 4) == 8


async def test_a_pool_that_is_closed_says_so_to_all_who_have_or_wait_for_a_worker() -> None:
    before = set(psutil.Process().children())
    pool, running = EnginePool(workers=1), asyncio.Event()
    at_work = asyncio.ensure_future(pool.run(tasks.announce_and_hang, on_progress=lambda percent, step: running.set()))
    await running.wait()
    waiting = [asyncio.ensure_future(pool.run(tasks.process_id)) for _ in range(2)]
    await asyncio.sleep(0)
    await pool.close()
    ends = await asyncio.gather(at_work, *waiting, pool.run(tasks.process_id), return_exceptions=True)
    assert [type(end) for end in ends] == [PoolUnavailableError] * 4
    assert set(psutil.Process().children()) <= before


async def test_a_pool_that_is_closed_while_a_worker_starts_leaves_none_behind() -> None:
    before = set(psutil.Process().children())
    for turns in (1, 3, 30):
        pool = EnginePool(workers=2)
        starting = [asyncio.ensure_future(pool.run(tasks.hang)) for _ in range(2)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await asyncio.gather(pool.close(), pool.close())
        ends = await asyncio.gather(*starting, return_exceptions=True)
        assert [type(end) for end in ends] == [PoolUnavailableError] * 2
        assert set(psutil.Process().children()) <= before


async def test_a_cancelled_caller_frees_the_worker(pool: EnginePool) -> None:
    running = asyncio.Event()
    waiting = asyncio.ensure_future(pool.run(tasks.announce_and_hang, on_progress=lambda percent, step: running.set()))
    await running.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await pool.run(tasks.double, 2) == 4


async def test_errors_of_a_task_arrive_as_they_were(pool: EnginePool) -> None:
    with pytest.raises(LookupError, match="nowhere"):
        await pool.run(tasks.fail, "nowhere")


async def test_printing_does_not_disturb_the_protocol(pool: EnginePool) -> None:
    assert await pool.run(tasks.chatter) == "fine"


async def test_progress_arrives_while_the_task_runs(pool: EnginePool) -> None:
    seen: list[tuple[int, str]] = []
    assert await pool.run(tasks.count, on_progress=lambda percent, step: seen.append((percent, step))) == "done"
    assert seen == [(10, "counting"), (50, "counting"), (90, "counting")]


async def test_workers_dump_no_core(pool: EnginePool) -> None:
    assert await pool.run(tasks.core_limit) == 0


async def test_several_workers_share_the_work() -> None:
    async with EnginePool(workers=2) as pool:
        assert await asyncio.gather(*(pool.run(tasks.double, n) for n in range(20))) == [2 * n for n in range(20)]
        workers = await asyncio.gather(*(pool.run(tasks.process_id) for _ in range(2)))
    assert len(set(workers)) == 2
    assert not any(psutil.pid_exists(worker) for worker in workers)


async def test_a_failed_preview_leaves_no_file(pool: EnginePool, tmp_path: Path) -> None:
    destination = tmp_path / "preview"
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    with pytest.raises(AudioError):
        await pool.render_preview(bad, destination)
    assert not destination.exists()


_OWNER = """
import asyncio, sys
from sample_agent.engine.pool import EnginePool
from tests.engine import tasks

async def main():
    async with EnginePool(workers=1) as pool:
        print(await pool.run(tasks.process_id), flush=True)
        await pool.run(tasks.spin)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help in this is Linux's")
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_owner(by: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert owner.stdout is not None
    worker = psutil.Process(int(owner.stdout.readline()))
    owner.send_signal(by)
    owner.communicate(timeout=20)
    worker.wait(timeout=20)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A small valid file of each family."""
    folder = tmp_path_factory.mktemp("seeds")
    samples = drum_loop(120, beats=1)
    written = [
        write(folder / f"{container}-{subtype}", container, subtype, samples).read_bytes()
        for container, subtype in (
            ("WAV", "PCM_16"),
            ("WAV", "FLOAT"),
            ("AIFF", "PCM_24"),
            ("FLAC", "PCM_16"),
            ("MP3", "MPEG_LAYER_III"),
            ("OGG", "VORBIS"),
            ("OGG", "OPUS"),
        )
    ]
    names = ("chord.m4a", "chord-faststart.m4a", "chord-lossless.m4a", "chord.aac")
    return written + [(AUDIO / name).read_bytes() for name in names]


_edits = st.lists(
    st.tuples(
        st.sampled_from(("flip", "cut", "repeat", "insert")),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=16),
    ),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(which=st.integers(0, 10), edits=_edits)
async def test_no_mutation_of_a_file_harms_the_pool(
    pool: EnginePool, seeds: list[bytes], tmp_path: Path, which: int, edits: list[tuple[str, float, bytes]]
) -> None:
    path = tmp_path / "mutant"
    path.write_bytes(_mutated(seeds[which], edits))
    try:
        analysis = await pool.analyze(path)
    except AudioError as error:
        assert error.code in ("unsupported-format", "corrupt-audio", "empty-audio", "too-long")  # noqa: PT017
    else:
        json.dumps(analysis.to_dict(), allow_nan=False)


def _mutated(content: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    data = bytearray(content)
    for kind, where, value in edits:
        # Squared: headers lie at the beginning and are the more fragile part.
        at = int(where**2 * len(data))
        if kind == "flip":
            data[at : at + len(value)] = value
        elif kind == "cut":
            del data[at : at + len(value) * 64]
        elif kind == "repeat":
            data[at:at] = data[at : at + len(value) * 64]
        else:
            data[at:at] = value
    return bytes(data)
