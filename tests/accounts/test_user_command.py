"""`sample-agent user …`, as somebody at a terminal uses it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx
import orjson
import pytest
from sqlalchemy import text

from tests.accounts.deployment import PASSWORD, Person, Service, fresh_address


async def _create(service: Service, *arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    return await _user(service, "create", *arguments, "--password-stdin", given=f"{password}\n")


async def _user(service: Service, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    settings = service.settings
    assert settings.database_url is not None
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "SAMPLE_AGENT_DEFAULT_PLAN": "free",
    }
    command = [sys.executable, "-c", "from sample_agent.cli import main; main()", "user", *arguments]
    return await asyncio.to_thread(
        subprocess.run,
        [*command, "--data-dir", str(settings.data_dir)],
        input=given,
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


async def _done(service: Service, *arguments: str) -> str:
    done = await _user(service, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def _recorded(service: Service, address: str) -> list[tuple[str, str]]:
    """What stands in the log of the account, and who did it."""
    async with service.database.transaction(purpose="identity") as db:
        rows = await db.execute(
            text(
                "select action, actor_kind from audit_entries where tenant_id ="
                " (select id from users where email = :email) order by position"
            ),
            {"email": address},
        )
        return [(row.action, row.actor_kind) for row in rows]


async def test_an_account_is_suspended_and_restored(service: Service, person: Person) -> None:
    token = (await service.member(person))["token"]
    asked = await _user(service, "suspend", person.email)
    assert asked.returncode == 1
    assert "--yes" in asked.stderr
    assert (await person.me(token)).status_code == 200
    assert "1 sessions were ended" in await _done(service, "suspend", person.email.upper(), "--yes")
    assert "already" in await _done(service, "suspend", person.email, "--yes")
    assert (await person.login()).json()["code"] == "account-disabled"
    assert "can sign in again" in await _done(service, "restore", person.email)
    assert (await person.login()).status_code == 200
    by_operator = [action for action, actor in await _recorded(service, person.email) if actor == "operator"]
    assert by_operator == ["account.suspended", "account.restored"]


async def test_somebody_is_made_an_administrator_and_no_longer_one(service: Service, person: Person) -> None:
    await service.member(person)
    assert "need a second factor" in await _done(service, "promote", person.email)
    listed = await _done(service, "list", person.email, "--status", "admin", "--json")
    assert orjson.loads(listed)["email"] == person.email
    assert person.email in await _done(service, "list", person.email)
    assert (await _user(service, "demote", person.email)).returncode == 1
    assert "no longer" in await _done(service, "demote", person.email, "--yes")
    assert await _done(service, "list", person.email, "--status", "admin", "--json") == ""
    by_operator = [action for action, actor in await _recorded(service, person.email) if actor == "operator"]
    assert by_operator == ["account.promoted", "account.demoted"]


async def test_a_plan_is_given_and_factors_are_removed(service: Service, person: Person) -> None:
    token = (await service.member(person))["token"]
    assert "pro" in await _done(service, "set-plan", person.email, "pro")
    assert (await _user(service, "set-plan", person.email, "gold")).returncode == 1
    assert "password alone" in await _done(service, "reset-2fa", person.email, "--yes")
    service.identity.sessions.forget(service.identity.tokens.verify(token).session_id)
    assert (await person.me(token)).status_code == 401
    assert (await person.login(mode="body")).json()["user"]["tier"] == "pro"
    by_operator = [action for action, actor in await _recorded(service, person.email) if actor == "operator"]
    assert by_operator == ["account.plan-changed", "factor.all-removed"]


@pytest.mark.parametrize("command", ["promote", "demote", "suspend", "restore", "reset-2fa"])
async def test_an_address_nobody_has_is_said_so(service: Service, command: str) -> None:
    done = await _user(service, command, "nobody-at-all@example.com")
    assert done.returncode == 1
    assert "There is no account with the address nobody-at-all@example.com" in done.stderr
    assert "Traceback" not in done.stderr
