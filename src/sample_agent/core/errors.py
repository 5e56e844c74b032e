"""Business errors as classes; each knows its HTTP status and documents itself.

A feature raises `SomeProblem("what happened")`; `core.http` turns it into RFC 9457 `application/problem+json` in one
place. The class's docstring is the page its `type` links to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class Problem(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"
    next_step: ClassVar[str] = ""

    registry: ClassVar[dict[str, type[Problem]]] = {}

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def __init_subclass__(cls) -> None:
        if "code" in cls.__dict__:
            Problem.registry[cls.code] = cls


Problem.registry[Problem.code] = Problem


class ValidationFailed(Problem):
    """A field of the request is missing or has a value that is not allowed. `errors` names each one and why."""

    status, code, title = 422, "validation-failed", "The request is not valid"
    next_step = "Correct the fields listed in `errors` and send the request again."


class BadRequest(Problem):
    """The request cannot be read: its body or its headers are malformed."""

    status, code, title = 400, "bad-request", "The request cannot be read"
    next_step = "Check the request against the API reference."


class Unauthenticated(Problem):
    """The request carries no access token, or one that is expired, revoked or not ours."""

    status, code, title = 401, "unauthenticated", "Sign in first"
    next_step = "Sign in again, or refresh the access token."


class Forbidden(Problem):
    """You are known, but you may not do this."""

    status, code, title = 403, "forbidden", "Not allowed"
    next_step = "Ask the owner or an administrator."


class NotFound(Problem):
    """There is nothing here: it does not exist, was deleted, or belongs to someone else."""

    status, code, title = 404, "not-found", "Not found"
    next_step = "Check the address; the item may have been deleted."


class MethodNotAllowed(Problem):
    """This address exists, but not for this HTTP method."""

    status, code, title = 405, "method-not-allowed", "Method not allowed"
    next_step = "See the `Allow` header."


class Conflict(Problem):
    """The request contradicts what is stored."""

    status, code, title = 409, "conflict", "Conflict"
    next_step = "Load the current state and try again."


class PayloadTooLarge(Problem):
    """The body of the request is larger than this address accepts."""

    status, code, title = 413, "payload-too-large", "The request is too large"
    next_step = "Send less."


class RateLimited(Problem):
    """Too many requests in a short time."""

    status, code, title = 429, "rate-limited", "Too many requests"
    next_step = "Wait as long as `Retry-After` says."


class Unavailable(Problem):
    """Something this service depends on does not answer right now. Nothing was changed."""

    status, code, title = 503, "unavailable", "Temporarily unavailable"
    next_step = "Try again after `Retry-After` seconds."
