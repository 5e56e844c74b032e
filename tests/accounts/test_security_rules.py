"""What the list in docs/security/asvs.md asks for and no other test is about."""

from __future__ import annotations

import ast
import base64
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import sample_agent
from sample_agent.apps.openapi import api_description
from tests.accounts.deployment import PASSWORD, Person, Service, fresh_address
from tests.accounts.members import sign_in

SOURCES = Path(sample_agent.__file__).parent
WEB_APP = Path(__file__).parents[2] / "web" / "src"

DRAWN_FOR_NO_SECRET = {
    "core/postgres/server.py",  # how long to wait before the next try
    "core/queue_runner.py",
}


@pytest.mark.parametrize(
    "password", ["SP-404MK2", "roland404", "sampleagent2026", "Sample_Agent!", "sp404 mkii", "Roland SP 404"]
)
async def test_words_that_come_to_mind_here_are_no_password(service: Service, person: Person, password: str) -> None:
    refused = await person.register(password=password)
    assert (refused.status_code, refused.json()["code"]) == (422, "password-too-common")
    token = (await service.member(person))["token"]
    changed = await person.post(
        "/api/account/password",
        {"current_password": PASSWORD, "new_password": password},
        Authorization=f"Bearer {token}",
    )
    assert (changed.status_code, changed.json()["code"]) == (422, "password-too-common")


@pytest.mark.parametrize("password", ["a sample agent at night", "84739201848", "rolands tape deck"])
async def test_such_words_among_others_are_fine(person: Person, password: str) -> None:
    assert (await person.register(password=password)).status_code == 201


async def test_a_password_is_good_until_somebody_changes_it(service: Service, person: Person) -> None:
    await service.member(person)
    service.clock.ahead = timedelta(days=3650)
    assert (await person.login()).status_code == 200


async def test_every_sign_in_begins_a_session_of_its_own_with_tokens_nobody_brought(
    service: Service, person: Person
) -> None:
    first = await service.member(person)
    brought = base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
    given = set()
    for _ in range(5):
        person.browser.cookies.set("__Host-refresh", brought, domain="samples.example", path="/")
        await person.login()
        given.add(person.browser.cookies.get("__Host-refresh", domain="samples.example"))
        person.browser.cookies.clear()
    tokens = {(await person.login(mode="body")).json()["refresh_token"] for _ in range(5)} | given
    assert len(tokens) == 10
    assert brought not in tokens
    assert all(len(base64.urlsafe_b64decode(f"{token}=")) == 32 for token in tokens)
    listed = await person.browser.get("/api/auth/sessions", headers={"Authorization": f"Bearer {first['token']}"})
    assert len({each["id"] for each in listed.json()["sessions"]}) == 11


async def test_fields_nobody_offered_change_nothing(service: Service, person: Person) -> None:
    rights: dict[str, Any] = {
        "id": "00000000-0000-0000-0000-000000000000",
        "is_admin": True,
        "is_superuser": True,
        "is_active": False,
        "tier": "enterprise",
        "plan": "enterprise",
        "second_factor": True,
        "email_verified_at": "2020-01-01T00:00:00Z",
        "password_hash": "",
    }
    await person.register(**rights)
    assert (await person.login()).json()["code"] == "email-not-verified"
    token = (await person.confirm(await service.mailed_token(person), **rights)).json()["token"]
    before = (await person.me(token)).json()
    assert (before["is_admin"], before["tier"], before["second_factor"]) == (False, "free", False)
    headers = {"Authorization": f"Bearer {token}"}
    choices = (await person.browser.get("/api/account/preferences", headers=headers)).json()
    choices.pop("models")
    for method, path, body in (
        ("PATCH", "/api/account", {"first_name": "Ann"}),
        ("PUT", "/api/account/preferences", choices),
    ):
        mixed = {**body, **rights, "email": fresh_address()}
        await person.browser.request(method, path, json=mixed, headers=headers)
    after = (await person.me(token)).json()
    assert {**after, "first_name": before["first_name"]} == before
    assert (await person.login()).status_code == 200


async def test_nobody_is_shown_what_is_kept_of_others_or_of_secrets(service: Service, person: Person) -> None:
    """The answers about oneself hold these fields and no others."""
    member = await sign_in(service, person)
    await member.post("/api/user/api-keys", {"name": "a program", "scopes": ["account:read"]})
    keys = (await member.get("/api/user/api-keys")).json()["api_keys"][0]
    sessions = (await member.get("/api/auth/sessions")).json()["sessions"][0]
    shown = set((await member.get("/api/auth/me")).json()) | set(keys) | set(sessions)
    assert not {name for name in shown if re.search("password|hash|seed|secret|token|salt|superuser", name)}


def test_a_registration_asks_for_no_hint_and_no_question() -> None:
    asked = api_description()["components"]["schemas"]["Registration"]["properties"]
    assert set(asked) == {"email", "password", "first_name", "last_name"}


def test_nothing_that_makes_secrets_draws_from_a_source_that_can_be_foretold() -> None:
    foretold = {
        str(file.relative_to(SOURCES))
        for room in ("accounts", "admin", "core")
        for file in (SOURCES / room).rglob("*.py")
        if {"random", "numpy.random"} & _imports(file)
    }
    assert foretold == DRAWN_FOR_NO_SECRET


@pytest.mark.skipif(not WEB_APP.exists(), reason="the web app's sources are not here")
def test_password_fields_are_masked_and_left_to_password_managers() -> None:
    fields = []
    for file in sorted(WEB_APP.rglob("*.tsx")):
        source = file.read_text()
        assert "onPaste" not in source, file
        assert 'autoComplete="off"' not in source or "password" not in source.lower(), file
        for field in re.findall(r"<Field\b.*?/>", source, re.DOTALL):
            if re.search(r"(current|new)-password", field):
                # Some forms describe all their fields in one place.
                of_the_form = source if "{...field(" in field else ""
                fields.append(file)
                assert re.search(r"type(=|: )[\"'{]?.*password", field + of_the_form), f"{file}: {field}"
    assert len(fields) >= 7


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found
