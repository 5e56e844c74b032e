"""`sample-agent user create`, as somebody at a terminal uses it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.accounts.deployment import PASSWORD, Service, fresh_address


async def _create(service: Service, *arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    settings = service.settings
    assert settings.database_url is not None
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "SAMPLE_AGENT_DEFAULT_PLAN": "free",
    }
    command = [sys.executable, "-c", "from sample_agent.cli import main; main()", "user", "create", *arguments]
    return await asyncio.to_thread(
        subprocess.run,
        [*command, "--password-stdin", "--data-dir", str(settings.data_dir)],
        input=f"{password}\n",
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        cwd=Path(settings.data_dir),
    )


async def test_a_user_made_by_hand_signs_in_at_once(service: Service) -> None:
    address = fresh_address()
    done = await _create(service, address.upper(), "--admin", "--plan", "pro", "--first-name", "Jay")
    assert done.returncode == 0, done.stderr
    assert address in done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    async with service.visitor(address) as person:
        user = (await person.login()).json()["user"]
    assert (user["first_name"], user["is_admin"], user["tier"]) == ("Jay", True, "pro")


async def test_an_account_on_a_private_network_is_possible(service: Service) -> None:
    address = fresh_address().replace("example.com", "studio")
    done = await _create(service, address)
    assert done.returncode == 0, done.stderr
    async with service.visitor(address) as person:
        answer: httpx.Response = await person.login()
    assert answer.json()["user"]["is_admin"] is False


async def test_an_address_is_used_once(service: Service) -> None:
    address = fresh_address()
    assert (await _create(service, address)).returncode == 0
    again = await _create(service, address)
    assert again.returncode == 1
    assert "already" in again.stderr
    assert "Traceback" not in again.stderr


@pytest.mark.parametrize(
    ("arguments", "password", "complaint"),
    [
        (["nobody"], PASSWORD, "@"),
        (["someone@example.com", "--plan", "gold"], PASSWORD, "free, pro, enterprise"),
        (["someone@example.com"], "short", "8 to 1024"),
        (["someone@example.com"], "password1", "too common"),
    ],
)
async def test_what_is_wrong_is_said(service: Service, arguments: list[str], password: str, complaint: str) -> None:
    done = await _create(service, *arguments, password=password)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
