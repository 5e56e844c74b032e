"""What is kept of second factors outlives the signing keys, and the key it is sealed with can be changed."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from typing import Any

import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import text

from sample_agent.core.database import Database
from sample_agent.core.sealing import KEY_ID_AT, key_id
from sample_agent.core.settings import Settings
from tests.accounts.deployment import Person, Service
from tests.accounts.members import sign_in
from tests.waiting import until


@pytest_asyncio.fixture(autouse=True)
async def no_factors_yet(database: Database) -> None:
    """What other tests have left was sealed with keys of theirs."""
    async with database.transaction(purpose="identity") as db:
        await db.execute(text("delete from authenticators"))
        await db.execute(text("delete from recovery_codes"))


async def test_other_signing_keys_leave_second_factors_as_they_are(service: Service, person: Person) -> None:
    member = await sign_in(service, person)
    await member.add_app()
    changed = service.settings.model_copy(update={"signing_key": SecretStr("another key, as long as it has to be")})
    member.service = Service(changed, service.database, service.keys)
    async with member.service.visitor(person.email) as elsewhere:
        member.person = elsewhere
        await member.sign_in_again()
        await member.sign_in_again(recovery_code=member.recovery_codes[0])


async def test_everything_gets_a_new_seal_and_opens_as_before(
    service: Service, person: Person, database: Database
) -> None:
    member = await sign_in(service, person)
    await member.add_app()
    file = service.settings.sealing_keys_file
    before = service.settings.sealing_keys()
    for keys_kept in (2, 2):
        done = await _reseal(service.settings)
        assert done.returncode == 0, done.stderr
        assert "11 secrets" in done.stdout
        assert (len(service.settings.sealing_keys()), stat.S_IMODE(file.stat().st_mode)) == (keys_kept, 0o600)
        assert await _key_ids(database, member.id.hex) == {key_id(service.settings.sealing_keys()[0])}
        assert all(key not in done.stdout for key in file.read_text().split())
    assert before[0] not in service.settings.sealing_keys()
    ids = [key_id(key).hex() for key in reversed(service.settings.sealing_keys())]
    counts = {"changed": 11, "broken": 0}
    assert (await _recorded(database))[-4:] == [{"begun_with": ids[0]}, counts, {"begun_with": ids[1]}, counts]
    await member.sign_in_again()
    await member.sign_in_again(recovery_code=member.recovery_codes[1])
    used = await member.finish_login((await member.begin_login())["challenge"], recovery_code=member.recovery_codes[1])
    assert used.status_code == 422


async def test_who_gives_the_keys_by_the_environment_puts_the_new_one_first(
    service: Service, person: Person, database: Database
) -> None:
    member = await sign_in(service, person)
    await member.add_app()
    (old,) = service.settings.sealing_keys()
    new = "new-" * 12
    done = await _reseal(service.settings, SAMPLE_AGENT_SEALING_KEY=f"{new} {old.decode()}")
    assert done.returncode == 0, done.stderr
    assert "can be removed" in done.stdout
    assert await _key_ids(database, member.id.hex) == {key_id(new.encode())}
    changed = service.settings.model_copy(update={"sealing_key": SecretStr(new)})
    member.service = Service(changed, service.database, service.keys)
    async with member.service.visitor(person.email) as elsewhere:
        member.person = elsewhere
        await member.sign_in_again()
    short = await _reseal(service.settings, SAMPLE_AGENT_SEALING_KEY=f"{new} short")
    assert short.returncode != 0
    assert "32 characters" in short.stderr


async def test_two_who_seal_anew_at_once_lose_no_key(service: Service, person: Person, database: Database) -> None:
    member = await sign_in(service, person)
    await member.add_app()
    for _ in range(2):
        done = await asyncio.gather(*(_reseal(service.settings) for _ in range(3)))
        assert {each.returncode for each in done} <= {0, 1}
        assert 0 in [each.returncode for each in done]
        assert all("sealed anew already" in each.stderr for each in done if each.returncode)
        assert await _key_ids(database, member.id.hex) == {key_id(service.settings.sealing_keys()[0])}
    await member.sign_in_again()


async def test_one_that_is_cut_off_stands_in_the_log_and_the_next_one_ends_what_it_began(
    service: Service, person: Person, database: Database
) -> None:
    member = await sign_in(service, person)
    await member.add_app()
    async with database.transaction(purpose="identity") as db:  # holds it up in the middle
        await db.execute(text("select 1 from authenticators where user_id = :id for update"), {"id": member.id})
        cut_off = await _begin_resealing(service.settings)
        await asyncio.to_thread(until, lambda: len(service.settings.sealing_keys()) == 2)
        cut_off.kill()
        await cut_off.wait()
    assert (await _recorded(database))[-1] == {"begun_with": key_id(service.settings.sealing_keys()[0]).hex()}
    again = await _reseal(service.settings)
    assert (again.returncode, "11 secrets" in again.stdout) == (0, True), again.stderr
    await member.sign_in_again()


async def test_no_key_goes_while_something_does_not_open(service: Service, person: Person, database: Database) -> None:
    member = await sign_in(service, person)
    await member.add_app()
    old = service.settings.sealing_keys_file.read_text()
    async with database.transaction(purpose="identity") as db:
        changed = "set_byte(sealed_seed, 20, 255 - get_byte(sealed_seed, 20))"
        await db.execute(
            text(f"update authenticators set sealed_seed = {changed} where user_id = :id"), {"id": member.id}
        )
    for keys in ({}, {"SAMPLE_AGENT_SEALING_KEY": f"{'new-' * 12} {old}"}):
        done = await _reseal(service.settings, **keys)
        assert done.returncode == 0, done.stderr
        assert "1 open with no key" in done.stdout
        assert "can be removed" not in done.stdout
        assert old in service.settings.sealing_keys_file.read_text().split()


async def _key_ids(database: Database, user_id: str) -> set[bytes]:
    async with database.transaction(purpose="identity") as db:
        seals = await db.scalars(
            text(
                "select sealed_seed from authenticators where user_id = cast(:id as uuid)"
                " union all select sealed_hash from recovery_codes where user_id = cast(:id as uuid)"
            ),
            {"id": user_id},
        )
        return {bytes(each)[KEY_ID_AT] for each in seals}


async def _recorded(database: Database) -> list[dict[str, Any]]:
    async with database.transaction(purpose="identity") as db:
        details = await db.scalars(
            text(
                "select detail from audit_entries join audit_contexts on entry_id = audit_entries.id"
                " where action = 'installation.secrets-resealed' order by position"
            )
        )
        return list(details)


async def _reseal(settings: Settings, **environment: str) -> subprocess.CompletedProcess[str]:
    running = await _begin_resealing(settings, **environment)
    out, err = await asyncio.wait_for(running.communicate(), 60)
    return subprocess.CompletedProcess((), running.returncode or 0, out.decode(), err.decode())


async def _begin_resealing(settings: Settings, **environment: str) -> asyncio.subprocess.Process:
    assert settings.database_url is not None
    program = [sys.executable, "-c", "from sample_agent.cli import main; main()"]
    return await asyncio.create_subprocess_exec(
        *[*program, "keys", "reseal", "--data-dir", str(settings.data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={
            "PATH": os.environ["PATH"],
            "COLUMNS": "200",
            "DATABASE_URL": settings.database_url.get_secret_value(),
            **environment,
        },
        cwd=settings.data_dir,
    )
