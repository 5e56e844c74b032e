"""People's pictures: what is taken, what is kept of it, and who can see it."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import select

from sample_agent.accounts.audit.models import AuditEntry
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings
from tests.people import Person

AVATAR = "/api/account/avatar"
RED, BLUE = (200, 30, 30), (20, 40, 220)


def _picture(format_: str = "PNG", size: tuple[int, int] = (640, 320), **options: object) -> bytes:
    """Red on the left half and blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


async def _set(person: Person, content: bytes, media_type: str = "image/png") -> httpx.Response:
    return await person.http.put(AVATAR, content=content, headers={"Content-Type": media_type})


async def _shown(person: Person, url: str) -> Image.Image:
    answer = await person.http.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    return Image.open(io.BytesIO(answer.content), formats=["WEBP"])


def _stored(settings: Settings) -> list[Path]:
    return [path for path in (settings.files_dir / "avatars").rglob("*") if path.is_file()]


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_any_usual_picture_becomes_a_small_square_from_its_middle(alice: Person, format_: str) -> None:
    # What the sender says it is plays no part.
    profile = (await _set(alice, _picture(format_), "application/octet-stream")).json()
    shown = await _shown(alice, profile["avatar_url"])
    assert shown.size == (256, 256)
    left, right = shown.convert("RGB").getpixel((20, 128)), shown.convert("RGB").getpixel((236, 128))
    assert left[0] > 150 > left[2]
    assert right[2] > 150 > right[0]
    assert (await alice.http.get("/api/auth/me")).json()["avatar_url"] == profile["avatar_url"]


async def test_a_picture_is_turned_upright_and_loses_what_else_is_in_it(alice: Person) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    exif[0x010E] = "taken at home"
    profile = (await _set(alice, _picture("JPEG", exif=exif, icc_profile=b"profile", comment=b"secret"))).json()
    answer = await alice.http.get(profile["avatar_url"])
    assert not any(word in answer.content for word in (b"taken at home", b"EXIF", b"ICCP", b"secret"))
    assert Image.open(io.BytesIO(answer.content)).convert("RGB").getpixel((20, 128))[2] > 150


async def test_the_address_works_in_an_img_without_a_token_and_nowhere_else(app: FastAPI, alice: Person) -> None:
    url = (await _set(alice, _picture())).json()["avatar_url"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000") as stranger:
        answer = await stranger.get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        for other in (url.replace(".webp", ".svg"), url[:-9] + "0000.webp", url.rsplit("/", 1)[0] + "/..%2f..%2fx"):
            assert (await stranger.get(other)).status_code == 404


async def test_the_picture_before_is_deleted_and_the_last_one_with_it(
    alice: Person, settings: Settings, database: Database
) -> None:
    first = (await _set(alice, _picture())).json()["avatar_url"]
    assert (await _set(alice, _picture())).json()["avatar_url"] == first
    second = (await _set(alice, _picture(size=(64, 64)))).json()
    assert second["avatar_url"] != first
    assert (await alice.http.get(first)).status_code == 404
    assert len(_stored(settings)) == 1
    gone = await alice.http.delete(AVATAR)
    assert gone.json()["avatar_url"] is None
    assert _stored(settings) == []
    async with database.transaction(purpose="identity") as db:
        actions = select(AuditEntry.action).where(AuditEntry.tenant_id == second["id"])
        assert list(await db.scalars(actions)).count("account.changed") == 3


def _png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<!doctype html><script>alert(1)</script>",
        _picture("BMP"),
        _picture("TIFF"),
        _picture()[:200],
        _png_that_claims(50_000, 50_000),
        _png_that_claims(8_000, 8_000),
        _png_that_claims(9_000, 5_000),
    ],
    ids=["nothing", "text", "svg", "html", "bmp", "tiff", "cut off", "bomb", "large", "slightly large"],
)
async def test_anything_else_is_refused_and_nothing_is_kept(alice: Person, settings: Settings, content: bytes) -> None:
    refused = await _set(alice, content)
    assert (refused.status_code, refused.json()["code"]) == (415, "not-a-picture")
    assert _stored(settings) == []


async def test_too_large_a_file_is_refused(alice: Person) -> None:
    refused = await _set(alice, _picture() + bytes(5 * 1024 * 1024))
    assert (refused.status_code, refused.json()["code"]) == (413, "payload-too-large")
