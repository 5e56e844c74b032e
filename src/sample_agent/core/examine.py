"""Finding out everything about one file, in the engine's own processes: the same for the worker and the engine API.

Knows neither storage nor HTTP: a file goes in, a preview and plain data come out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import structlog

from sample_agent.conversion import convert_to_wav
from sample_agent.engine import AudioError, PreviewInfo
from sample_agent.engine.level.waveform import Waveform
from sample_agent.engine.pool import EnginePool, PoolUnavailableError
from sample_agent.sp404.sound.prepare import Preparation

log = structlog.get_logger("examine")

OnProgress = Callable[[int, str], None]
"""Called with per cent done (0 to 100, never falling) and the name of the step that begins, on the event loop."""

ANALYSIS_PERCENT = 80
"""How much of all progress the analysis is; a preview is the rest."""

_SUDDEN_ENDS = frozenset({"analysis-crashed", "too-much-memory"})
"""What the pool says of a process that died. The system may have killed it for the sake of another, or a person by
mistake; if the next one dies of the same file, too, it was the file."""

T = TypeVar("T")


class EngineUnavailable(Exception):
    """The engine's processes cannot be started, are being shut down, or have no room on the disk."""


@dataclass(frozen=True)
class Examined:
    """What is known of a file.

    Attributes:
        features: the analysis as plain JSON data.
        waveform_row: 128 unsigned bytes, the height of the outline; 255 is the file's own peak.
        peaks: 4096 signed bytes: 2048 minima, then 2048 maxima of the downmix; 127 is full scale.
        close_peaks: the same eight times as fine, or None for a file so short that `peaks` show all there is.
        spectrogram: a PNG.
    """

    features: dict[str, Any]
    waveform_row: bytes
    peaks: bytes
    close_peaks: bytes | None
    spectrogram: bytes


async def examine(pool: EnginePool, source: Path, *, filename: str, on_progress: OnProgress) -> Examined:
    """Analyse the file `source`. `filename` is what its owner called it, for the hints a name gives.

    Progress ends at `ANALYSIS_PERCENT`; the rest is left for what the caller does with the file afterwards.

    Raises:
        AudioError: the file is at fault.
        EngineUnavailable: it is not.
    """

    highest = 0

    def on_analysis(percent: int, step: str) -> None:
        nonlocal highest
        highest = max(highest, percent * ANALYSIS_PERCENT // 100)
        on_progress(highest, step)

    analysis = await _fairly(lambda: pool.analyze(source, filename=filename or None, on_progress=on_analysis))
    finer = len(analysis.waveform_zoom.minimum) > len(analysis.waveform.minimum)
    return Examined(
        features=analysis.to_dict(),
        waveform_row=analysis.waveform_row,
        peaks=peaks_bytes(analysis.waveform),
        close_peaks=peaks_bytes(analysis.waveform_zoom) if finer else None,
        spectrogram=await asyncio.to_thread(analysis.spectrogram.png),
    )


async def preview(pool: EnginePool, source: Path, destination: Path) -> PreviewInfo:
    """Write a preview of the file `source`, which every browser plays, to `destination`.

    Raises:
        AudioError, EngineUnavailable: as `examine`.
    """
    return await _fairly(lambda: pool.render_preview(source, destination))


async def convert(pool: EnginePool, source: Path, destination: Path) -> Preparation:
    """Write the file `source` to `destination` as the WAV that the SP-404MK2 plays; what was done to it.

    Raises:
        AudioError, EngineUnavailable: as `examine`.
    """
    report: Preparation = await _fairly(lambda: pool.run(convert_to_wav, str(source), str(destination)))
    return report


def peaks_bytes(waveform: Waveform) -> bytes:
    """An outline as signed bytes, all minima before all maxima; what is over full scale is shown at full scale."""
    levels = np.concatenate((waveform.minimum, waveform.maximum))
    return np.clip(np.rint(levels * 127), -127, 127).astype(np.int8).tobytes()


async def _fairly(work: Callable[[], Awaitable[T]]) -> T:
    """The result of `work`, with the file blamed for what it did and for nothing else."""
    try:
        try:
            return await work()
        except AudioError as error:
            if error.code not in _SUDDEN_ENDS:
                raise
            log.warning("a process of the engine ended, trying in a new one", code=error.code)
            return await work()
    except AudioError:
        raise
    except (OSError, EOFError, PoolUnavailableError) as error:
        log.warning("the engine is not available", error=repr(error))
        raise EngineUnavailable(str(error)) from error
    except Exception as error:
        log.exception("the analysis failed in an unexpected way")
        raise AudioError(
            "analysis-failed", "The analysis failed in a way we did not expect. It has been logged for us to look at."
        ) from error
