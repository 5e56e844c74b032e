"""The HTTP shell every program shares: request ids, access log, metrics, problem+json, security headers, health."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sample_agent.core.api_description import describe_problems
from sample_agent.core.errors import (
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    RateLimited,
    Unauthenticated,
    Unavailable,
    ValidationFailed,
)
from sample_agent.core.identifiers import new_id
from sample_agent.core.limits import LIMIT_HEADERS, limit_headers
from sample_agent.core.request_body import limit_body

VERSION = version("sample-agent")
ReadinessCheck = Callable[[FastAPI], Awaitable[None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

log = structlog.get_logger("http")

REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time to answer, by route template.",
    ["service", "method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 60),
)
UNHANDLED = Counter("http_unhandled_errors_total", "Requests that ended in an unexpected exception.", ["service"])

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
_PLAIN_PROBLEMS: dict[int, type[Problem]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    413: PayloadTooLarge,
    422: ValidationFailed,
    429: RateLimited,
    503: Unavailable,
}


class Application(FastAPI):
    """FastAPI, with our problems in its description of the API, and what else `describers` say of its routes."""

    describers: Sequence[Callable[[FastAPI, dict[str, Any]], None]] = ()

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            describe_problems(document)
            for describe in self.describers:
                describe(self, document)
        return super().openapi()


def create_app(
    service: str,
    *,
    public_url: str,
    lifespan: Lifespan,
    readiness: Mapping[str, ReadinessCheck] | None = None,
    cors_origins: Sequence[str] = (),
    strict_transport: bool = False,
) -> Application:
    """An application with everything but its routes.

    `readiness` names the dependencies that `/readyz` asks; each check raises when its dependency does not answer.
    """
    app = Application(
        title=f"SP-404MK2 Sample Agent: {service}",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.public_url = public_url
    _install_problem_handlers(app)
    _install_health(app, service, readiness or {})
    # The last one added is the outermost: an unexpected error needs the headers of both others to reach a browser.
    app.add_middleware(UnexpectedErrors, service=service, public_url=public_url)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "If-None-Match",
                "Range",
                "X-Request-ID",
            ],
            expose_headers=[
                "ETag",
                "Location",
                *LIMIT_HEADERS,
                "Retry-After",
                "X-Request-ID",
                "Content-Disposition",
                "Content-Range",
            ],
            max_age=600,
        )
    app.add_middleware(RequestContext, service=service, strict_transport=strict_transport)
    return app


def problem_response(problem: Problem, *, request_id: str, public_url: str, instance: str) -> Response:
    """The RFC 9457 answer for `problem`."""
    body: dict[str, Any] = {
        "type": f"{public_url}/docs/errors/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        "code": problem.code,
        "request_id": request_id,
        **problem.extra,
    }
    if problem.next_step:
        body["next_step"] = problem.next_step
    if problem.errors:
        body["errors"] = [dict(error) for error in problem.errors]
    headers = dict(problem.headers)
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return Response(orjson.dumps(body), problem.status, headers, "application/problem+json")


class RequestContext:
    """ASGI middleware: gives the request an id, limits its body, times and logs it, adds headers to the answer."""

    def __init__(self, app: ASGIApp, *, service: str, strict_transport: bool) -> None:
        self.app = app
        self.service = service
        self.headers = dict(_SECURITY_HEADERS)
        if strict_transport:
            self.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers.update(limit_headers(scope["state"]))
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, limit_body(scope, receive), send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "unmatched")
            REQUEST_SECONDS.labels(self.service, scope["method"], route, str(status or 499)).observe(seconds)
            if route not in _QUIET_ROUTES:
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status or 499,
                    milliseconds=round(seconds * 1000, 1),
                )


class UnexpectedErrors:
    """ASGI middleware: an exception nobody expected is logged, and answered without a word about our insides."""

    def __init__(self, app: ASGIApp, *, service: str, public_url: str) -> None:
        self.app = app
        self.service = service
        self.public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, note_start)
        except Exception:
            UNHANDLED.labels(self.service).inc()
            log.exception("unhandled error", method=scope["method"], path=scope["path"])
            if started:
                raise
            response = problem_response(
                Problem("Something unexpected happened; it has been logged under this request id."),
                request_id=scope["state"]["request_id"],
                public_url=self.public_url,
                instance=scope["path"],
            )
            await response(scope, receive, send)


_QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/api/health", "/metrics"})


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            return given if _REQUEST_ID.fullmatch(given) else str(new_id())
    return str(new_id())


def _install_problem_handlers(app: FastAPI) -> None:
    def respond(request: Request, problem: Problem) -> Response:
        return problem_response(
            problem,
            request_id=request.state.request_id,
            public_url=app.state.public_url,
            instance=request.scope["path"],
        )

    @app.exception_handler(Problem)
    async def on_problem(request: Request, problem: Problem) -> Response:
        return respond(request, problem)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        fields = [
            {"loc": list(item["loc"]), "msg": item["msg"].removeprefix("Value error, ")} for item in error.errors()
        ]
        return respond(request, ValidationFailed(_first_complaint(fields), errors=fields))

    @app.exception_handler(HTTPException)
    async def on_http_exception(request: Request, error: HTTPException) -> Response:
        kind = _PLAIN_PROBLEMS.get(error.status_code, BadRequest if error.status_code < 500 else Problem)
        detail = "" if error.detail == _reason(error.status_code) else str(error.detail)
        return respond(request, kind(detail, headers=error.headers))

    @app.get("/docs/errors/{code:path}", include_in_schema=False, response_class=HTMLResponse)
    async def error_page(code: str) -> HTMLResponse:
        kind = Problem.registry.get(code)
        if kind is None:
            raise NotFound("There is no problem type of this name.")
        return HTMLResponse(_error_page(kind))


def _first_complaint(fields: Sequence[Mapping[str, Any]]) -> str:
    if not fields:
        return ""
    where = ".".join(str(part) for part in fields[0]["loc"][1:]) or "request"
    return f"{where}: {fields[0]['msg']}"


def _reason(status: int) -> str:
    return HTTPException(status).detail


def _error_page(kind: type[Problem]) -> str:
    text = html.escape(" ".join((kind.__doc__ or "").split()))
    step = f"<p><strong>What to do:</strong> {html.escape(kind.next_step)}</p>" if kind.next_step else ""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{html.escape(kind.title)}</title>"
        f"<h1>{html.escape(kind.title)}</h1><p><code>{kind.code}</code>, HTTP status {kind.status}</p>"
        f"<p>{text}</p>{step}</html>"
    )


def _install_health(app: FastAPI, service: str, readiness: Mapping[str, ReadinessCheck]) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/api/health")
    async def health() -> dict[str, str]:
        """Whether this service runs, with its name and version."""
        return {"status": "ok", "service": service, "version": VERSION}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        failing: dict[str, str] = {}
        for name, check in readiness.items():
            try:
                await check(app)
            except Exception as error:
                log.warning("not ready", dependency=name, error=repr(error))
                failing[name] = type(error).__name__
        body = {"status": "unavailable" if failing else "ok", "service": service, "failing": failing}
        return Response(orjson.dumps(body), 503 if failing else 200, media_type="application/json")

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
