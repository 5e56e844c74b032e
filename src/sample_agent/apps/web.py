"""The web app as files: its page for every address of its own, its hashed assets, and the headers that fence it in."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import anyio
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import Receive, Scope, Send

BUILT_APP = Path(__file__).parent / "_web"
"""Where the build hook puts the web app inside the package."""

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

_NOT_PAGES = ("api/", "assets/", "docs/errors/", "files/", ".well-known/")
"""Addresses below these belong to the APIs or name one exact file: what is missing there is missing."""

_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""Compressed copies made by the build, best first."""

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sample Agent</title>
<h1>The web app is not part of this installation</h1>
<p>The API works. To build the web app, run <code>make web</code> in the repository
(or install the package again without <code>SKIP_WEB</code>), then restart.</p>
</html>
"""


def mount_web(app: Starlette, library_url: str = "", *, folder: Path = BUILT_APP) -> None:
    """Serve the web app at every address no route of `app` takes.

    `library_url` is the library API's address when it has an origin of its own, and empty when it shares this one.
    """
    web = WebApp(folder, content_security_policy(library_url))
    not_found = app.router.default

    async def web_or_not_found(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await not_found(scope, receive, send)
            return
        response = await web.answer(scope["path"].removeprefix("/"), Headers(scope=scope))
        # Ranges are for sounds. Starlette would refuse the odd ones in plain text.
        whole = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"range"]}
        await response(whole, receive, send)

    app.router.default = web_or_not_found


def content_security_policy(library_url: str = "") -> str:
    """What the app's pages may load: their own files, sounds from memory, and the library API wherever it lives."""
    origin = _origin(library_url)
    also_library = f" {origin}" if origin else ""
    return "; ".join((
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        f"media-src 'self' blob:{also_library}",
        f"connect-src 'self'{also_library}",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ))  # fmt: skip


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


@dataclass(frozen=True)
class WebApp:
    """The built files in `folder`, served under one content security policy."""

    folder: Path
    policy: str

    async def answer(self, path: str, asked: Headers) -> Response:
        """The file at this address, or the page, which knows the app's own addresses.

        Raises:
            HTTPException: 404 when an asset, or an address that belongs to an API, does not exist.
        """
        if not (self.folder / "index.html").is_file():
            if path.startswith(_NOT_PAGES):
                raise HTTPException(404)
            return HTMLResponse(_NOT_BUILT, 503, headers=self._page_headers())
        file = await anyio.to_thread.run_sync(self._find, path)
        if file is not None and file.name != "index.html":
            cache = IMMUTABLE if path.startswith("assets/") else REVALIDATE
            return _file_response(file, asked, {"Cache-Control": cache, "X-Content-Type-Options": "nosniff"})
        if file is None and (path.startswith(_NOT_PAGES) or Path(path).suffix in _FILE_SUFFIXES):
            raise HTTPException(404)
        return _file_response(self.folder / "index.html", asked, self._page_headers())

    def _find(self, path: str) -> Path | None:
        root = self.folder.resolve()
        try:
            file = (root / path).resolve()
        except (OSError, ValueError):
            return None
        return file if file.is_relative_to(root) and file.is_file() else None

    def _page_headers(self) -> dict[str, str]:
        return {
            "Cache-Control": REVALIDATE,
            "Content-Security-Policy": self.policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        }


_FILE_SUFFIXES = frozenset({".js", ".css", ".map", ".json", ".svg", ".png", ".ico", ".txt", ".xml", ".woff2", ".php"})
"""Endings that ask for one exact file; a page of HTML instead of it would only confuse whoever asked."""


def _file_response(file: Path, asked: Headers, headers: Mapping[str, str]) -> Response:
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    accepted = {part.split(";")[0].strip() for part in asked.get("accept-encoding", "").split(",")}
    for encoding, suffix in _ENCODINGS:
        packed = file.with_name(file.name + suffix)
        if encoding in accepted and packed.is_file():
            return FileResponse(
                packed,
                media_type=media_type,
                headers={**headers, "Content-Encoding": encoding, "Vary": "Accept-Encoding"},
            )
    return FileResponse(file, media_type=media_type, headers={**headers, "Vary": "Accept-Encoding"})
