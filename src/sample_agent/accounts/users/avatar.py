"""People's pictures: whatever they send is drawn anew, so that nothing but pixels is kept of it."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import anyio
import anyio.to_thread
import structlog
from PIL import Image, ImageOps

from sample_agent.accounts import audit
from sample_agent.accounts.audit import Action, Actor
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import NotAPicture
from sample_agent.accounts.holding import hold_person
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import User
from sample_agent.accounts.principal import Principal
from sample_agent.core.errors import PayloadTooLarge
from sample_agent.core.storage import Storage, StorageError

FOLDER = "avatars"
CONTENT_TYPE = "image/webp"
MOST_BYTES = 5 * 1024 * 1024
MOST_PIXELS = 40_000_000
SIDE = 256
"""Width and height of what is kept, in pixels."""

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_NAME = re.compile(r"[0-9a-f]{64}\.webp")
_AT_ONCE = anyio.CapacityLimiter(1)
"""A picture that is being read takes up to 160 MB, so that one is read at a time."""

# What says that it has more pixels is not even begun.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

log = structlog.get_logger("accounts")


async def receive(blocks: AsyncIterator[bytes], announced: int | None) -> bytes:
    """The body of a request. Raises PayloadTooLarge as soon as it is known to have more than `MOST_BYTES`."""
    received = bytearray()
    if announced is None or announced <= MOST_BYTES:
        async for block in blocks:
            received += block
            if len(received) > MOST_BYTES:
                break
        else:
            return bytes(received)
    raise PayloadTooLarge(f"A picture has at most {MOST_BYTES // 1024**2} MB.")


async def redraw(content: bytes) -> bytes:
    """The picture as a square WebP of `SIDE` pixels, cut out of its middle, with nothing else in it.

    Raises NotAPicture.
    """
    return await anyio.to_thread.run_sync(partial(_redraw, content), limiter=_AT_ONCE)


def _redraw(content: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise NotAPicture(f"The picture has more than {MOST_PIXELS:,} pixels.")
            opened.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG can be read at a fraction of its size
            upright = ImageOps.exif_transpose(opened)
            colours = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
            square = ImageOps.fit(colours, (SIDE, SIDE), Image.Resampling.LANCZOS)
    except NotAPicture:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise NotAPicture(f"The picture has more than {MOST_PIXELS:,} pixels.") from error
    except Exception as error:  # damaged files make decoders raise anything
        raise NotAPicture from error
    square.info.clear()  # colour profiles and comments would be written again
    drawn = io.BytesIO()
    square.save(drawn, "WEBP", quality=85, method=4)
    return drawn.getvalue()


async def change(
    identity: Identity, storage: Storage, principal: Principal, client: Client, picture: bytes | None
) -> User:
    """Let `picture`, as `redraw` gives it, or none be the person's from now on; the one before is deleted."""
    key: str | None = None
    if picture is not None:
        key = f"{FOLDER}/{principal.user_id}/{hashlib.sha256(picture).hexdigest()}.webp"
        await storage.put(key, picture, CONTENT_TYPE)
    async with identity.database.transaction(principal.user_id) as db:
        user = await hold_person(db, principal.user_id)
        before, user.avatar_url = _key_of(user), None if key is None else f"/api/{key}"
        if before != key:
            await audit.record(
                db,
                Action.ACCOUNT_CHANGED,
                tenant_id=user.id,
                actor=Actor.of(principal, client),
                detail={"changed": ["avatar"]},
                now=identity.now(),
            )
    if before is not None and before != key:
        try:
            await storage.delete(before)
        except StorageError as error:  # the new one stands; what is left over goes with the account
            log.warning("an old picture was not deleted", error=repr(error))
    return user


def key_of(user_id: UUID, name: str) -> str | None:
    """The key of a picture; None when `name` is none that a picture has."""
    return f"{FOLDER}/{user_id}/{name}" if _NAME.fullmatch(name) else None


def _key_of(user: User) -> str | None:
    return user.avatar_url.removeprefix("/api/") if user.avatar_url else None
