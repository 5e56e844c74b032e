"""The engine API: analyses a file behind a URL and forgets it. No database, no users; reached by our own programs only.

    POST /api/process   with `Authorization: Bearer <SAMPLE_AGENT_ENGINE_TOKEN>`
    GET  /api/health

Scales by starting more of it: nothing is kept between requests.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from sample_agent.apps.engine_wire import (
    ConvertedFile,
    Description,
    Outline,
    ProcessRequest,
    ProcessResponse,
    SentFile,
    audio_features,
    audio_problem,
)
from sample_agent.core.errors import BadRequest, PayloadTooLarge, Unauthenticated, Unavailable, ValidationFailed
from sample_agent.core.examine import EngineUnavailable, Examined, convert, examine, preview
from sample_agent.core.fetch import check_url, fetch_to, send_file
from sample_agent.core.http import create_app
from sample_agent.core.scratch import private_folder, scratch_space
from sample_agent.core.settings import Settings
from sample_agent.engine import AudioError
from sample_agent.engine.pool import EnginePool
from sample_agent.vibe import Vibe, describe_locally

MAX_FETCH_BYTES = 512 << 20
MAX_BODY_BYTES = 64 * 1024
TRANSFER_SECONDS = 120.0
"""How long fetching the file, and each sending of a result, may take."""

WAITING_PER_PROCESS = 4
RETRY_AFTER_SECONDS = 5

T = TypeVar("T")

log = structlog.get_logger("engine")


@dataclass
class Engine:
    """What requests share. `space` is where each gets a folder of its own; `places` how many may be under way."""

    pool: EnginePool
    space: Path
    allowed_hosts: tuple[str, ...]
    places: int
    taken: int = field(default=0, init=False)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Take part, or raise `Unavailable` when as many wait as will be done in a reasonable time."""
        if self.taken >= self.places:
            raise Unavailable("The engine has as many files as it can do for now.", retry_after=RETRY_AFTER_SECONDS)
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


def create_engine_app(settings: Settings) -> FastAPI:
    """The engine API. Raises MissingSecretError in production without SAMPLE_AGENT_ENGINE_TOKEN."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        workers = settings.worker_processes
        pool = EnginePool(workers, settings.analysis_timeout_seconds, settings.analysis_memory_mb << 20)
        with scratch_space(settings.data_dir / "scratch") as space:
            async with pool:
                await pool.start()
                places = workers * (1 + WAITING_PER_PROCESS)
                app.state.engine = Engine(pool, space, allowed_hosts(settings), places)
                yield

    app = create_app("engine", public_url=settings.engine_url or settings.public_url, lifespan=lifespan)
    app.state.token = settings.engine_token_value().encode()
    app.include_router(router)
    return app


def allowed_hosts(settings: Settings) -> tuple[str, ...]:
    """The hosts that the operator listed; without a list, the one where this installation keeps its files."""
    if settings.engine_allowed_hosts:
        return settings.engine_allowed_hosts
    storage = settings.storage_endpoint if settings.storage_bucket else settings.library_url or settings.public_url
    host = urlsplit(storage).netloc
    return (host,) if host else ()


class GuardedRoute(APIRoute):
    """Asks for the token before a byte of the body is read, and reads no more than a request can have."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            _require_token(request)
            _require_small_body(request)
            return await handle(request)

        return guarded


def _require_token(request: Request) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    matches = hmac.compare_digest(given.strip().encode(), request.app.state.token)
    if scheme.lower() != "bearer" or not matches:
        raise Unauthenticated("The engine API needs its bearer token.")


def _require_small_body(request: Request) -> None:
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise BadRequest("The request has to say its Content-Length.")
    if int(length) > MAX_BODY_BYTES:
        raise PayloadTooLarge(f"A request takes up to {MAX_BODY_BYTES} bytes; the file itself is fetched.")


router = APIRouter(route_class=GuardedRoute)


@router.post(
    "/api/process",
    responses={
        401: {"description": "no token, or a wrong one"},
        413: {"description": "the file is too large"},
        422: {"description": "the request, the URL or the file cannot be used; `code` says why"},
        502: {"description": "the file's address does not answer"},
        503: {"description": "too many files at once; `Retry-After` says when to come back"},
    },
)
async def process(
    request: Request,
    wanted: ProcessRequest,
    _: Annotated[object, Depends(HTTPBearer(auto_error=False, description="SAMPLE_AGENT_ENGINE_TOKEN"))],
) -> ProcessResponse:
    """Fetch a file, analyse it, and send what else was asked for where it was asked for."""
    engine: Engine = request.app.state.engine
    structlog.contextvars.bind_contextvars(**wanted.model_dump(include={"user_id", "tier"}, exclude_none=True))
    _check(wanted, engine.allowed_hosts)
    with engine.place(), _as_problems():
        return await _while_connected(request, _process(engine, wanted))


def _check(wanted: ProcessRequest, hosts: tuple[str, ...]) -> None:
    options = wanted.options
    if options.export_sp404 and options.upload_url is None:
        message = "needed with export_sp404: a pre-signed URL that takes the converted WAV"
        raise ValidationFailed(
            f"options.upload_url: {message}", errors=[{"loc": ["body", "options", "upload_url"], "msg": message}]
        )
    for url in (wanted.file_url, options.upload_url, options.preview_upload_url):
        if url is not None:
            check_url(url, hosts)


async def _process(engine: Engine, wanted: ProcessRequest) -> ProcessResponse:
    started = time.perf_counter()
    options = wanted.options
    with private_folder(engine.space) as folder:
        source = folder / "source"
        await fetch_to(
            wanted.file_url,
            source,
            allowed_hosts=engine.allowed_hosts,
            max_bytes=MAX_FETCH_BYTES,
            max_seconds=TRANSFER_SECONDS,
        )
        examined = await examine(engine.pool, source, filename=options.filename, on_progress=_unseen)
        rendered = await _send_preview(engine, source, folder / "preview", options.preview_upload_url)
        converted = await _send_wav(
            engine, source, folder / "wav", options.upload_url if options.export_sp404 else None
        )
    vibe = describe_locally(examined.features) if options.ai_analysis else None
    return _response(examined, vibe, rendered, converted, drawn=options.waveform, seconds=time.perf_counter() - started)


async def _send_preview(engine: Engine, source: Path, file: Path, url: str | None) -> SentFile | None:
    if url is None:
        return None
    info = await preview(engine.pool, source, file)
    size = await _send(engine, file, url, info.content_type)
    return SentFile(content_type=info.content_type, size=size)


async def _send_wav(engine: Engine, source: Path, file: Path, url: str | None) -> ConvertedFile | None:
    if url is None:
        return None
    report = await convert(engine.pool, source, file)
    size = await _send(engine, file, url, "audio/wav")
    return ConvertedFile(
        content_type="audio/wav",
        size=size,
        channels=report.channels,
        frames=report.frames,
        gain_db=report.gain_db,
        truncated=report.truncated,
    )


async def _send(engine: Engine, file: Path, url: str, content_type: str) -> int:
    return await send_file(
        url, file, content_type=content_type, allowed_hosts=engine.allowed_hosts, max_seconds=TRANSFER_SECONDS
    )


def _response(
    examined: Examined,
    vibe: Vibe | None,
    rendered: SentFile | None,
    converted: ConvertedFile | None,
    *,
    drawn: bool,
    seconds: float,
) -> ProcessResponse:
    return ProcessResponse(
        audio_features=audio_features(examined.features),
        ai_analysis=Description(text=vibe.text, model=vibe.model) if vibe else None,
        cost=vibe.cost_usd if vibe else 0.0,
        model=vibe.model if vibe else None,
        tokens_input=vibe.tokens_input if vibe else 0,
        tokens_output=vibe.tokens_output if vibe else 0,
        processing_time=round(seconds, 4),
        waveform=_outline(examined) if drawn else None,
        spectrogram=_base64(examined.spectrogram) if drawn else None,
        preview=rendered,
        sp404=converted,
    )


def _outline(examined: Examined) -> Outline:
    return Outline(
        row=_base64(examined.waveform_row),
        peaks=_base64(examined.peaks),
        close_peaks=None if examined.close_peaks is None else _base64(examined.close_peaks),
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _unseen(percent: int, step: str) -> None:
    """Nobody watches: the answer comes when all is done."""


@contextlib.contextmanager
def _as_problems() -> Iterator[None]:
    try:
        yield
    except AudioError as error:
        log.info("file refused", code=error.code)
        raise audio_problem(error) from error
    except EngineUnavailable as error:
        raise Unavailable("The engine cannot work just now.", retry_after=RETRY_AFTER_SECONDS) from error
    except OSError as error:
        log.exception("the engine's machine failed")
        raise Unavailable("The engine has no room to work in.", retry_after=RETRY_AFTER_SECONDS) from error


async def _while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is stopped when whoever asked hangs up."""
    working = asyncio.ensure_future(work)
    hanging_up = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({working, hanging_up}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise BadRequest("Nobody waits for the answer any more.")
        return working.result()
    finally:
        working.cancel()
        hanging_up.cancel()
        await asyncio.gather(working, hanging_up, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
