"""People who use the API in tests."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

PASSWORD = "a long enough pass phrase"


@dataclass
class Person:
    """Someone with an account; `http` sends their access token."""

    email: str
    http: httpx.AsyncClient

    async def upload(
        self, content: bytes, filename: str = "sound.wav", *, tags: str = "", folder: str = ""
    ) -> httpx.Response:
        return await self.http.post(
            "/api/samples",
            files={"audio": (filename, content, "application/octet-stream")},
            data={"tags": tags, "folder": folder},
        )

    async def uploaded(self, content: bytes, filename: str = "sound.wav", **more: str) -> str:
        """Upload and return the sample's id."""
        response = await self.upload(content, filename, **more)
        assert response.status_code == 201, response.text
        sample_id: str = response.json()["sample_id"]
        return sample_id

    async def analysed(self, sample_id: str) -> dict[str, Any]:
        """The sample's detail once its job has ended, either way."""
        async with asyncio.timeout(60):
            while True:
                detail: dict[str, Any] = (await self.http.get(f"/api/samples/{sample_id}")).json()
                if detail["status"] in ("completed", "failed"):
                    return detail
                await asyncio.sleep(0.05)


def new_email() -> str:
    return f"{secrets.token_hex(6)}@example.com"
