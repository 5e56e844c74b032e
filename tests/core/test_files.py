"""Signed URLs of local storage and range requests, over HTTP as a browser makes them."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from sample_agent.core.files import files_router
from sample_agent.core.http import create_app
from sample_agent.core.signed_urls import Grant, LocalLinks
from sample_agent.core.storage import Storage

KEY = b"k" * 32
MINUTE = timedelta(minutes=1)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.local(tmp_path / "files", KEY, "http://testserver")


@pytest.fixture
async def client(storage: Storage) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield

    app = create_app("test", public_url="http://testserver", lifespan=lifespan)
    app.include_router(files_router(storage))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


@pytest.fixture
async def link(storage: Storage) -> str:
    await storage.put("uploads/u/a.wav", bytes(range(256)), "audio/wav")
    return (await storage.signed_url("uploads/u/a.wav", expires_in=MINUTE, content_type="audio/wav")).url


async def test_a_signed_link_gives_the_file(client: httpx.AsyncClient, link: str) -> None:
    answer = await client.get(link)
    assert (answer.status_code, answer.content) == (200, bytes(range(256)))
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert answer.headers["content-disposition"] == "inline"
    assert answer.headers["content-length"] == "256"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        *(("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=250-", 250, 255), ("bytes=-6", 250, 255)),
        *(("bytes=200-99999", 200, 255), ("bytes=-99999", 0, 255), ("BYTES = 1 - 2", 1, 2)),
    ],
)
async def test_a_range_is_answered_with_206(
    client: httpx.AsyncClient, link: str, asked: str, first: int, last: int
) -> None:
    answer = await client.get(link, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, bytes(range(first, last + 1)))
    assert answer.headers["content-range"] == f"bytes {first}-{last}/256"


@pytest.mark.parametrize("asked", ["bytes=256-", "bytes=999-1000", "bytes=-0"])
async def test_a_range_outside_is_answered_with_416(client: httpx.AsyncClient, link: str, asked: str) -> None:
    answer = await client.get(link, headers={"Range": asked})
    assert (answer.status_code, answer.json()["code"]) == (416, "range-not-satisfiable")
    assert answer.headers["content-range"] == "bytes */256"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "bytes=a-b", "", "bytes=٣-٤"])
async def test_a_range_that_cannot_be_used_gives_the_whole(client: httpx.AsyncClient, link: str, asked: str) -> None:
    answer = await client.get(link, headers={"Range": asked.encode()})
    assert (answer.status_code, len(answer.content)) == (200, 256)


async def test_if_range_gives_the_whole_when_the_file_has_changed(client: httpx.AsyncClient, link: str) -> None:
    etag = (await client.head(link)).headers["etag"]
    same = await client.get(link, headers={"Range": "bytes=1-2", "If-Range": etag})
    other = await client.get(link, headers={"Range": "bytes=1-2", "If-Range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


async def test_a_client_that_has_the_file_gets_304(client: httpx.AsyncClient, link: str) -> None:
    etag = (await client.get(link)).headers["etag"]
    for header in (etag, f'"x", W/{etag}', "*"):
        answer = await client.get(link, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content) == (304, b"")
    assert (await client.get(link, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_head_has_the_headers_and_no_body(client: httpx.AsyncClient, link: str) -> None:
    answer = await client.head(link, headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "256")


async def test_an_empty_file_is_served(client: httpx.AsyncClient, storage: Storage) -> None:
    await storage.put("empty", b"", "audio/wav")
    url = (await storage.signed_url("empty", expires_in=MINUTE)).url
    whole, part = await client.get(url), await client.get(url, headers={"Range": "bytes=0-"})
    assert (whole.status_code, whole.content, part.status_code) == (200, b"", 416)


async def test_a_filename_makes_it_a_download_of_that_name(client: httpx.AsyncClient, storage: Storage) -> None:
    await storage.put("a", b"x", "audio/wav")
    name = 'Šnéh "loud"\r\nSet-Cookie: a=b;/../50%.wav'
    answer = await client.get((await storage.signed_url("a", expires_in=MINUTE, filename=name)).url)
    assert answer.headers["content-disposition"] == (
        'attachment; filename="_n_h _loud___Set-Cookie: a=b;_.._50_.wav"; '
        "filename*=UTF-8''%C5%A0n%C3%A9h%20%22loud%22__Set-Cookie%3A%20a%3Db%3B_.._50%25.wav"
    )
    assert "set-cookie" not in answer.headers


async def test_what_is_no_sound_is_never_shown_in_place(client: httpx.AsyncClient, storage: Storage) -> None:
    await storage.put("page", b"<script>alert(1)</script>", "text/html")
    answer = await client.get((await storage.signed_url("page", expires_in=MINUTE, content_type="text/html")).url)
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-security-policy"].startswith("sandbox")


async def test_a_link_that_was_changed_is_refused(client: httpx.AsyncClient, storage: Storage) -> None:
    for key in ("uploads/u/a.wav", "uploads/u/b.wav"):
        await storage.put(key, b"x", "audio/wav")
    url = (await storage.signed_url("uploads/u/a.wav", expires_in=MINUTE, filename="a.wav")).url
    query = dict(httpx.URL(url).params)
    tampered = [
        url.replace("a.wav?", "b.wav?"),
        url.replace("?", "?extra=1&").replace("filename=a.wav", "filename=b.wav"),
        f"{url}&type=text%2Fhtml",
        f"{url}&size=1",
        with_query(url, {**query, "expires": str(int(query["expires"]) + 1)}),
        with_query(url, {**query, "signature": "A" * 43}),
        with_query(url, {**query, "signature": query["signature"] + "="}),
        with_query(url, {**query, "signature": "é"}),
        with_query(url, {**query, "expires": "soon"}),
        with_query(url, {name: value for name, value in query.items() if name != "signature"}),
        url.partition("?")[0],
    ]
    for bad in tampered:
        answer = await client.get(bad)
        assert (answer.status_code, answer.json()["code"]) == (403, "link-not-valid"), bad
    assert (await client.get(url)).status_code == 200
    assert (await client.put(url, content=b"y")).status_code == 403


async def test_a_link_of_another_server_is_refused(client: httpx.AsyncClient, link: str) -> None:
    grant = Grant("GET", "uploads/u/a.wav", int(time.time()) + 60, content_type="audio/wav")
    foreign = LocalLinks("http://testserver", b"another key, as long").sign(grant, datetime.now(UTC))
    assert (await client.get(foreign.url)).status_code == 403


async def test_an_expired_link_is_refused(client: httpx.AsyncClient, storage: Storage) -> None:
    await storage.put("a", b"x", "audio/wav")
    url = (await storage.signed_url("a", expires_in=timedelta(seconds=-1))).url
    answer = await client.get(url)
    assert (answer.status_code, answer.json()["detail"]) == (403, "The link has expired.")


async def test_a_signed_link_to_a_deleted_file_is_404(client: httpx.AsyncClient, storage: Storage, link: str) -> None:
    await storage.delete("uploads/u/a.wav")
    assert (await client.get(link)).status_code == 404


async def test_a_path_outside_the_folder_is_not_reached_even_with_a_true_signature(
    client: httpx.AsyncClient, tmp_path: Path, link: str
) -> None:
    (tmp_path / "secret").write_text("secret")
    for key in ("../secret", "uploads/../../secret", str(tmp_path / "secret")):
        grant = Grant("GET", key, int(time.time()) + 60)
        query = urlsplit(LocalLinks("http://testserver", KEY).sign(grant, datetime.now(UTC)).url).query
        for path in (key, key.replace("/", "%2F").replace(".", "%2E")):
            answer = await client.get(f"http://testserver/files/{path}?{query}")
            assert answer.status_code in {403, 404}


async def test_a_signed_put_creates_once(client: httpx.AsyncClient, storage: Storage, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    link = await storage.signed_url(
        "uploads/new.wav", verb="PUT", expires_in=MINUTE, content_type="audio/wav", size=len(content)
    )
    assert (await client.put(link.url, content=content, headers=link.headers)).status_code == 201
    again = await client.put(link.url, content=content[::-1], headers=link.headers)
    assert (again.status_code, again.json()["code"]) == (412, "already-uploaded")
    assert await storage.read("uploads/new.wav") == content
    assert (await client.get(link.url)).status_code == 403


@pytest.mark.parametrize(("sent", "status"), [(1001, 413), (10_000_000, 413), (999, 400), (0, 400)])
async def test_a_signed_put_takes_exactly_the_signed_size(
    client: httpx.AsyncClient, storage: Storage, tmp_path: Path, sent: int, status: int
) -> None:
    async def body() -> AsyncIterator[bytes]:
        for start in range(0, sent, 65_536):
            yield b"x" * min(65_536, sent - start)

    link = await storage.signed_url("new.wav", verb="PUT", expires_in=MINUTE, size=1000)
    assert (await client.put(link.url, content=body())).status_code == status
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


async def test_a_signed_put_takes_only_the_signed_type(client: httpx.AsyncClient, storage: Storage) -> None:
    link = await storage.signed_url("new", verb="PUT", expires_in=MINUTE, content_type="audio/wav")
    answer = await client.put(link.url, content=b"<html>", headers={"content-type": "text/html"})
    assert answer.status_code == 403
    assert await storage.head("new") is None


def test_a_bucket_has_no_files_router() -> None:
    with pytest.raises(ValueError, match="serves its signed URLs itself"):
        files_router(Storage.s3("bucket", "http://127.0.0.1:9", "key", "secret"))


def with_query(url: str, query: dict[str, str]) -> str:
    return f"{url.partition('?')[0]}?{urlencode(query)}"
