"""The engine API over real sockets: files of every kind, hostile ones, hostile addresses, and nothing left behind."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
import soundfile
from fastapi import FastAPI

from sample_agent.apps.engine import MAX_BODY_BYTES, allowed_hosts, create_engine_app
from sample_agent.apps.engine_wire import audio_problem
from sample_agent.core.errors import Problem
from sample_agent.core.postgres.server import free_port
from sample_agent.core.settings import MissingSecretError, Settings
from sample_agent.engine import AUDIO_ERROR_CODES, AudioError
from sample_agent.sp404.formats.wav import read_wav
from tests.serving import FileHost, reached, serving
from tests.sounds import RATE, chord, drum_loop, tone, wav

TOKEN = "a-token-for-the-engine"


@pytest.fixture(scope="module")
async def shared_host() -> AsyncIterator[FileHost]:
    async with FileHost().running() as host:
        yield host


@pytest.fixture
def host(shared_host: FileHost) -> FileHost:
    """The one server the engine may fetch from and send to, with nothing on it."""
    shared_host.clear()
    return shared_host


@pytest.fixture(scope="module")
async def app(shared_host: FileHost, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path_factory.mktemp("engine"),
        engine_token=TOKEN,
        engine_allowed_hosts=shared_host.address,
        worker_processes=1,
        analysis_timeout_seconds=60,
    )
    return create_engine_app(settings)


@pytest.fixture(scope="module")
async def running(app: FastAPI) -> AsyncIterator[str]:
    """One engine for all tests here: that each finds it well is part of what they test."""
    async with serving(app) as address:
        yield f"http://{address}"


@pytest.fixture
async def engine(running: str, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the token. Whatever a test did, its requests left no file behind."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=running, headers=headers, timeout=120, trust_env=False) as client:
        yield client
    assert left_behind(app) == []


def left_behind(app: FastAPI) -> list[Path]:
    return list(app.state.engine.space.iterdir())


async def processed(engine: httpx.AsyncClient, url: str, **options: Any) -> dict[str, Any]:
    response = await engine.post("/api/process", json={"file_url": url, "options": options})
    assert response.status_code == 200, response.text
    return response.json()


async def refused(engine: httpx.AsyncClient, url: str, **options: Any) -> dict[str, Any]:
    """The problem a request ends in, checked to be one."""
    response = await engine.post("/api/process", json={"file_url": url, "options": options})
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    assert (await engine.get(httpx.URL(problem["type"]).path)).status_code == 200
    return problem


async def test_a_loop_comes_back_with_everything_the_contract_names(host: FileHost, engine: httpx.AsyncClient) -> None:
    url = host.put("loop.wav", wav(drum_loop(120)))
    request = {
        "file_url": url,
        "user_id": "8e7c",
        "tier": "pro",
        "options": {"ai_analysis": True, "model": "auto", "export_sp404": False},
    }
    response = await engine.post("/api/process", json=request)
    assert response.status_code == 200
    body = response.json()
    features = body["audio_features"]
    assert body["success"] is True
    assert features["bpm"] == pytest.approx(120, rel=0.02)
    assert features["tempo"]["bpm"] == features["bpm"]
    assert features["spectral_centroid"] == features["spectral"]["centroid_hz"] > 0
    assert features["duration"] == pytest.approx(4.0)
    assert features["sample_rate"] == RATE
    assert features["kind"]["kind"] == "loop"
    assert features["engine_version"]
    assert body["ai_analysis"]["text"]
    assert body["ai_analysis"]["model"] == body["model"] == "local"
    assert (body["cost"], body["tokens_input"], body["tokens_output"]) == (0, 0, 0)
    assert body["processing_time"] > 0


async def test_a_chord_has_a_key(host: FileHost, engine: httpx.AsyncClient) -> None:
    body = await processed(engine, host.put("a", wav(chord(220.0, 261.63, 329.63))))
    assert body["audio_features"]["musical_key"] == body["audio_features"]["key"]["key"]


async def test_words_are_given_only_when_asked_for(host: FileHost, engine: httpx.AsyncClient) -> None:
    body = await processed(engine, host.put("a", wav(tone())))
    assert body["ai_analysis"] is None
    assert body["model"] is None
    assert body["waveform"] is body["spectrogram"] is body["preview"] is body["sp404"] is None


@pytest.mark.parametrize(
    ("format_", "subtype"),
    [
        ("WAV", "PCM_24"),
        ("WAV", "FLOAT"),
        ("AIFF", None),
        ("FLAC", None),
        ("MP3", None),
        ("OGG", None),
        ("OGG", "OPUS"),
    ],
)
async def test_every_format_is_told_by_its_content(
    format_: str, subtype: str | None, host: FileHost, engine: httpx.AsyncClient
) -> None:
    sound = drum_loop(100)
    content = io.BytesIO()
    rate = 48_000 if subtype == "OPUS" else RATE
    soundfile.write(content, sound, rate, format=format_, subtype=subtype)
    body = await processed(engine, host.put("misleading.txt", content.getvalue()))
    assert body["audio_features"]["format"] == ("opus" if subtype == "OPUS" else format_.lower())
    assert body["audio_features"]["duration"] == pytest.approx(len(sound) / rate, abs=0.1)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="nothing here can write M4A")
async def test_m4a_is_read_too(host: FileHost, engine: httpx.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(drum_loop(100)))
    await asyncio.to_thread(
        subprocess.run,
        ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", "-c:a", "aac", tmp_path / "a.m4a"],
        check=True,
    )
    body = await processed(engine, host.put("a", (tmp_path / "a.m4a").read_bytes()))
    assert body["audio_features"]["format"] == "m4a"


async def test_the_name_its_owner_gave_it_gives_hints(host: FileHost, engine: httpx.AsyncClient) -> None:
    body = await processed(engine, host.put("0f3a", wav(tone())), filename="Dusty 92bpm F#min.wav")
    hints = body["audio_features"]["hints"]
    assert (hints["tempo"], hints["key"]) == (92.0, "F#m")
    assert {"subject": "tempo", "value": "92", "source": "file name"} in hints["found"]


async def test_the_outline_comes_on_request(host: FileHost, engine: httpx.AsyncClient) -> None:
    fading = tone(seconds=2.0, level=1.0) * np.linspace(1, 0, 2 * RATE)
    body = await processed(engine, host.put("a", wav(fading)), waveform=True)
    row = base64.b64decode(body["waveform"]["row"])
    peaks = np.frombuffer(base64.b64decode(body["waveform"]["peaks"]), np.int8).reshape(2, 2048)
    assert len(row) == 128
    assert row[0] > 240
    assert row[-1] < 10
    assert peaks[0].min() < -120
    assert peaks[1].max() > 120
    assert (peaks[0] <= peaks[1]).all()


async def test_the_spectrogram_and_a_closer_outline_come_with_it(host: FileHost, engine: httpx.AsyncClient) -> None:
    body = await processed(engine, host.put("a", wav(tone(seconds=4.0, level=1.0))), waveform=True)
    closer = np.frombuffer(base64.b64decode(body["waveform"]["close_peaks"]), np.int8).reshape(2, 16_384)
    assert (closer[0] <= closer[1]).all()
    assert closer[1].max() > 120
    assert PNG_SIZE.match(base64.b64decode(body["spectrogram"]))


async def test_a_short_sound_has_no_closer_outline(host: FileHost, engine: httpx.AsyncClient) -> None:
    body = await processed(engine, host.put("a", wav(tone(seconds=0.3))), waveform=True)
    assert body["waveform"]["close_peaks"] is None
    assert PNG_SIZE.match(base64.b64decode(body["spectrogram"]))


PNG_SIZE = re.compile(rb"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR....\x00\x00\x00\x80", re.DOTALL)
"""The head of a picture that is 128 high."""


async def test_a_preview_is_sent_where_it_is_wanted(host: FileHost, engine: httpx.AsyncClient) -> None:
    url = host.put("a", wav(tone(seconds=1.5)))
    body = await processed(engine, url, preview_upload_url=host.url("preview?signature=1"))
    content_type, content = host.received["preview"]
    assert body["preview"] == {"content_type": content_type, "size": len(content)}
    assert content_type == "audio/flac"
    assert soundfile.info(io.BytesIO(content)).duration == pytest.approx(1.5)


async def test_a_sound_is_converted_for_the_unit_and_sent(host: FileHost, engine: httpx.AsyncClient) -> None:
    url = host.put("a", wav(tone(seconds=1.0)))
    body = await processed(engine, url, export_sp404=True, upload_url=host.url("export.wav"))
    content_type, content = host.received["export.wav"]
    assert content_type == body["sp404"]["content_type"] == "audio/wav"
    assert read_wav(content).shape == (body["sp404"]["frames"], body["sp404"]["channels"]) == (48_000, 1)
    assert body["sp404"]["size"] == len(content)


async def test_an_export_needs_somewhere_to_go(host: FileHost, engine: httpx.AsyncClient) -> None:
    problem = await refused(engine, host.put("a", wav(tone())), export_sp404=True)
    assert (problem["status"], problem["code"]) == (422, "validation-failed")
    assert problem["errors"][0]["loc"] == ["body", "options", "upload_url"]
    assert host.asked == []


async def test_a_result_that_cannot_be_sent_is_a_failure(host: FileHost, engine: httpx.AsyncClient) -> None:
    host.received["taken"] = ("audio/flac", b"")
    problem = await refused(engine, host.put("a", wav(tone())), preview_upload_url=host.url("taken"))
    assert (problem["status"], problem["code"]) == (422, "send-failed")


async def test_silence_is_a_result_with_a_remark(host: FileHost, engine: httpx.AsyncClient) -> None:
    url = host.put("a", wav(np.zeros(RATE)))
    body = await processed(engine, url, ai_analysis=True, waveform=True, preview_upload_url=host.url("p"))
    assert body["audio_features"]["warnings"] == ["The file is silent."]
    assert body["audio_features"]["bpm"] is body["audio_features"]["musical_key"] is None
    assert body["ai_analysis"]["text"].startswith("Silence")


async def test_a_single_sample_is_a_result(host: FileHost, engine: httpx.AsyncClient) -> None:
    url = host.put("a", wav(np.array([0.5])))
    body = await processed(engine, url, waveform=True, preview_upload_url=host.url("p"))
    assert body["audio_features"]["kind"]["kind"] == "one-shot"
    assert len(base64.b64decode(body["waveform"]["peaks"])) == 4096


async def test_a_truncated_file_is_analysed_as_far_as_it_goes(host: FileHost, engine: httpx.AsyncClient) -> None:
    whole = wav(tone(seconds=4.0))
    body = await processed(engine, host.put("a", whole[: len(whole) // 2]))
    assert body["audio_features"]["duration"] == pytest.approx(2.0, abs=0.01)
    assert body["audio_features"]["warnings"]


def ten_hours() -> bytes:
    """A WAV header that promises ten hours, with a second behind it."""
    content = bytearray(wav(tone(seconds=1.0)))
    struct.pack_into("<I", content, content.index(b"data") + 4, 10 * 3600 * RATE * 2 & 0xFFFFFFFF)
    return bytes(content)


def flac_bomb() -> bytes:
    """Five hours of silence in a few kilobytes."""
    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", samplerate=1000, channels=1, format="FLAC") as file:
        for _ in range(300):
            file.write(np.zeros(60 * 1000, np.int16))
    return content.getvalue()


def garbage_after(magic: bytes) -> bytes:
    return magic + np.random.default_rng(4).bytes(50_000)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-audio"),
        (wav(np.zeros(0)), "empty-audio"),
        (b"<!doctype html><title>Not a sample</title>", "unsupported-format"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "unsupported-format"),
        (b"PK\x03\x04" + bytes(1000), "unsupported-format"),
        (bytes(10_000), "unsupported-format"),
        (garbage_after(b"fLaC"), "corrupt-audio"),
        (garbage_after(b"RIFF\x00\x00\x00\x00WAVE"), "corrupt-audio"),
        (wav(tone())[:20], "corrupt-audio"),
        (garbage_after(b"FORM\x00\x00\x00\x00AIFF"), "corrupt-audio"),
        (flac_bomb(), "too-long"),
        (ten_hours(), "too-long"),
    ],
    ids=[
        "0-byte",
        "no-samples",
        "html",
        "png",
        "zip",
        "zeros",
        "flac",
        "wav",
        "cut-header",
        "aiff",
        "flac-bomb",
        "ten-hours",
    ],
)
async def test_a_bad_file_is_refused_in_words_and_the_next_one_still_works(
    content: bytes, code: str, host: FileHost, engine: httpx.AsyncClient
) -> None:
    problem = await refused(engine, host.put("bad.wav", content), waveform=True, preview_upload_url=host.url("p"))
    assert (problem["status"], problem["code"]) == (422, code)
    assert problem["detail"].endswith(".")
    assert host.received == {}
    await processed(engine, host.put("good.wav", wav(tone())))


@pytest.mark.parametrize("code", AUDIO_ERROR_CODES)
def test_every_verdict_of_the_engine_has_its_own_problem(code: Any) -> None:
    problem = audio_problem(AudioError(code, "A sentence."))
    assert (problem.status, problem.code, problem.detail) == (422, code, "A sentence.")
    assert Problem.registry[code] is type(problem)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://localhost/",
        "http://2130706433/",
        "http://user@{host}/a",
        "file:///etc/passwd",
        "https://{host}.evil.example/",
    ],
)
async def test_addresses_off_the_list_are_refused_wherever_they_stand(
    url: str, host: FileHost, engine: httpx.AsyncClient
) -> None:
    url, good = url.replace("{host}", host.address), host.put("a", wav(tone()))
    for problem in (
        await refused(engine, url),
        await refused(engine, good, preview_upload_url=url),
        await refused(engine, good, export_sp404=True, upload_url=url),
    ):
        assert (problem["status"], problem["code"]) == (422, "url-not-allowed")
    assert host.asked == []


async def test_a_redirect_to_the_metadata_service_is_not_followed(host: FileHost, engine: httpx.AsyncClient) -> None:
    problem = await refused(engine, host.url("moved"))
    assert (problem["status"], problem["code"]) == (422, "fetch-failed")


async def test_a_link_that_leads_nowhere_is_said_to(host: FileHost, engine: httpx.AsyncClient) -> None:
    problem = await refused(engine, host.url("gone?signature=secret"))
    assert (problem["status"], problem["code"]) == (422, "fetch-failed")
    assert "secret" not in str(problem)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
async def test_without_the_token_nothing_is_read(header: str, host: FileHost, engine: httpx.AsyncClient) -> None:
    response = await engine.post(
        "/api/process", content=b"{not even json", headers={"Authorization": header, "Content-Type": "application/json"}
    )
    assert response.status_code == 401
    assert response.json()["code"] == "unauthenticated"
    assert host.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"file_url": 3}',
        b'{"file_url": "http://x/", "tier": "gold"}',
        b'{"file_url": "http://x/", "options": {"expotr_sp404": true}}',
    ],
)
async def test_a_malformed_request_says_what_is_wrong(body: bytes, engine: httpx.AsyncClient) -> None:
    response = await engine.post("/api/process", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.json()["errors"]


async def test_a_body_larger_than_any_request_is_refused_unread(engine: httpx.AsyncClient) -> None:
    response = await engine.post("/api/process", content=b" " * (MAX_BODY_BYTES + 1))
    assert response.status_code == 413


async def test_a_full_engine_says_when_to_come_back(host: FileHost, engine: httpx.AsyncClient, app: FastAPI) -> None:
    url = host.put("held", wav(tone()))
    places = app.state.engine.places
    waiting = [asyncio.ensure_future(processed(engine, url)) for _ in range(places)]
    await reached(lambda: len(host.asked) == places)
    response = await engine.post("/api/process", json={"file_url": url})
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["code"] == "unavailable"
    host.release.set()
    assert all([(await each)["success"] for each in waiting])
    assert app.state.engine.taken == 0


async def test_work_is_dropped_when_whoever_asked_hangs_up(
    host: FileHost, engine: httpx.AsyncClient, app: FastAPI
) -> None:
    asking = asyncio.ensure_future(processed(engine, host.put("held", wav(tone()))))
    await reached(lambda: host.asked)
    asking.cancel()
    await reached(lambda: app.state.engine.taken == 0)
    assert left_behind(app) == []


async def test_the_death_of_a_process_is_not_blamed_on_the_next_file(host: FileHost, engine: httpx.AsyncClient) -> None:
    url = host.put("a", wav(drum_loop(120)))
    await processed(engine, url)
    for child in psutil.Process().children():
        if "sample_agent.engine._worker" in " ".join(child.cmdline()):
            child.kill()
    await processed(engine, url)


async def test_what_a_killed_engine_left_is_gone_when_the_next_one_starts(host: FileHost, tmp_path: Path) -> None:
    port = free_port()
    environment = os.environ | {
        "SAMPLE_AGENT_DATA_DIR": str(tmp_path),
        "SAMPLE_AGENT_ENGINE_TOKEN": TOKEN,
        "SAMPLE_AGENT_ENGINE_ALLOWED_HOSTS": host.address,
    }
    command = [sys.executable, "-m", "sample_agent", "engine-api", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=60,
        trust_env=False,
        transport=httpx.AsyncHTTPTransport(retries=8),
    ) as client:
        assert (await client.get("/healthz")).status_code == 200
        asking = asyncio.ensure_future(processed(client, host.put("held", wav(tone()))))
        await reached(lambda: host.asked)
        process.kill()
        await process.wait()
        with pytest.raises(httpx.TransportError):
            await asking
    scratch = tmp_path / "scratch"
    assert len(files_in(scratch)) == 3  # the lock, the engine's folder, the request's
    settings = Settings(_env_file=None, data_dir=tmp_path, engine_token=TOKEN, worker_processes=1)
    async with serving(create_engine_app(settings)):
        assert len(files_in(scratch)) == 2
    assert files_in(scratch) == []


def files_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


async def test_health_names_the_service(engine: httpx.AsyncClient) -> None:
    response = await engine.get("/api/health", headers={"Authorization": ""})
    assert response.json()["status"] == "ok"
    assert response.json()["service"] == "engine"


async def test_the_contract_is_in_the_openapi_file(engine: httpx.AsyncClient) -> None:
    document = (await engine.get("/openapi.json")).json()
    operation = document["paths"]["/api/process"]["post"]
    assert operation["security"] == [{"HTTPBearer": []}]
    assert {"200", "401", "413", "422", "502", "503"} <= set(operation["responses"])


def test_no_database_driver_is_loaded() -> None:
    code = (
        "import sys, sample_agent.apps.engine as _;"
        "print([name for name in ('sqlalchemy', 'asyncpg', 'pgqueuer') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_in_production_the_token_has_to_be_given(tmp_path: Path) -> None:
    with pytest.raises(MissingSecretError, match="SAMPLE_AGENT_ENGINE_TOKEN"):
        create_engine_app(Settings(_env_file=None, environment="production", data_dir=tmp_path))


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        ({"engine_allowed_hosts": "minio:9000,r2.example"}, ("minio:9000", "r2.example")),
        ({"storage_bucket": "b", "storage_endpoint": "https://r2.example/"}, ("r2.example",)),
        ({"library_url": "http://library:8100"}, ("library:8100",)),
        ({"public_url": "http://localhost:8000"}, ("localhost:8000",)),
    ],
)
def test_without_a_list_files_come_from_where_this_installation_keeps_them(
    given: dict[str, str], hosts: tuple[str, ...]
) -> None:
    assert allowed_hosts(Settings(_env_file=None, **given)) == hosts
