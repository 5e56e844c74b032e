"""The web app as it is served."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from sample_agent.apps.web import content_security_policy, mount_web


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "_web"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>app</title>")
    (folder / "index.html.gz").write_bytes(b"packed page")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-abc123.js").write_text("plain")
    (folder / "assets" / "index-abc123.js.br").write_bytes(b"brotli")
    (folder / "assets" / "index-abc123.js.gz").write_bytes(b"gzip")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def client_for(folder: Path, library_url: str = "") -> httpx.AsyncClient:
    app = FastAPI()

    @app.get("/api/known")
    async def known() -> dict[str, bool]:
        return {"ok": True}

    mount_web(app, library_url, folder=folder)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://app.test",
        headers={"Accept-Encoding": "identity"},
    )


@pytest.mark.parametrize("address", ["/", "/samples", "/samples/0192", "/collections/x", "/login?next=%2Fsamples"])
async def test_addresses_of_the_app_answer_with_its_page(built: Path, address: str) -> None:
    async with client_for(built) as client:
        response = await client.get(address)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "<title>app</title>" in response.text
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "address",
    ["/api/unknown", "/assets/gone-123.js", "/docs/errors/x", "/.well-known/x", "/robots.txt", "/x/y.map"],
)
async def test_missing_files_and_api_routes_are_missing_and_not_the_page(built: Path, address: str) -> None:
    async with client_for(built) as client:
        response = await client.get(address)
    assert response.status_code == 404
    assert "<title>app" not in response.text


async def test_api_routes_are_left_alone(built: Path) -> None:
    async with client_for(built) as client:
        assert (await client.get("/api/known")).json() == {"ok": True}
        assert (await client.post("/api/known")).status_code == 405
        assert (await client.post("/api/unknown")).status_code == 404
        assert (await client.post("/samples")).status_code == 404


@pytest.mark.parametrize("address", ["/%2e%2e/secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/..%2fsecret.txt"])
async def test_no_address_leads_out_of_the_folder(built: Path, address: str) -> None:
    async with client_for(built) as client:
        response = await client.get(address)
    assert response.status_code == 404
    assert "secret" not in response.text


async def test_an_address_with_a_null_byte_is_not_a_fault(built: Path) -> None:
    async with client_for(built) as client:
        assert (await client.get("/a%00b")).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [("gzip, deflate, br", "br", "brotli"), ("gzip", "gzip", "gzip"), ("identity", None, "plain")],
)
async def test_assets_are_kept_for_good_and_sent_compressed_to_who_takes_it(
    built: Path, accepted: str, encoding: str | None, body: str
) -> None:
    async with client_for(built) as client:
        request = client.build_request("GET", "/assets/index-abc123.js", headers={"Accept-Encoding": accepted})
        response = await client.send(request, stream=True)
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers.get("content-encoding") == encoding
    assert response.headers["vary"] == "Accept-Encoding"
    assert raw.decode() == body


async def test_the_page_may_only_load_what_is_its_own(built: Path) -> None:
    async with client_for(built) as client:
        response = await client.get("/samples")
    policy = response.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_library_with_its_own_origin_may_be_called_and_played() -> None:
    policy = content_security_policy("http://library.test:8100/ignored")
    assert "connect-src 'self' http://library.test:8100;" in policy
    assert "media-src 'self' blob: http://library.test:8100;" in policy


async def test_an_installation_without_the_web_app_says_so(tmp_path: Path) -> None:
    async with client_for(tmp_path / "_web") as client:
        page = await client.get("/samples")
        missing = await client.get("/api/unknown")
    assert page.status_code == 503
    assert "make web" in page.text
    assert missing.status_code == 404
