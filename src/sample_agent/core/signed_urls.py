"""URLs that carry their own permission: a signature over what they allow and until when."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, urlencode, urlsplit

Verb = Literal["GET", "PUT"]


class BadSignature(Exception):
    """The URL was not made by us, was changed since, or has expired."""


@dataclass(frozen=True)
class SignedUrl:
    """A URL that works without signing in.

    `headers` are covered by the signature: whoever uses the URL has to send exactly these.
    """

    url: str
    expires_at: datetime
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Grant:
    """What a signed URL allows, until the moment `expires` (seconds since 1970).

    `filename` and `content_type` are what a GET answers with; for a PUT `content_type` is the type that
    has to be sent and `size` the exact length of the body in bytes.
    """

    verb: Verb
    key: str
    expires: int
    filename: str | None = None
    content_type: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class LocalLinks:
    """Makes the URLs under which this server itself hands out and takes in objects."""

    base_url: str
    signing_key: bytes = field(repr=False)

    def sign(self, grant: Grant, now: datetime) -> SignedUrl:
        """The URL `{base_url}/files/{key}` that carries `grant`."""
        url = f"{self.base_url}/files/{quote(grant.key)}?{grant_query(grant, self.signing_key)}"
        headers = {"content-type": grant.content_type} if grant.verb == "PUT" and grant.content_type else {}
        return SignedUrl(url, datetime.fromtimestamp(grant.expires, UTC), headers)


@dataclass(frozen=True)
class S3Links:
    """Makes presigned URLs of a bucket. `endpoint` is its URL without the bucket's name."""

    endpoint: str
    bucket: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)

    def sign(self, grant: Grant, now: datetime) -> SignedUrl:
        """A presigned URL that carries `grant`; a PUT is signed to create and never to replace."""
        query: dict[str, str] = {}
        headers: dict[str, str] = {}
        if grant.verb == "GET":
            if grant.filename is not None:
                query["response-content-disposition"] = attachment(grant.filename)
            if grant.content_type is not None:
                query["response-content-type"] = grant.content_type
        else:
            headers["if-none-match"] = "*"
            if grant.content_type is not None:
                headers["content-type"] = grant.content_type
            if grant.size is not None:
                headers["content-length"] = str(grant.size)
        seconds = grant.expires - int(now.timestamp())
        url = presign_s3(self, grant.verb, grant.key, now, seconds, query=query, headers=headers)
        return SignedUrl(url, datetime.fromtimestamp(grant.expires, UTC), headers)


_QUERY_NAMES = {"filename": "filename", "content_type": "type", "size": "size"}


def grant_query(grant: Grant, signing_key: bytes) -> str:
    """The query string that lets its bearer do what `grant` says, HMAC-SHA256 signed."""
    fields: dict[str, str] = {"expires": str(grant.expires)}
    for attribute, name in _QUERY_NAMES.items():
        if (value := getattr(grant, attribute)) is not None:
            fields[name] = str(value)
    fields["signature"] = _signature(grant, signing_key)
    return urlencode(fields, quote_via=quote)


def read_grant(
    verb: Verb, key: str, query: Mapping[str, str], signing_key: bytes, *, now: datetime | None = None
) -> Grant:
    """The grant behind a request for `key` with this query string; raises `BadSignature`."""
    try:
        grant = Grant(
            verb=verb,
            key=key,
            expires=_whole_number(query["expires"]),
            filename=query.get("filename"),
            content_type=query.get("type"),
            size=_whole_number(query["size"]) if "size" in query else None,
        )
        given = _unbase64(query["signature"])
    except (KeyError, ValueError) as error:
        raise BadSignature("The link is incomplete.") from error
    if not hmac.compare_digest(given, _unbase64(_signature(grant, signing_key))):
        raise BadSignature("The link was changed or was not made by this server.")
    if grant.expires <= (now or datetime.now(UTC)).timestamp():
        raise BadSignature("The link has expired.")
    return grant


def _signature(grant: Grant, signing_key: bytes) -> str:
    # A JSON list keeps the fields apart whatever they contain.
    message = json.dumps(
        ["files-1", grant.verb, grant.key, grant.expires, grant.filename, grant.content_type, grant.size]
    )
    digest = hmac.digest(signing_key, message.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text):
        raise ValueError("not a signature")
    try:
        return base64.urlsafe_b64decode(text + "=")
    except binascii.Error as error:
        raise ValueError("not a signature") from error


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise ValueError("not a number")
    return int(text)


def presign_s3(
    links: S3Links,
    verb: Verb,
    key: str,
    now: datetime,
    seconds: int,
    *,
    query: Mapping[str, str],
    headers: Mapping[str, str],
) -> str:
    """A presigned URL, path style, by AWS Signature Version 4 in the query string.

    Unlike obstore's own signing this covers response overrides (`response-content-disposition`) and
    request headers (`content-type`, `content-length`, `if-none-match`), so that who holds the URL can
    change neither. Method: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)",
    Amazon S3 API reference.
    """
    base = urlsplit(links.endpoint)
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{links.region}/s3/aws4_request"
    signed = {"host": base.netloc, **{name.lower(): value.strip() for name, value in headers.items()}}
    path = f"{base.path.rstrip('/')}/{links.bucket}/{key}"
    parameters = {
        **query,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{links.access_key_id}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": ";".join(sorted(signed)),
    }
    canonical_path = quote(path, safe="/-_.~")
    canonical_query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items())
    )
    canonical_request = "\n".join(
        [
            verb,
            canonical_path,
            canonical_query,
            *(f"{name}:{signed[name]}" for name in sorted(signed)),
            "",
            ";".join(sorted(signed)),
            "UNSIGNED-PAYLOAD",
        ]
    )
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signing_key = f"AWS4{links.secret_access_key}".encode()
    for part in (stamp[:8], links.region, "s3", "aws4_request"):
        signing_key = hmac.digest(signing_key, part.encode(), hashlib.sha256)
    signature = hmac.digest(signing_key, to_sign.encode(), hashlib.sha256).hex()
    return f"{base.scheme}://{base.netloc}{canonical_path}?{canonical_query}&X-Amz-Signature={signature}"


def attachment(filename: str) -> str:
    """A Content-Disposition that saves under `filename`, whatever letters it has (RFC 6266, RFC 5987)."""
    name = re.sub(r"[\x00-\x1f\x7f/\\]", "_", filename).strip() or "download"
    plain = re.sub(r'[^\x20-\x7e]|["%]', "_", name)
    if plain == name:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
