"""One way to keep files: a folder on this machine, or any bucket that speaks S3.

A key is either whole or absent. Files pass through in blocks and are never held in memory at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore, S3Store

from sample_agent.core.signed_urls import Grant, LocalLinks, S3Links, SignedUrl, Verb

BLOCK_BYTES = 1024 * 1024
"""How much of a file is in memory at a time when it is read."""

PART_BYTES = 5 * 1024 * 1024
"""How much is sent at a time when a file is stored; S3 takes no smaller parts."""

CONCURRENT_PARTS = 3
DELETED_AT_ONCE = 1000
"""How many objects one request deletes; S3 takes no more."""

_STAGING = ".incoming"
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=-]*(?:/[A-Za-z0-9_][A-Za-z0-9._=-]*)*")
_UNFINISHED_NAME = re.compile(r".+#\d+")

Source = bytes | Path | AsyncIterable[bytes]


class StorageError(Exception):
    """The store could not do what was asked."""


class InvalidKey(StorageError, ValueError):
    """Not a key we ever make: absolute, with `..`, hidden or with odd characters."""


class ObjectMissing(StorageError):
    """There is nothing under this key."""


class ObjectExists(StorageError):
    """There is something under this key already, and it was not to be replaced."""


class ObjectChanged(StorageError):
    """The object was replaced while it was being read."""


class RangeBeyondEnd(StorageError):
    """The object ends before the first byte that was asked for."""


@dataclass(frozen=True)
class StoredObject:
    """What a store knows of one object. `size` is in bytes; `etag` is quoted as in HTTP."""

    key: str
    size: int
    etag: str | None = None


@dataclass(frozen=True)
class OpenObject:
    """An object, or the bytes `start` to `end` (exclusive) of one, to be iterated over once.

    `size` is the size of the whole object in bytes.
    """

    key: str
    size: int
    etag: str | None
    start: int
    end: int
    blocks: AsyncIterator[bytes]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.blocks


def valid_key(key: str) -> str:
    """`key` itself when it is one; raises `InvalidKey` otherwise."""
    if len(key) > 512 or not _KEY.fullmatch(key):
        raise InvalidKey(f"Not a storage key: {key[:100]!r}")
    return key


class Storage:
    """Keeps objects under keys such as `uploads/<user>/<id>.wav`.

    Make one with `Storage.local` or `Storage.s3`; both do the same.
    """

    def __init__(self, store: LocalStore | S3Store, links: LocalLinks | S3Links, root: Path | None = None) -> None:
        self._store = store
        self._links = links
        self._root = root

    @classmethod
    def local(cls, root: Path, signing_key: bytes, base_url: str) -> Storage:
        """A folder, made when absent. Signed URLs point at `{base_url}/files/…` (see `core.files`)."""
        if len(signing_key) < 16:
            raise ValueError("The signing key of local storage has to have at least 16 bytes.")
        root = root.resolve()
        return cls(LocalStore(root, mkdir=True), LocalLinks(base_url.rstrip("/"), signing_key), root)

    @classmethod
    def s3(
        cls, bucket: str, endpoint: str, access_key_id: str, secret_access_key: str, region: str = "auto"
    ) -> Storage:
        """A bucket at an S3-compatible endpoint (its URL without the bucket; R2's region is `auto`).

        An upload cut short by the death of this process leaves parts that only the bucket can see: give
        it a lifecycle rule that aborts incomplete multipart uploads after a day.
        """
        endpoint = endpoint.rstrip("/")
        store = S3Store(
            bucket,
            endpoint=endpoint,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            region=region,
            virtual_hosted_style_request=False,
            copy_if_not_exists="multipart",
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=60),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=60)},
        )
        return cls(store, S3Links(endpoint, bucket, region, access_key_id, secret_access_key))

    @property
    def local_links(self) -> LocalLinks | None:
        """How signed URLs are made and checked when it is us who serve them; None for a bucket."""
        return self._links if isinstance(self._links, LocalLinks) else None

    async def put(
        self, key: str, source: Source, content_type: str, *, overwrite: bool = True, part_bytes: int = PART_BYTES
    ) -> StoredObject:
        """Store `source` under `key`; on return it is safe on disk.

        When the source raises or the task is cancelled before the source ends, nothing is left behind and
        what was under the key stays. A source's own exception comes out as it is. `overwrite=False` raises
        `ObjectExists` instead of replacing. A folder keeps no content type: whoever stores an object
        keeps it in the database. An object has at most 10 000 parts in a bucket: what may be larger than 50 GB needs
        larger `part_bytes`.
        """
        valid_key(key)
        target = key if overwrite else f"{_STAGING}/{uuid.uuid4().hex}"
        if isinstance(source, bytes) and len(source) <= PART_BYTES:
            size = len(source)
            with _translated(key):
                await obstore.put_async(self._store, target, source, attributes=self._attributes(content_type))
        else:
            async with contextlib.aclosing(_blocks_of(source)) as blocks:
                size = await self._put_stream(target, blocks, content_type, part_bytes)
        if not overwrite:
            await self._reveal(target, key)
        if self._root is not None:
            await anyio.to_thread.run_sync(_flush_to_disk, self._root / key)
        return StoredObject(key, size)

    async def open(self, key: str, start: int = 0, end: int | None = None) -> OpenObject:
        """Open the bytes `start` to `end` (exclusive; the whole rest by default) for reading.

        Raises `ObjectMissing`, and `RangeBeyondEnd` when `start` is not inside the object (0 of an empty
        one is). Iterating raises `ObjectChanged` when the object is replaced meanwhile.
        """
        if start < 0 or (end is not None and end <= start):
            raise ValueError("A range has to begin at or after 0 and hold at least one byte.")
        info = await self.head(key)
        if info is None:
            raise ObjectMissing(f"There is no object {key!r}.")
        if start >= info.size and (start or info.size):
            raise RangeBeyondEnd(f"Object {key!r} has only {info.size} bytes.")
        end = info.size if end is None else min(end, info.size)
        return OpenObject(key, info.size, info.etag, start, end, self.blocks(info, start, end))

    async def read(self, key: str) -> bytes:
        """The whole object. For small ones: everything else goes through `open`."""
        return b"".join([block async for block in await self.open(key)])

    async def head(self, key: str) -> StoredObject | None:
        """Size and etag, or None when there is nothing under the key."""
        valid_key(key)
        try:
            with _translated(key):
                meta = await obstore.head_async(self._store, key)
        except ObjectMissing:
            return None
        return StoredObject(key, meta["size"], meta["e_tag"])

    async def delete(self, key: str) -> None:
        """Remove the object; nothing happens when there is none."""
        valid_key(key)
        with contextlib.suppress(ObjectMissing), _translated(key):
            await obstore.delete_async(self._store, key)

    async def delete_folder(self, folder: str) -> int:
        """Remove every object below `folder`, and what uploads that were cut short left there; how many objects.

        Safe to be called again, and while others write: what they finish afterwards is there for the next call.
        """
        deleted, keys = 0, [stored.key async for stored in self.list(valid_key(folder))]
        for start in range(0, len(keys), DELETED_AT_ONCE):
            some = keys[start : start + DELETED_AT_ONCE]
            with contextlib.suppress(ObjectMissing), _translated(folder):
                await obstore.delete_async(self._store, some)
            deleted += len(some)
        if self._root is not None:
            await anyio.to_thread.run_sync(partial(shutil.rmtree, self._root / folder, ignore_errors=True))
        return deleted

    async def copy_to(self, key: str, path: Path) -> int:
        """Download an object into a file and return its size; on failure the file is removed."""
        source = await self.open(key)
        try:
            with path.open("wb") as opened:  # not in a thread: what one has opened is lost at a cancellation
                file = anyio.wrap_file(opened)
                async for block in source:
                    await file.write(block)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await anyio.Path(path).unlink(missing_ok=True)
            raise
        return source.size

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Every object whose key begins with the folders `prefix`, in no promised order."""
        if prefix:
            valid_key(prefix.removesuffix("/"))
        with _translated(prefix):
            async for page in obstore.list(self._store, prefix or None):
                for meta in page:
                    if not meta["path"].startswith(f"{_STAGING}/"):
                        yield StoredObject(meta["path"], meta["size"], meta["e_tag"])

    async def signed_url(
        self,
        key: str,
        *,
        verb: Verb = "GET",
        expires_in: timedelta,
        filename: str | None = None,
        content_type: str | None = None,
        size: int | None = None,
    ) -> SignedUrl:
        """A URL that allows one thing with one object for a while, to be given to a browser or to a worker.

        GET answers with `content_type` and, with `filename`, as a download of that name. PUT creates the
        object and never replaces one; it has to carry the returned headers and, when `size` is given,
        exactly that many bytes.
        """
        valid_key(key)
        now = datetime.now(UTC)
        expires = int((now + expires_in).timestamp())
        return self._links.sign(Grant(verb, key, expires, filename, content_type, size), now)

    async def sweep_unfinished(self, older_than: timedelta) -> int:
        """Remove what uploads left behind whose process was killed, and say how many files that were.

        In a bucket only staged objects are removed; unfinished parts are for its lifecycle rule.
        """
        horizon = datetime.now(UTC) - older_than
        swept = 0
        if self._root is not None:
            swept += await anyio.to_thread.run_sync(_sweep_folder, self._root, horizon)
        with _translated(_STAGING):
            async for page in obstore.list(self._store, _STAGING):
                for meta in page:
                    if meta["last_modified"] < horizon:
                        await obstore.delete_async(self._store, meta["path"])
                        swept += 1
        return swept

    async def blocks(self, info: StoredObject, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes `start` to `end` (exclusive) of an object that `head` found."""
        # Block by block rather than one long response: a listener who pauses holds no connection to the
        # bucket, and no timeout of it can cut a slow download short.
        for position in range(start, end, BLOCK_BYTES):
            with _translated(info.key):
                part = await obstore.get_async(
                    self._store,
                    info.key,
                    options={"range": (position, min(position + BLOCK_BYTES, end)), "if_match": info.etag},
                )
                block = bytes(await part.bytes_async())
            yield block

    async def _put_stream(
        self, key: str, source: AsyncGenerator[bytes, None], content_type: str, part_bytes: int
    ) -> int:
        feed = _Feed(source)
        upload = asyncio.ensure_future(self._send(key, feed, content_type, part_bytes))
        try:
            await asyncio.shield(upload)
        except asyncio.CancelledError:
            # A cancelled call would leave the parts sent so far in the bucket; a source that fails makes
            # the store take them back.
            feed.call_off()
            with contextlib.suppress(Exception):
                await upload
            raise
        except Exception:
            if feed.failure is not None:
                raise feed.failure from None
            raise
        return feed.size

    async def _send(self, key: str, feed: _Feed, content_type: str, part_bytes: int) -> None:
        with _translated(key):
            await obstore.put_async(
                self._store,
                key,
                feed,
                attributes=self._attributes(content_type),
                chunk_size=part_bytes,
                max_concurrency=CONCURRENT_PARTS,
            )

    async def _reveal(self, staged: str, key: str) -> None:
        try:
            with _translated(key):
                await obstore.rename_async(self._store, staged, key, overwrite=False)
        except BaseException:
            with contextlib.suppress(Exception):
                await obstore.delete_async(self._store, staged)
            raise

    def _attributes(self, content_type: str) -> dict[str, str] | None:
        return {"Content-Type": content_type} if self._root is None else None


class UploadCalledOff(Exception):
    """The task that was storing an object was cancelled."""


class _Feed:
    """The blocks of a source on their way into a store: counted, and able to fail on demand."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self.size = 0
        self.failure: Exception | None = None
        self._source = source
        self._next: asyncio.Task[bytes] | None = None
        self._called_off = False

    def __aiter__(self) -> _Feed:
        return self

    async def __anext__(self) -> bytes:
        if self._called_off:
            raise UploadCalledOff
        self._next = asyncio.ensure_future(_next(self._source))
        try:
            block = await self._next
        except asyncio.CancelledError:
            raise UploadCalledOff from None
        except StopAsyncIteration:
            raise
        except Exception as error:
            self.failure = error
            raise
        self.size += len(block)
        return block

    def call_off(self) -> None:
        self._called_off = True
        if self._next is not None:
            self._next.cancel()


async def _next(source: AsyncIterator[bytes]) -> bytes:
    return await anext(source)


async def _blocks_of(source: Source) -> AsyncGenerator[bytes, None]:
    if isinstance(source, bytes):
        for start in range(0, len(source), BLOCK_BYTES):
            yield source[start : start + BLOCK_BYTES]
    elif isinstance(source, Path):
        with source.open("rb") as opened:  # not in a thread: what one has opened is lost at a cancellation
            file = anyio.wrap_file(opened)
            while block := await file.read(BLOCK_BYTES):
                yield block
    else:
        async for block in source:
            yield block


@contextlib.contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing(f"There is no object {key!r}.") from error
    except AlreadyExistsError as error:
        raise ObjectExists(f"There is an object {key!r} already.") from error
    except PreconditionError as error:
        raise ObjectChanged(f"Object {key!r} was replaced while it was being read.") from error
    except BaseError as error:
        raise StorageError(f"The store failed on {key!r}: {error}") from error


def _flush_to_disk(path: Path) -> None:
    for flushed in (path, path.parent):
        descriptor = os.open(flushed, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sweep_folder(root: Path, horizon: datetime) -> int:
    # The store writes `name#1` beside the final name and renames it when it is whole.
    swept = 0
    for path in root.rglob("*#*"):
        with contextlib.suppress(FileNotFoundError):  # it has just been finished
            if _UNFINISHED_NAME.fullmatch(path.name) and path.stat().st_mtime < horizon.timestamp():
                path.unlink()
                swept += 1
    return swept
