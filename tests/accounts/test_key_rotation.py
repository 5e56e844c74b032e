"""The signing key is replaced under way, and nobody is signed out."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet as PublishedKeys
from joserfc.jwk import RSAKey
from sqlalchemy import text

from sample_agent.accounts import load_keys
from sample_agent.accounts.audit import INSTALLATION
from sample_agent.accounts.errors import TokenInvalid
from sample_agent.accounts.signing.access_tokens import AccessTokens
from sample_agent.accounts.signing.key_files import GRACE, KeyFiles, RotationUnderWayError
from sample_agent.accounts.signing.keys import Keys, KeySet, key_files
from sample_agent.accounts.signing.pem import rsa_key
from sample_agent.accounts.signing.rotation import replace_compromised, rotate
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import Settings
from tests.accounts.deployment import PUBLIC_URL, Clock, Service, fresh_address

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one pair, to be copied."""
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("pair"))
    load_keys(settings)
    return settings.keys_dir


@pytest.fixture
def rotating(settings: Settings, pair: Path) -> Settings:
    """A deployment that has its keys in a folder."""
    deployed = settings.model_copy(update={"public_url": PUBLIC_URL, "default_plan": "free", "jwt_private_key": None})
    shutil.copytree(pair, deployed.keys_dir)
    return deployed


def make_successor(files: KeyFiles, now: datetime) -> RSAKey:
    """Make and publish the key that signs next; that it is on record in between is tested elsewhere."""
    new = files.prepare_successor(now)
    files.publish_successor(now)
    return new


def process(settings: Settings, database: Database, clock: Clock, *, signing: bool = True) -> Service:
    return Service(settings, database, load_keys(settings, signing=signing, now=clock), clock)


async def test_no_request_fails_while_the_key_is_replaced(rotating: Settings, database: Database) -> None:
    clock = Clock()
    signing = [process(rotating, database, clock), process(rotating, database, clock)]
    library = process(rotating, database, clock, signing=False)
    async with AsyncExitStack() as stack:
        email = fresh_address()
        tabs = [await stack.enter_async_context(each.visitor(email)) for each in (*signing, library)]
        member = await signing[0].member(tabs[0])
        refresh_token, issued = member["refresh_token"], [(timedelta(0), member["token"])]
        new = await rotate(database, key_files(rotating), clock())
        edge: Any = None
        for minute in range(0, 90, 3):
            clock.ahead = timedelta(minutes=minute, seconds=3)
            if minute % 6 == 0:  # a verifier elsewhere, whose list is as old as it may be
                edge = PublishedKeys.import_key_set(
                    (await tabs[minute % 2].browser.get("/.well-known/jwks.json")).json()
                )
            renewed = (await tabs[minute % 2].refresh(refresh_token)).json()
            refresh_token = renewed["refresh_token"]
            issued = [each for each in issued if clock.ahead - each[0] < HOUR] + [(clock.ahead, renewed["token"])]
            for tab in tabs:
                for _, token in (issued[0], issued[-1]):
                    assert (await tab.me(token)).status_code == 200
            signs_anew = jwt.decode(issued[-1][1], edge, algorithms=["RS256"]).header["kid"] == new.key_id
            assert signs_anew is (clock.ahead >= GRACE)
        published = (await tabs[0].browser.get("/.well-known/jwks.json")).json()["keys"]
    assert [key["kid"] for key in published] == [new.key_id]
    assert sorted(path.name for path in rotating.keys_dir.glob("*.pem")) == ["jwt-private.pem", "jwt-public.pem"]


def test_the_files_of_a_rotation_are_there_when_they_are_needed_and_readable_by_whom_they_should_be(
    rotating: Settings,
) -> None:
    clock, files = Clock(), key_files(rotating)
    keys = load_keys(rotating, now=clock)
    before = keys.current.thumbprint()
    after = make_successor(files, clock()).thumbprint()

    assert _modes(rotating) == {
        "jwt-private.pem": 0o600,
        "jwt-public.pem": 0o644,
        "jwt-next-private.pem": 0o600,
        "jwt-next.pem": 0o644,
    }
    clock.ahead = timedelta(seconds=2)
    assert (keys.current.thumbprint(), list(keys.public)) == (before, [before, after])

    clock.ahead = GRACE + timedelta(seconds=2)
    assert (keys.current.thumbprint(), set(keys.public)) == (after, {before, after})
    assert keys.private is not None
    assert keys.private.thumbprint() == after
    assert _modes(rotating) == {
        "jwt-private.pem": 0o600,
        "jwt-public.pem": 0o644,
        f"jwt-{before}.pem": 0o644,
    }
    assert keys.pem().startswith((rotating.keys_dir / "jwt-public.pem").read_text())

    clock.ahead += timedelta(seconds=rotating.access_token_seconds) + GRACE
    assert list(keys.public) == [after]
    assert set(_modes(rotating)) == {"jwt-private.pem", "jwt-public.pem"}


def test_a_second_rotation_waits_for_the_first(rotating: Settings) -> None:
    clock, files = Clock(), key_files(rotating)
    new = make_successor(files, clock())
    with pytest.raises(RotationUnderWayError, match="waits already"):
        make_successor(files, clock())
    assert files.waiting() is not None
    assert (files.waiting() or ("",))[0] == new.thumbprint()


@pytest.mark.parametrize(
    "crash",
    ["before the successor was published", "before the successor took its place", "before it was published as current"],
)
def test_a_rotation_that_was_cut_off_is_completed(rotating: Settings, crash: str) -> None:
    clock, files = Clock(), key_files(rotating)
    before = load_keys(rotating, now=clock).current
    new = make_successor(files, clock())
    folder = rotating.keys_dir
    if crash == "before the successor was published":
        (folder / "jwt-next.pem").unlink()
        assert new.thumbprint() in load_keys(rotating, now=clock).public
    clock.ahead = GRACE
    if crash != "before the successor was published":
        (folder / f"jwt-{before.thumbprint()}.pem").write_bytes(before.as_pem(private=False))
    if crash == "before it was published as current":
        (folder / "jwt-next-private.pem").replace(folder / "jwt-private.pem")
    keys = load_keys(rotating, now=clock)
    assert next(iter(keys.public)) == new.thumbprint()
    assert set(keys.public) == {new.thumbprint(), before.thumbprint()}
    assert set(_modes(rotating)) == {"jwt-private.pem", "jwt-public.pem", f"jwt-{before.thumbprint()}.pem"}
    verifying = load_keys(rotating, signing=False, now=clock)
    assert verifying.current.thumbprint() == new.thumbprint()


def test_a_key_put_there_by_hand_is_not_removed(rotating: Settings) -> None:
    clock = Clock()
    (rotating.keys_dir / "jwt-partner.pem").write_text(RSAKey.generate_key(2048).as_pem(private=False).decode())
    clock.ahead = timedelta(days=400)
    assert len(load_keys(rotating, now=clock).public) == 2
    assert (rotating.keys_dir / "jwt-partner.pem").exists()


def test_tokens_that_name_unknown_keys_do_not_make_anybody_read_files(rotating: Settings) -> None:
    clock, looked = Clock(), []
    files = key_files(rotating)
    known = load_keys(rotating, now=clock)

    def state() -> object:
        looked.append(clock())
        return files.state(clock())

    keys = Keys(lambda: KeySet(known.private, known.public), state, now=clock)
    tokens = AccessTokens(keys, issuer=PUBLIC_URL, seconds=3600, now=clock)
    foreign = RSAKey.generate_key(2048)
    at_start = len(looked)
    for _ in range(200):
        token = jwt.encode({"alg": "RS256", "kid": new_id().hex}, {}, foreign, algorithms=["RS256"])
        with pytest.raises(TokenInvalid):
            tokens.verify(token)
    # A verification takes well below ten milliseconds, and the clock is the real one.
    assert len(looked) - at_start <= 3


def test_a_folder_that_cannot_be_read_any_more_changes_nothing(rotating: Settings) -> None:
    clock = Clock()
    keys = load_keys(rotating, now=clock)
    before = list(keys.public)
    (rotating.keys_dir / "jwt-broken.pem").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    clock.ahead = timedelta(seconds=3)
    assert list(keys.public) == before
    (rotating.keys_dir / "jwt-broken.pem").unlink()
    new = make_successor(key_files(rotating), clock())
    clock.ahead = timedelta(seconds=6)
    assert list(keys.public) == [*before, new.thumbprint()]


async def test_a_compromised_key_is_worth_nothing_at_once_and_people_stay_signed_in(
    rotating: Settings, database: Database
) -> None:
    clock = Clock()
    service, library = process(rotating, database, clock), process(rotating, database, clock, signing=False)
    async with service.visitor() as person, library.visitor(person.email) as elsewhere:
        member = await service.member(person)
        await replace_compromised(database, key_files(rotating), clock())
        clock.ahead = timedelta(seconds=3)
        for each in (person, elsewhere):
            assert (await each.me(member["token"])).json()["code"] == "token-invalid"
        renewed = (await person.refresh(member["refresh_token"])).json()
        for each in (person, elsewhere):
            assert (await each.me(renewed["token"])).status_code == 200
    assert set(_modes(rotating)) == {"jwt-private.pem", "jwt-public.pem"}


async def test_a_new_key_is_published_as_recorded_however_often_that_is_cut_off(
    rotating: Settings, database: Database
) -> None:
    before = load_keys(rotating).current.thumbprint()
    away = "postgresql://nobody:nothing@127.0.0.1:1/none"
    unrecorded = await _keys(rotating, "rotate", DATABASE_URL=away)
    assert unrecorded.returncode != 0
    assert list(load_keys(rotating, now=Clock(GRACE * 2)).public) == [before]
    prepared = key_files(rotating).prepare_successor(Clock()()).thumbprint()
    folder, there = rotating.keys_dir, rotating.keys_dir.with_name("elsewhere")
    shutil.copytree(folder, there)
    assert (await _keys(rotating, "rotate")).returncode == 0
    # Killed after it was on record, and before it was published.
    shutil.rmtree(folder)
    shutil.copytree(there, folder)
    again = await _keys(rotating, "rotate")
    assert again.returncode == 0, again.stderr
    assert set(load_keys(rotating).public) == {before, prepared}
    assert load_keys(rotating, now=Clock(GRACE * 2)).current.thumbprint() == prepared
    assert [each["key_id"] for each in await _recorded(database)].count(prepared) == 1
    assert "jwt-prepared-private.pem" not in _modes(rotating)


def test_services_that_move_files_at_that_moment_do_not_bring_a_compromised_key_back(rotating: Settings) -> None:
    clock, files = Clock(), key_files(rotating)
    make_successor(files, clock())
    clock.ahead = GRACE
    kept = files.prepare_replacement(clock()).thumbprint()
    folder, there = rotating.keys_dir, rotating.keys_dir.with_name("elsewhere")
    shutil.copytree(folder, there)
    for _ in range(4):
        shutil.rmtree(folder)
        shutil.copytree(there, folder)
        together = threading.Barrier(4)

        def move(step: Callable[[datetime], None], together: threading.Barrier = together) -> None:
            together.wait()
            step(clock())

        with ThreadPoolExecutor(4) as services:
            list(services.map(move, [files.settle, files.settle, files.replace_at_once, files.settle]))
        assert [key.thumbprint() for key in files.public_keys()] == [kept]
        assert set(_modes(rotating)) == {"jwt-private.pem", "jwt-public.pem"}


async def test_a_compromised_key_is_replaced_as_recorded_however_often_that_is_cut_off(
    rotating: Settings, database: Database
) -> None:
    before = load_keys(rotating).current.thumbprint()
    away = "postgresql://nobody:nothing@127.0.0.1:1/none"
    unrecorded = await _keys(rotating, "rotate", "--compromised", DATABASE_URL=away)
    assert unrecorded.returncode != 0
    assert load_keys(rotating).current.thumbprint() == before
    # Killed after it was on record, and before the files were moved.
    prepared = key_files(rotating).prepare_replacement(Clock()()).thumbprint()
    folder, there = rotating.keys_dir, rotating.keys_dir.with_name("elsewhere")
    shutil.copytree(folder, there)
    assert (await _keys(rotating, "rotate", "--compromised")).returncode == 0
    shutil.rmtree(folder)
    shutil.copytree(there, folder)
    again = await _keys(rotating, "rotate", "--compromised")
    assert again.returncode == 0, again.stderr
    assert list(load_keys(rotating).public) == [prepared]
    assert [each["key_id"] for each in await _recorded(database)].count(prepared) == 1
    assert set(_modes(rotating)) == {"jwt-private.pem", "jwt-public.pem"}


async def test_the_operator_rotates_at_the_command_line(rotating: Settings, database: Database) -> None:
    before = load_keys(rotating).current.thumbprint()
    done = await _keys(rotating, "rotate")
    assert done.returncode == 0, done.stderr
    assert "PRIVATE" not in done.stdout
    waiting = KeyFiles(rotating.keys_dir, HOUR).waiting()
    assert waiting is not None
    assert waiting[0] in done.stdout
    assert (await _recorded(database))[-1]["key_id"] == waiting[0]

    again = await _keys(rotating, "rotate")
    assert (again.returncode, again.stdout) == (1, "")
    assert "waits already" in again.stderr
    assert "Traceback" not in again.stderr

    listed = (await _keys(rotating, "list")).stdout
    assert all(key_id in listed for key_id in (before, waiting[0]))
    assert "signs from" in listed


async def test_who_gives_the_keys_by_the_environment_is_told_what_to_do(
    settings: Settings, database: Database, jwt_private_key: str
) -> None:
    done = await _keys(settings, "rotate", JWT_PRIVATE_KEY=jwt_private_key)
    assert done.returncode == 0, done.stderr
    assert "JWT_PRIVATE_KEY" in done.stdout
    assert "JWT_PUBLIC_KEY" in done.stdout
    assert "PRIVATE KEY-----" not in done.stdout + done.stderr
    assert _modes(settings) == {"new-jwt-private.pem": 0o600, "new-jwt-public.pem": 0o644}
    assert (await _recorded(database))[-1]["for_environment"] is True

    again = await _keys(settings, "rotate", JWT_PRIVATE_KEY=jwt_private_key)
    assert again.returncode == 1
    assert "earlier rotation" in again.stderr
    assert len(load_keys(settings).public) == 1


async def test_a_key_for_the_environment_is_on_record_though_making_it_was_cut_off(
    settings: Settings, database: Database, jwt_private_key: str
) -> None:
    left = rsa_key(key_files(settings).make_pair_for_environment(Clock()()).read_bytes()).thumbprint()
    for _ in range(2):
        again = await _keys(settings, "rotate", JWT_PRIVATE_KEY=jwt_private_key)
        assert again.returncode == 1
        assert "earlier rotation" in again.stderr
        assert [each["key_id"] for each in await _recorded(database)].count(left) == 1


async def test_there_is_nothing_to_rotate_before_the_first_start(settings: Settings) -> None:
    for command in ("rotate", "list"):
        done = await _keys(settings, command)
        assert done.returncode == 1
        assert "no signing key" in done.stderr


async def _keys(settings: Settings, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    assert settings.database_url is not None
    program = [sys.executable, "-c", "from sample_agent.cli import main; main()"]
    return await asyncio.to_thread(
        subprocess.run,
        [*program, "keys", *command, "--data-dir", str(settings.data_dir)],
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


async def _recorded(database: Database) -> list[dict[str, Any]]:
    async with database.transaction(purpose="identity") as db:
        details = await db.scalars(
            text(
                "select detail from audit_entries join audit_contexts on entry_id = audit_entries.id"
                " where audit_entries.tenant_id = :tenant and action = 'installation.signing-key-rotated'"
                " order by position"
            ),
            {"tenant": INSTALLATION},
        )
        return list(details)


def _modes(settings: Settings) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in settings.keys_dir.glob("*.pem")}
