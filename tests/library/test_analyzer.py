"""The two analysers, local and by the engine API, keep one promise: every test here runs against both."""

from __future__ import annotations

import asyncio
import io
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
import soundfile
from fastapi import FastAPI
from moto.server import ThreadedMotoServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from sample_agent.apps.engine import create_engine_app
from sample_agent.core.files import files_router
from sample_agent.core.http import create_app
from sample_agent.core.settings import Settings
from sample_agent.core.storage import Storage
from sample_agent.engine import AudioError
from sample_agent.library.analyzer import (
    Analyzer,
    AnalyzerUnavailable,
    EngineCannotReachFilesError,
    RemoteAnalyzer,
    open_analyzer,
)
from tests.serving import reached, serving
from tests.sounds import RATE, drum_loop, tone, wav

SOURCE, PREVIEW = "uploads/u/1.wav", "previews/u/1"
KEY = b"k" * 32
TOKEN = "a-token-for-the-engine"


@asynccontextmanager
async def nothing(app: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture(scope="module")
async def library(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storage]:
    """Storage in a folder, with the server that its signed links lead to."""
    folder = tmp_path_factory.mktemp("library")
    app = create_app("library", public_url="http://localhost", lifespan=nothing)
    async with serving(app) as address:
        storage = Storage.local(folder, KEY, f"http://{address}")
        app.include_router(files_router(storage))
        yield storage


@pytest.fixture
async def storage(library: Storage) -> Storage:
    for key in (SOURCE, PREVIEW):
        await library.delete(key)
    return library


@pytest.fixture(scope="module")
def engine_app(library: Storage, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    links = library.local_links
    assert links is not None
    return create_engine_app(
        Settings(
            _env_file=None,
            data_dir=tmp_path_factory.mktemp("engine"),
            engine_token=TOKEN,
            engine_allowed_hosts=links.base_url.removeprefix("http://"),
            worker_processes=1,
        )
    )


@pytest.fixture(scope="module")
async def engine_address(engine_app: FastAPI) -> AsyncIterator[str]:
    async with serving(engine_app) as address:
        yield address


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worker")


@pytest.fixture(scope="module")
async def local(library: Storage, data_dir: Path) -> AsyncIterator[Analyzer]:
    settings = Settings(_env_file=None, data_dir=data_dir, worker_processes=1)
    async with open_analyzer(settings, library) as analyzer:
        yield analyzer


def remote_settings(address: str, token: str = TOKEN) -> Settings:
    return Settings(
        _env_file=None, engine_url=f"http://{address}", engine_token=token, library_url="http://localhost:8100"
    )


@pytest.fixture(scope="module")
async def remote(library: Storage, engine_address: str) -> AsyncIterator[Analyzer]:
    async with open_analyzer(remote_settings(engine_address), library) as analyzer:
        yield analyzer


@pytest.fixture(params=["local", "remote"])
def analyzer(request: pytest.FixtureRequest, local: Analyzer, remote: Analyzer) -> Analyzer:
    return local if request.param == "local" else remote


@pytest.fixture
def temporary_files(data_dir: Path, engine_app: FastAPI, engine_address: str, local: Analyzer) -> list[Path]:
    """Where both analysers work; empty between analyses."""
    (mine,) = [path for path in (data_dir / "scratch").iterdir() if path.is_dir()]
    return [mine, engine_app.state.engine.space]


def ignored(percent: int, step: str) -> None:
    pass


def assert_empty(folders: list[Path]) -> None:
    assert [path for folder in folders for path in folder.iterdir()] == []


async def keys(storage: Storage) -> set[str]:
    return {stored.key async for stored in storage.list()}


async def test_a_stored_file_is_analysed_and_its_preview_stored(
    analyzer: Analyzer, storage: Storage, temporary_files: list[Path]
) -> None:
    sound = drum_loop(120)
    await storage.put(SOURCE, wav(sound), "audio/wav")
    analyzed = await analyzer.analyze(SOURCE, PREVIEW, ignored, filename="Break 120bpm.wav")
    assert analyzed.result["tempo"]["bpm"] == pytest.approx(120, rel=0.02)
    assert analyzed.result["hints"]["tempo"] == 120
    assert analyzed.vibe
    preview = await storage.read(PREVIEW)
    assert analyzed.preview_size == len(preview)
    assert analyzed.preview_content_type == "audio/flac"
    assert soundfile.info(io.BytesIO(preview)).duration == pytest.approx(len(sound) / RATE, abs=0.01)
    assert len(analyzed.waveform_row) == 128
    assert max(analyzed.waveform_row) == 255
    minima, maxima = np.frombuffer(analyzed.peaks, np.int8).reshape(2, 2048)
    assert (minima <= maxima).all()
    assert analyzed.close_peaks is not None
    closer = np.frombuffer(analyzed.close_peaks, np.int8).reshape(2, 16_384)
    assert (closer[1].reshape(2048, 8).max(axis=1) == maxima).all()
    assert analyzed.spectrogram.startswith(b"\x89PNG")
    assert await keys(storage) == {SOURCE, PREVIEW}
    assert_empty(temporary_files)


async def test_both_say_the_same(local: Analyzer, remote: Analyzer, storage: Storage) -> None:
    await storage.put(SOURCE, wav(drum_loop(93)), "audio/wav")
    here = await local.analyze(SOURCE, PREVIEW, ignored, filename="x.wav")
    there = await remote.analyze(SOURCE, PREVIEW, ignored, filename="x.wav")
    assert here == there


async def test_the_engine_api_works_on_a_bucket(tmp_path: Path) -> None:
    bucket_server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    bucket_server.start()
    host = "{}:{}".format(*bucket_server.get_host_and_port())
    bucket = {
        "storage_bucket": "samples",
        "storage_endpoint": f"http://{host}",
        "storage_access_key_id": "key",
        "storage_secret_access_key": "secret",
        "storage_region": "us-east-1",
    }
    # No list of hosts: the engine fetches from the bucket it is configured with.
    engine = create_engine_app(
        Settings(_env_file=None, data_dir=tmp_path, engine_token=TOKEN, worker_processes=1, **bucket)
    )
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.put(f"http://{host}/samples")).raise_for_status()
        storage = Storage.s3("samples", f"http://{host}", "key", "secret", "us-east-1")
        await storage.put(SOURCE, wav(drum_loop(120)), "audio/wav")
        await storage.put(PREVIEW, b"the old one", "audio/flac")
        async with serving(engine) as address, open_analyzer(remote_settings(address), storage) as analyzer:
            analyzed = await analyzer.analyze(SOURCE, PREVIEW, ignored)
        assert len(await storage.read(PREVIEW)) == analyzed.preview_size > 100
        assert await keys(storage) == {SOURCE, PREVIEW}
    finally:
        bucket_server.stop()


async def test_progress_begins_at_nothing_ends_at_all_and_never_falls(analyzer: Analyzer, storage: Storage) -> None:
    await storage.put(SOURCE, wav(drum_loop(100)), "audio/wav")
    told: list[tuple[int, str]] = []
    await analyzer.analyze(SOURCE, PREVIEW, lambda percent, step: told.append((percent, step)))
    percents = [percent for percent, _ in told]
    assert percents[0] == 0
    assert percents[-1] == 100
    assert percents == sorted(percents)
    assert all(step for _, step in told)


async def test_a_second_analysis_replaces_the_preview(analyzer: Analyzer, storage: Storage) -> None:
    await storage.put(PREVIEW, b"the old one", "audio/flac")
    await storage.put(f"{PREVIEW}.new", b"what an attempt that died left", "audio/flac")
    await storage.put(SOURCE, wav(tone()), "audio/wav")
    analyzed = await analyzer.analyze(SOURCE, PREVIEW, ignored)
    assert len(await storage.read(PREVIEW)) == analyzed.preview_size > 100
    await storage.delete(f"{PREVIEW}.new")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty-audio"), (b"<html>", "unsupported-format"), (b"fLaC" + bytes(range(256)) * 50, "corrupt-audio")],
)
async def test_a_bad_file_is_told_in_words_and_the_old_preview_stays(
    content: bytes, code: str, analyzer: Analyzer, storage: Storage, temporary_files: list[Path]
) -> None:
    await storage.put(SOURCE, content, "audio/wav")
    await storage.put(PREVIEW, b"the old one", "audio/flac")
    with pytest.raises(AudioError) as raised:
        await analyzer.analyze(SOURCE, PREVIEW, ignored)
    assert raised.value.code == code
    assert raised.value.message.endswith(".")
    assert await storage.read(PREVIEW) == b"the old one"
    assert await keys(storage) == {SOURCE, PREVIEW}
    assert_empty(temporary_files)


async def test_a_file_that_is_not_in_storage_is_said_to_be_gone(analyzer: Analyzer, storage: Storage) -> None:
    with pytest.raises(AudioError) as raised:
        await analyzer.analyze(SOURCE, PREVIEW, ignored)
    assert raised.value.code == "file-not-found"


async def test_cancelling_leaves_nothing_behind_and_the_next_analysis_works(
    analyzer: Analyzer, storage: Storage, temporary_files: list[Path]
) -> None:
    await storage.put(SOURCE, wav(np.tile(drum_loop(120), 30)), "audio/wav")
    analysing = asyncio.ensure_future(analyzer.analyze(SOURCE, PREVIEW, ignored))
    await reached(lambda: any(path for folder in temporary_files for path in folder.rglob("source")))
    analysing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await analysing
    await reached(lambda: not any(path for folder in temporary_files for path in folder.iterdir()))
    assert await keys(storage) == {SOURCE}
    await storage.put(SOURCE, wav(tone()), "audio/wav")
    await analyzer.analyze(SOURCE, PREVIEW, ignored)


async def test_a_storage_that_fails_is_not_blamed_on_the_file(analyzer: Analyzer, storage: Storage) -> None:
    await storage.put(SOURCE, wav(tone()), "audio/wav")
    await storage.put("previews/u/2/below", b"a folder where the preview is to be", "audio/flac")
    with pytest.raises(AnalyzerUnavailable):
        await analyzer.analyze(SOURCE, "previews/u/2", ignored)
    await storage.delete("previews/u/2/below")


async def test_a_process_that_dies_in_the_middle_is_not_blamed_on_the_file(
    analyzer: Analyzer, storage: Storage
) -> None:
    await storage.put(SOURCE, wav(np.tile(drum_loop(120), 30)), "audio/wav")
    analysing = asyncio.ensure_future(analyzer.analyze(SOURCE, PREVIEW, ignored))
    await reached(kill_busy_processes)
    assert (await analysing).result["tempo"]["bpm"] == pytest.approx(120, rel=0.02)


def kill_busy_processes() -> int:
    """Kill the engine's processes that are at work; how many those were."""
    killed = 0
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # it may end by itself while it is looked at
            if "sample_agent.engine._worker" in " ".join(child.cmdline()) and child.status() == psutil.STATUS_RUNNING:
                child.kill()
                killed += 1
    return killed


@asynccontextmanager
async def impatient(address: str, storage: Storage) -> AsyncIterator[RemoteAnalyzer]:
    """An analyser that asks the engine once."""
    async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as http:
        yield RemoteAnalyzer(http, TOKEN, storage, patience=0)


async def test_an_engine_that_is_not_there_is_not_blamed_on_the_file(storage: Storage) -> None:
    await storage.put(SOURCE, wav(tone()), "audio/wav")
    async with serving(Starlette()) as address:
        pass
    async with impatient(address, storage) as analyzer:
        with pytest.raises(AnalyzerUnavailable):
            await analyzer.analyze(SOURCE, PREVIEW, ignored)


async def test_a_full_engine_is_asked_again(storage: Storage, engine_app: FastAPI, engine_address: str) -> None:
    full = [Response(status_code=503, headers={"Retry-After": "0"}) for _ in range(3)]

    async def first_full(scope: Scope, receive: Receive, send: Send) -> None:
        await (full.pop() if full and scope["type"] == "http" else engine_app)(scope, receive, send)

    await storage.put(SOURCE, wav(tone()), "audio/wav")
    with_state = Starlette(routes=[Mount("/", first_full)])
    async with serving(with_state) as address, open_analyzer(remote_settings(address), storage) as analyzer:
        assert (await analyzer.analyze(SOURCE, PREVIEW, ignored)).vibe
    assert full == []


async def test_a_wrong_token_is_not_blamed_on_the_file(storage: Storage, engine_address: str) -> None:
    await storage.put(SOURCE, wav(tone()), "audio/wav")
    async with open_analyzer(remote_settings(engine_address, "another token than the engine has"), storage) as analyzer:
        with pytest.raises(AnalyzerUnavailable, match="401"):
            await analyzer.analyze(SOURCE, PREVIEW, ignored)


FROM_BEFORE_THERE_WERE_PICTURES = {
    "audio_features": {"engine_version": "1"},
    "ai_analysis": {"text": "a hum", "model": "local"},
    "waveform": {"row": b64encode(bytes(128)).decode(), "peaks": b64encode(bytes(4096)).decode()},
    "preview": {"content_type": "audio/flac", "size": 7},
}


@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>", 200),
        JSONResponse({}, 200),
        JSONResponse([], 200),
        JSONResponse({"audio_features": {}, "waveform": {"row": "!", "peaks": 3}}, 200),
        JSONResponse(FROM_BEFORE_THERE_WERE_PICTURES, 200),
        JSONResponse({"code": "unavailable", "detail": "busy"}, 503),
        JSONResponse({"code": "internal-error"}, 500),
        JSONResponse({"code": "url-not-allowed"}, 422),
        JSONResponse({"code": "fetch-failed"}, 422),
        JSONResponse(["?"], 422),
        Response("bad gateway", 502),
        Response(status_code=302, headers={"Location": "http://127.0.0.1/"}),
    ],
)
async def test_an_answer_that_says_nothing_of_the_file_means_try_again(answer: Response, storage: Storage) -> None:
    async def process(request: Request) -> Response:
        return answer

    await storage.put(SOURCE, wav(tone()), "audio/wav")
    engine = Starlette(routes=[Route("/api/process", process, methods=["POST"])])
    async with serving(engine) as address, impatient(address, storage) as analyzer:
        with pytest.raises(AnalyzerUnavailable):
            await analyzer.analyze(SOURCE, PREVIEW, ignored)
    assert await keys(storage) == {SOURCE}


async def test_files_without_an_address_cannot_be_analysed_by_the_engine_api(storage: Storage) -> None:
    settings = Settings(_env_file=None, engine_url="http://engine:8101", engine_token=TOKEN)
    with pytest.raises(EngineCannotReachFilesError, match="SAMPLE_AGENT_LIBRARY_URL"):
        async with open_analyzer(settings, storage):
            pass
