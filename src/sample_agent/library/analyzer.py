"""Having a stored file analysed: by this machine's own processes, or by the engine API."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import anyio
import httpx
import structlog

from sample_agent.core.examine import ANALYSIS_PERCENT, EngineUnavailable, examine, preview
from sample_agent.core.scratch import private_folder, scratch_space
from sample_agent.core.settings import Settings
from sample_agent.core.storage import ObjectMissing, Storage, StorageError
from sample_agent.engine import AUDIO_ERROR_CODES, AudioError
from sample_agent.engine.pool import EnginePool
from sample_agent.vibe import describe

OnProgress = Callable[[int, str], None]
"""Called with per cent done (0 to 100, never falling) and the name of the step that begins, on the event loop.

Plain and quick: it notes the progress for someone else to write down.
"""

LINK_LIFETIME = timedelta(hours=1)
"""How long the engine API may use the links it is given: longer than any analysis waits and takes."""

ENGINE_CONNECT_SECONDS = 10.0
ENGINE_QUEUE_SECONDS = 300.0
"""How much longer than its analysis a request to the engine API may take: waiting, fetching, sending."""

ENGINE_PATIENCE_SECONDS = 60.0
"""How long to ask an engine API again that is full or being restarted, before the attempt counts as made."""

log = structlog.get_logger("analyzer")


class AnalyzerUnavailable(Exception):
    """Nobody could look at the file just now, and nothing is known about it: try again later."""


class EngineCannotReachFilesError(RuntimeError):
    """The engine API is to fetch files that have no address."""

    def __init__(self) -> None:
        super().__init__(
            "SAMPLE_AGENT_ENGINE_URL is set, but files are kept in a folder that has no address. "
            "Set SAMPLE_AGENT_LIBRARY_URL to where the engine reaches the library API, or configure a bucket."
        )


@dataclass(frozen=True)
class Analyzed:
    """What is known of a file once it has been analysed.

    Attributes:
        result: the engine's analysis as plain JSON data (`engine.Analysis.to_dict`).
        waveform_row: 128 unsigned bytes, the height of the outline; 255 is the file's own peak.
        peaks: 4096 signed bytes: 2048 minima, then 2048 maxima of the downmix; 127 is full scale.
        close_peaks: the same eight times as fine, or None for a file so short that `peaks` show all there is.
        spectrogram: a PNG.
        preview_content_type: of the object now under the preview's key.
        preview_size: its size in bytes.
        vibe: the sound in a few words.
    """

    result: dict[str, Any]
    waveform_row: bytes
    peaks: bytes
    close_peaks: bytes | None
    spectrogram: bytes
    preview_content_type: str
    preview_size: int
    vibe: str


class Analyzer(Protocol):
    """Turns a stored file into what is known of it. Whoever calls this touches no file and no audio."""

    async def analyze(
        self, file_key: str, preview_key: str, on_progress: OnProgress, *, filename: str = ""
    ) -> Analyzed:
        """Analyse the object under `file_key` and store a preview that browsers play under `preview_key`.

        `filename` is what the file's owner called it; its hints at tempo and key are read from it. A preview that
        stood under `preview_key` is replaced in one step, and only when everything else is done.
        Cancelling stops the analysis at once and leaves no temporary file.

        Raises:
            AudioError: the file itself is at fault (its `code` and `message` are for its owner), or the object is not
                in storage (`file-not-found`). Only `analysis-crashed` might end otherwise another time.
            AnalyzerUnavailable: the engine, the storage or the connection is at fault; the file may be fine.
        """
        ...

    async def describe(self, file_key: str, *, filename: str = "") -> dict[str, Any]:
        """The analysis of the object under `file_key` with its `vibe`, as `description.describe_file` gives it.

        Nothing is stored. Raises as `analyze`.
        """
        ...


@asynccontextmanager
async def open_analyzer(settings: Settings, storage: Storage) -> AsyncIterator[Analyzer]:
    """The analyser that the settings ask for: the engine API at `engine_url`, or this machine's own processes.

    Stop using it before the context ends: what is still being analysed then is broken off.
    """
    if settings.engine_url:
        if not settings.storage_bucket and not settings.library_url:
            raise EngineCannotReachFilesError
        limits = httpx.Timeout(
            2 * settings.analysis_timeout_seconds + ENGINE_QUEUE_SECONDS, connect=ENGINE_CONNECT_SECONDS
        )
        async with httpx.AsyncClient(base_url=settings.engine_url, timeout=limits, trust_env=False) as http:
            yield RemoteAnalyzer(http, settings.engine_token_value(), storage)
        return
    pool = EnginePool(settings.worker_processes, settings.analysis_timeout_seconds, settings.analysis_memory_mb << 20)
    with scratch_space(settings.data_dir / "scratch") as space:
        async with pool:
            await pool.start()
            yield LocalAnalyzer(pool, storage, space)


class LocalAnalyzer:
    """Analyses in the child processes of `pool`, on copies in folders of their own under `space`."""

    def __init__(self, pool: EnginePool, storage: Storage, space: Path) -> None:
        self._pool = pool
        self._storage = storage
        self._space = space

    async def analyze(
        self, file_key: str, preview_key: str, on_progress: OnProgress, *, filename: str = ""
    ) -> Analyzed:
        """See `Analyzer.analyze`."""
        with private_folder(self._space) as folder, _not_the_file():
            rendered = folder / "preview"
            on_progress(0, "fetching")
            source = await self._fetched(file_key, folder)
            examined = await examine(self._pool, source, filename=filename, on_progress=on_progress)
            on_progress(ANALYSIS_PERCENT, "preview")
            info = await preview(self._pool, source, rendered)
            stored = await self._storage.put(preview_key, rendered, info.content_type)
            on_progress(100, "done")
        return Analyzed(
            result=examined.features,
            waveform_row=examined.waveform_row,
            peaks=examined.peaks,
            close_peaks=examined.close_peaks,
            spectrogram=examined.spectrogram,
            preview_content_type=info.content_type,
            preview_size=stored.size,
            vibe=describe(examined.features),
        )

    async def describe(self, file_key: str, *, filename: str = "") -> dict[str, Any]:
        """See `Analyzer.describe`."""
        with private_folder(self._space) as folder, _not_the_file():
            source = await self._fetched(file_key, folder)
            examined = await examine(self._pool, source, filename=filename, on_progress=_unseen)
        return {**examined.features, "vibe": describe(examined.features)}

    async def _fetched(self, file_key: str, folder: Path) -> Path:
        source = folder / "source"
        try:
            await self._storage.copy_to(file_key, source)
        except ObjectMissing as error:
            raise _gone() from error
        return source


class RemoteAnalyzer:
    """Hands signed links to the engine API (`http` knows its address), which fetches the file and sends the preview."""

    def __init__(
        self, http: httpx.AsyncClient, token: str, storage: Storage, *, patience: float = ENGINE_PATIENCE_SECONDS
    ) -> None:
        self._http = http
        self._token = token
        self._storage = storage
        self._patience = patience

    async def analyze(
        self, file_key: str, preview_key: str, on_progress: OnProgress, *, filename: str = ""
    ) -> Analyzed:
        """See `Analyzer.analyze`."""
        # A signed link creates and never replaces; and the preview that stands shall stand until there is another.
        arriving = f"{preview_key}.new"
        with _not_the_file():
            await self._require(file_key)
            async with self._emptied(arriving):
                on_progress(0, "analysing")
                target = await self._storage.signed_url(arriving, verb="PUT", expires_in=LINK_LIFETIME)
                answer = _whole(await self._ask(file_key, filename, waveform=True, preview_upload_url=target.url))
                on_progress(95, "preview")
                arrived = await self._storage.open(arriving)
                stored = await self._storage.put(preview_key, arrived, answer["preview"]["content_type"])
        on_progress(100, "done")
        return _analyzed(answer, stored.size)

    async def describe(self, file_key: str, *, filename: str = "") -> dict[str, Any]:
        """See `Analyzer.describe`."""
        with _not_the_file():
            await self._require(file_key)
            answer = await self._ask(file_key, filename)
        return {**_features(answer), "vibe": answer["ai_analysis"]["text"]}

    async def _require(self, file_key: str) -> None:
        if await self._storage.head(file_key) is None:
            raise _gone()

    async def _ask(self, file_key: str, filename: str, **options: Any) -> dict[str, Any]:
        source = await self._storage.signed_url(file_key, expires_in=LINK_LIFETIME)
        wanted = {"ai_analysis": True, "filename": filename, **options}
        response = await self._answered({"file_url": source.url, "options": wanted})
        try:
            body = response.json()
        except ValueError as error:
            raise AnalyzerUnavailable("The engine API answered with something else than JSON.") from error
        if response.is_success:
            return _checked(body)
        raise _failure(response.status_code, body)

    async def _answered(self, request: dict[str, Any]) -> httpx.Response:
        """The engine's answer, asked for again while it is full or not there."""
        headers = {"Authorization": f"Bearer {self._token}"}
        deadline = time.monotonic() + self._patience
        while True:
            pause = 1.0
            try:
                response = await self._http.post("/api/process", json=request, headers=headers)
                if response.status_code != 503 or time.monotonic() >= deadline:
                    return response
                pause = _retry_after(response)
            except httpx.HTTPError as error:
                connecting = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if not connecting or time.monotonic() >= deadline:
                    raise AnalyzerUnavailable(f"The engine API does not answer: {error!r}") from error
            # Those who wait shall not come back all at once.
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311

    @asynccontextmanager
    async def _emptied(self, key: str) -> AsyncIterator[None]:
        await self._storage.delete(key)
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True), contextlib.suppress(StorageError):
                await self._storage.delete(key)


# What the engine API adds to the engine's own analysis for other readers of its answer.
_FLATTENED = frozenset({"bpm", "musical_key", "spectral_centroid"})


def _checked(body: Any) -> dict[str, Any]:
    """The answer, if it holds an analysis: the engine may be of another version."""
    try:
        texts = body["audio_features"]["engine_version"], body["ai_analysis"]["text"]
    except (KeyError, TypeError):
        raise _not_an_analysis() from None
    if not all(isinstance(text, str) for text in texts):
        raise _not_an_analysis()
    answer: dict[str, Any] = body
    return answer


def _whole(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, if it holds outlines, spectrogram and preview as well."""
    try:
        close = answer["waveform"]["close_peaks"]
        fits = (
            len(base64.b64decode(answer["waveform"]["row"])) == 128
            and len(base64.b64decode(answer["waveform"]["peaks"])) == 4096
            and (close is None or len(base64.b64decode(close)) == 32768)
            and base64.b64decode(answer["spectrogram"]).startswith(b"\x89PNG")
            and answer["preview"]["content_type"].startswith("audio/")
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        fits = False
    if not fits:
        raise _not_an_analysis()
    return answer


def _not_an_analysis() -> AnalyzerUnavailable:
    return AnalyzerUnavailable("The engine API answered with something else than an analysis.")


def _features(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer["audio_features"].items() if name not in _FLATTENED}


def _analyzed(answer: dict[str, Any], preview_size: int) -> Analyzed:
    close = answer["waveform"]["close_peaks"]
    return Analyzed(
        result=_features(answer),
        waveform_row=base64.b64decode(answer["waveform"]["row"]),
        peaks=base64.b64decode(answer["waveform"]["peaks"]),
        close_peaks=None if close is None else base64.b64decode(close),
        spectrogram=base64.b64decode(answer["spectrogram"]),
        preview_content_type=answer["preview"]["content_type"],
        preview_size=preview_size,
        vibe=answer["ai_analysis"]["text"],
    )


def _failure(status: int, problem: Any) -> AudioError | AnalyzerUnavailable:
    code, detail = ("", "")
    if isinstance(problem, dict):
        code, detail = str(problem.get("code", "")), str(problem.get("detail", ""))
    if status == 413:
        return AudioError("too-long", detail or "The file is larger than the engine takes.")
    for known in AUDIO_ERROR_CODES:
        if status == 422 and code == known:
            return AudioError(known, detail)
    log.warning("the engine API refused", status=status, code=code, detail=detail)
    return AnalyzerUnavailable(f"The engine API answered with status {status}: {code or 'no code'}: {detail}")


def _retry_after(response: httpx.Response) -> float:
    seconds = response.headers.get("retry-after", "")
    return min(float(seconds), 30.0) if seconds.isdecimal() else 1.0


def _unseen(percent: int, step: str) -> None:
    """Nobody watches."""


def _gone() -> AudioError:
    return AudioError("file-not-found", "The file is not in storage any more. Upload it again.")


@contextlib.contextmanager
def _not_the_file() -> Iterator[None]:
    try:
        yield
    except EngineUnavailable as error:
        raise AnalyzerUnavailable(str(error)) from error
    except (StorageError, OSError) as error:
        raise AnalyzerUnavailable(f"The file or its preview could not be moved: {error}") from error
