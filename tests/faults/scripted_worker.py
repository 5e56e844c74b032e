"""A worker whose analyzer is slow, or deadly, where a test wants it: `python scripted_worker.py WHERE PATH`.

WHERE is a moment in the life of a job. `wait:<moment>` waits there until PATH exists; `die:<moment>` kills the process
there with SIGKILL. Moments: `claimed`, `stored` (the preview is stored, the result not written), `written` (the result
is committed, the queue not told), and `none`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sample_agent.apps import worker
from sample_agent.apps.wiring import make_storage
from sample_agent.core.logs import start_logs
from sample_agent.core.settings import Settings
from sample_agent.core.storage import Storage
from sample_agent.engine import ENGINE_VERSION
from sample_agent.library import tasks
from sample_agent.library.analyzer import Analyzed, OnProgress
from sample_agent.library.tasks import Tools

FOUND = Analyzed(
    result={
        "engine_version": ENGINE_VERSION,
        "tempo": None,
        "key": None,
        "kind": {"kind": "one-shot", "confidence": 0.9},
        "loudness": {"integrated_lufs": None, "true_peak_dbtp": -1.0, "sample_peak_dbfs": -1.2},
        "spectral": {"centroid_hz": 1500.0},
        "duration": 0.2,
        "sample_rate": 44100,
        "channels": 1,
    },
    waveform_row=bytes(128),
    peaks=bytes(4096),
    close_peaks=None,
    spectrogram=b"\x89PNG",
    preview_content_type="audio/flac",
    preview_size=7,
    vibe="a short knock",
)


class ScriptedAnalyzer:
    """Finds the same in every file."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def analyze(
        self, file_key: str, preview_key: str, on_progress: OnProgress, *, filename: str = ""
    ) -> Analyzed:
        on_progress(10, "listening")
        await reach("claimed")
        await self.storage.put(preview_key, b"preview", "audio/flac")
        await reach("stored")
        return FOUND


async def reach(moment: str) -> None:
    action, _, chosen = sys.argv[1].partition(":")
    if chosen != moment:
        return
    if action == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    while not Path(sys.argv[2]).exists():  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.02)


async def analyze_sample(payload: dict[str, Any], tools: Tools) -> None:
    await tasks.analyze_sample(payload, tools)
    await reach("written")


async def main() -> None:
    settings = Settings()
    start_logs(settings)
    worker.analyze_sample = analyze_sample  # type: ignore[assignment]
    shutdown = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, shutdown.set)
    await worker.run_worker(settings, shutdown, analyzer=ScriptedAnalyzer(make_storage(settings, links_from="")))


if __name__ == "__main__":
    asyncio.run(main())
