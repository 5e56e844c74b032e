"""What is kept of second factors outlives the signing keys, and the key it is sealed with can be changed."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys

from pydantic import SecretStr
from sqlalchemy import text

from sample_agent.core.database import Database
from sample_agent.core.sealing import KEY_ID_AT, key_id
from sample_agent.core.settings import Settings
from tests.accounts.deployment import Person, Service
from tests.accounts.members import sign_in


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
    async with database.transaction(purpose="identity") as db:
        recorded = await db.scalars(
            text("select count(*) from audit_entries where action = 'installation.secrets-resealed'")
        )
        assert recorded.one() == 2
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


async def _reseal(settings: Settings, **environment: str) -> subprocess.CompletedProcess[str]:
    assert settings.database_url is not None
    program = [sys.executable, "-c", "from sample_agent.cli import main; main()"]
    return await asyncio.to_thread(
        subprocess.run,
        [*program, "keys", "reseal", "--data-dir", str(settings.data_dir)],
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "COLUMNS": "200",
            "DATABASE_URL": settings.database_url.get_secret_value(),
            **environment,
        },
        timeout=60,
        cwd=settings.data_dir,
    )
