"""The same promises hold for a folder and for a bucket on a real S3 server."""

import asyncio
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import botocore.config
import botocore.session
import httpx
import pytest
from moto.server import ThreadedMotoServer

from sample_agent.core.signed_urls import S3Links, presign_s3
from sample_agent.core.storage import (
    BLOCK_BYTES,
    PART_BYTES,
    InvalidKey,
    ObjectChanged,
    ObjectExists,
    ObjectMissing,
    RangeBeyondEnd,
    Storage,
    StorageError,
)

MEBIBYTE = 1024 * 1024
CREDENTIALS = {"access_key_id": "key", "secret_access_key": "secret", "region": "us-east-1"}


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
async def place(request: pytest.FixtureRequest, tmp_path: Path, s3_server: str) -> "Place":
    if request.param == "folder":
        return Place(Storage.local(tmp_path / "files", b"k" * 32, "http://testserver"), root=tmp_path / "files")
    bucket = f"bucket-{uuid.uuid4().hex}"
    async with httpx.AsyncClient() as client:
        (await client.put(f"{s3_server}/{bucket}")).raise_for_status()
    return Place(Storage.s3(bucket, s3_server, **CREDENTIALS), bucket_url=f"{s3_server}/{bucket}")


class Place:
    """A store and a way to look behind it."""

    def __init__(self, storage: Storage, root: Path | None = None, bucket_url: str = "") -> None:
        self.storage = storage
        self.root = root
        self.bucket_url = bucket_url

    async def leftovers(self) -> list[str]:
        """Everything it holds, whole or not."""
        if self.root is not None:
            return files_in(self.root)
        async with httpx.AsyncClient() as client:
            uploads = (await client.get(f"{self.bucket_url}?uploads")).text.count("<Upload>")
            objects = [part.split("</Key>")[0] for part in (await client.get(self.bucket_url)).text.split("<Key>")[1:]]
        return sorted(objects) + ["unfinished upload"] * uploads


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def blocks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def fails_after(count: int, error: Exception) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * MEBIBYTE
    raise error


def as_bytes(content: bytes, folder: Path) -> bytes:
    return content


def as_path(content: bytes, folder: Path) -> Path:
    path = folder / "source.bin"
    path.write_bytes(content)
    return path


def as_stream(content: bytes, folder: Path) -> AsyncIterator[bytes]:
    return blocks(*(content[start : start + 100_000] for start in range(0, len(content), 100_000)))


@pytest.mark.parametrize("shape", [as_bytes, as_path, as_stream])
@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES, 2 * PART_BYTES + 17])
async def test_what_is_put_is_read_back(
    place: Place, tmp_path: Path, size: int, shape: Callable[[bytes, Path], bytes | Path | AsyncIterator[bytes]]
) -> None:
    content = os.urandom(size)
    stored = await place.storage.put("uploads/u1/a.wav", shape(content, tmp_path), "audio/wav")
    assert (stored.key, stored.size) == ("uploads/u1/a.wav", size)
    assert await place.storage.read("uploads/u1/a.wav") == content
    assert (await place.storage.head("uploads/u1/a.wav")).size == size
    assert await place.leftovers() == ["uploads/u1/a.wav"]


async def test_a_put_replaces_and_the_old_is_whole_until_then(place: Place) -> None:
    await place.storage.put("a", b"old", "text/plain")
    with pytest.raises(RuntimeError, match="client went away"):
        await place.storage.put("a", fails_after(12, RuntimeError("client went away")), "text/plain")
    assert await place.storage.read("a") == b"old"
    await place.storage.put("a", b"newer", "text/plain")
    assert await place.storage.read("a") == b"newer"


@pytest.mark.parametrize("blocks_before", [0, 1, 12])
async def test_a_source_that_fails_leaves_nothing_and_its_error_comes_through(place: Place, blocks_before: int) -> None:
    error = FileNotFoundError("the source's own")
    with pytest.raises(FileNotFoundError, match="the source's own"):
        await place.storage.put("a.wav", fails_after(blocks_before, error), "audio/wav")
    assert await place.storage.head("a.wav") is None
    assert await place.leftovers() == []


async def test_a_missing_source_file_is_the_callers_error(place: Place, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await place.storage.put("a.wav", tmp_path / "none.wav", "audio/wav")
    assert await place.leftovers() == []


async def test_a_cancelled_upload_leaves_nothing(place: Place) -> None:
    sent_enough = asyncio.Event()
    source_closed = asyncio.Event()

    async def stalls() -> AsyncIterator[bytes]:
        try:
            for _ in range(12):
                yield b"x" * MEBIBYTE
            sent_enough.set()
            await asyncio.Event().wait()
        finally:
            source_closed.set()

    upload = asyncio.create_task(place.storage.put("a.wav", stalls(), "audio/wav"))
    await sent_enough.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert source_closed.is_set()
    assert await place.leftovers() == []


async def test_create_only_refuses_to_replace(place: Place) -> None:
    await place.storage.put("a.wav", blocks(b"first"), "audio/wav", overwrite=False)
    for second in (b"second", blocks(b"second")):
        with pytest.raises(ObjectExists):
            await place.storage.put("a.wav", second, "audio/wav", overwrite=False)
    assert await place.storage.read("a.wav") == b"first"
    assert await place.leftovers() == ["a.wav"]


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (5, 10), (BLOCK_BYTES - 1, BLOCK_BYTES + 1), (3 * BLOCK_BYTES, None), (7, 10**9)]
)
async def test_a_range_is_read_and_nothing_else(place: Place, start: int, end: int | None) -> None:
    content = os.urandom(3 * BLOCK_BYTES + 5)
    await place.storage.put("a", content, "audio/wav")
    part = await place.storage.open("a", start, end)
    assert b"".join([block async for block in part]) == content[start:end]
    assert (part.size, part.start, part.end) == (len(content), start, min(end or len(content), len(content)))


async def test_a_range_behind_the_end_is_an_error(place: Place) -> None:
    await place.storage.put("a", b"12345", "audio/wav")
    await place.storage.put("empty", b"", "audio/wav")
    with pytest.raises(RangeBeyondEnd):
        await place.storage.open("a", 5)
    with pytest.raises(RangeBeyondEnd):
        await place.storage.open("empty", 1)


async def test_an_object_replaced_while_it_is_read_is_noticed(place: Place) -> None:
    await place.storage.put("a", os.urandom(2 * BLOCK_BYTES), "audio/wav")
    reader = aiter(await place.storage.open("a"))
    await anext(reader)
    await place.storage.put("a", os.urandom(2 * BLOCK_BYTES + 1), "audio/wav")
    with pytest.raises(ObjectChanged):
        await anext(reader)


async def test_missing_objects_are_missing(place: Place, tmp_path: Path) -> None:
    assert await place.storage.head("no/such") is None
    with pytest.raises(ObjectMissing):
        await place.storage.open("no/such")
    with pytest.raises(ObjectMissing):
        await place.storage.copy_to("no/such", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


async def test_delete_may_be_repeated(place: Place) -> None:
    await place.storage.put("a", b"1", "audio/wav")
    await place.storage.delete("a")
    await place.storage.delete("a")
    assert await place.leftovers() == []


async def test_copy_to_downloads_the_whole(place: Place, tmp_path: Path) -> None:
    content = os.urandom(2 * BLOCK_BYTES + 3)
    await place.storage.put("a", content, "audio/wav")
    assert await place.storage.copy_to("a", tmp_path / "copy") == len(content)
    assert (tmp_path / "copy").read_bytes() == content


async def test_list_goes_by_folder_and_not_by_letters(place: Place) -> None:
    for key in ("uploads/u1/a", "uploads/u1/b", "uploads/u10/c", "other"):
        await place.storage.put(key, key.encode(), "text/plain")
    assert sorted([found.key async for found in place.storage.list("uploads/u1")]) == ["uploads/u1/a", "uploads/u1/b"]
    assert {found.key: found.size async for found in place.storage.list()} == {
        "uploads/u1/a": 12,
        "uploads/u1/b": 12,
        "uploads/u10/c": 13,
        "other": 5,
    }


@pytest.mark.parametrize(
    "key",
    [
        *("", "/etc/passwd", "..", "../a", "a/../b", "a/..", "a//b", "a/", ".hidden", "a/.hidden", "a\\b"),
        *("a\x00b", "a\n", "a#1", "a b", "%2e%2e/a", "é", "~", "a" * 513, ".incoming/x"),
    ],
)
async def test_odd_keys_are_refused_everywhere(place: Place, key: str, tmp_path: Path) -> None:
    storage = place.storage
    for attempt in (
        lambda: storage.put(key, b"x", "audio/wav"),
        lambda: storage.put(key, blocks(b"x"), "audio/wav"),
        lambda: storage.open(key),
        lambda: storage.head(key),
        lambda: storage.delete(key),
        lambda: storage.copy_to(key, tmp_path / "copy"),
        lambda: storage.signed_url(key, expires_in=timedelta(minutes=1)),
    ):
        with pytest.raises(InvalidKey):
            await attempt()
    assert await place.leftovers() == []


async def test_a_store_that_does_not_answer_is_a_storage_error(unused_tcp_port: int) -> None:
    storage = Storage.s3("bucket", f"http://127.0.0.1:{unused_tcp_port}", **CREDENTIALS)
    with pytest.raises(StorageError, match="The store failed on 'a'"):
        await storage.put("a", b"x", "audio/wav")


async def test_what_a_killed_process_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    storage = Storage.local(tmp_path, b"k" * 32, "http://testserver")
    await storage.put("uploads/whole.wav", b"1", "audio/wav")
    young, old = tmp_path / "uploads/young.wav#1", tmp_path / "uploads/old.wav#12"
    young.write_bytes(b"x")
    old.write_bytes(b"x")
    yesterday = time.time() - 86_400
    os.utime(old, (yesterday, yesterday))
    os.utime(tmp_path / "uploads/whole.wav", (yesterday, yesterday))
    assert [found.key async for found in storage.list()] == ["uploads/whole.wav"]
    assert await storage.sweep_unfinished(timedelta(hours=1)) == 1
    assert sorted(path.name for path in (tmp_path / "uploads").iterdir()) == ["whole.wav", "young.wav#1"]


UPLOAD_THAT_WAITS = """
import asyncio, sys
from pathlib import Path
from sample_agent.core.storage import Storage

async def main():
    async def stalls():
        for _ in range(20):
            yield b"x" * 1024 * 1024
        print("sent", flush=True)
        await asyncio.Event().wait()
    storage = Storage.local(Path(sys.argv[1]), b"k" * 32, "")
    await storage.put("uploads/a.wav", stalls(), "audio/wav")

asyncio.run(main())
"""


@pytest.mark.faults
async def test_a_killed_process_leaves_no_object_and_what_it_leaves_is_swept(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", UPLOAD_THAT_WAITS, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert await process.stdout.readline() == b"sent\n"
    process.kill()
    await process.wait()
    storage = Storage.local(tmp_path, b"k" * 32, "")
    assert await storage.head("uploads/a.wav") is None
    assert [found async for found in storage.list()] == []
    assert len(files_in(tmp_path)) == 1
    assert await storage.sweep_unfinished(timedelta(seconds=-1)) == 1
    assert files_in(tmp_path) == []


async def test_a_presigned_get_downloads_under_the_given_name(s3_server: str) -> None:
    storage = await new_bucket(s3_server)
    await storage.put("uploads/a.wav", b"RIFFdata", "audio/wav")
    link = await storage.signed_url(
        "uploads/a.wav", expires_in=timedelta(minutes=5), filename="Kick é #1.wav", content_type="audio/x-wav"
    )
    async with httpx.AsyncClient() as client:
        answer = await client.get(link.url)
    assert (answer.status_code, answer.content) == (200, b"RIFFdata")
    assert answer.headers["content-type"] == "audio/x-wav"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"Kick _ #1.wav\"; filename*=UTF-8''Kick%20%C3%A9%20%231.wav"
    )
    assert timedelta(minutes=4) < link.expires_at - datetime.now(UTC) <= timedelta(minutes=5)


async def test_a_presigned_put_creates_and_does_not_replace(s3_server: str) -> None:
    storage = await new_bucket(s3_server)
    link = await storage.signed_url(
        "uploads/a.wav", verb="PUT", expires_in=timedelta(minutes=5), content_type="audio/wav", size=4
    )
    async with httpx.AsyncClient() as client:
        first = await client.put(link.url, content=b"RIFF", headers=dict(link.headers))
        second = await client.put(link.url, content=b"FFIR", headers=dict(link.headers))
    assert (first.status_code, second.status_code) == (200, 412)
    assert await storage.read("uploads/a.wav") == b"RIFF"


@pytest.mark.parametrize("verb", ["GET", "PUT"])
def test_presigning_agrees_with_botocore(verb: str) -> None:
    client = botocore.session.Session().create_client(
        "s3",
        endpoint_url="https://account.example.com:8443",
        region_name="auto",
        aws_access_key_id="AKID",
        aws_secret_access_key="s3cr3t/+",
        config=botocore.config.Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    query, headers, parameters = {}, {}, {}
    if verb == "GET":
        query = {"response-content-disposition": "attachment; filename*=UTF-8''a%20b", "response-content-type": "x/y z"}
        parameters = {
            "ResponseContentDisposition": query["response-content-disposition"],
            "ResponseContentType": "x/y z",
        }
    else:
        headers = {"content-type": "audio/wav", "content-length": "12"}
        parameters = {"ContentType": "audio/wav", "ContentLength": 12}
    theirs = client.generate_presigned_url(
        f"{verb.lower()}_object",
        Params={"Bucket": "bucket", "Key": "uploads/u-1/a_b=c.wav", **parameters},
        ExpiresIn=900,
    )
    signed_at = datetime.strptime(parse_qs(urlsplit(theirs).query)["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(
        tzinfo=UTC
    )
    links = S3Links("https://account.example.com:8443", "bucket", "auto", "AKID", "s3cr3t/+")
    ours = presign_s3(links, verb, "uploads/u-1/a_b=c.wav", signed_at, 900, query=query, headers=headers)
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(theirs).query)
    assert urlsplit(ours)[:3] == urlsplit(theirs)[:3]


def test_secrets_do_not_show_in_a_traceback() -> None:
    assert "s3cr3t" not in repr(S3Links("https://x", "b", "auto", "AKID", "s3cr3t"))


async def new_bucket(server: str) -> Storage:
    bucket = f"bucket-{uuid.uuid4().hex}"
    async with httpx.AsyncClient() as client:
        (await client.put(f"{server}/{bucket}")).raise_for_status()
    return Storage.s3(bucket, server, **CREDENTIALS)
