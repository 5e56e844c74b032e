"""A copy of everything that is kept about somebody, and its erasure."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
import structlog
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import select, text, update

from sample_agent.accounts.audit.models import AuditContext, AuditEntry
from sample_agent.accounts.models import User
from sample_agent.accounts.privacy import erasure
from sample_agent.accounts.privacy.archive import safe_name
from sample_agent.accounts.privacy.erasure import ErasureTools
from sample_agent.accounts.privacy.making import MOST_ATTEMPTS, ExportTools, export_data
from sample_agent.accounts.privacy.models import DataExport, Erasure
from sample_agent.accounts.privacy.upkeep import one_round
from sample_agent.apps.worker import PERSONAL_DATA
from sample_agent.core.database import Database, Model
from sample_agent.core.logs import configure_logs
from sample_agent.core.mail import Mail, MailNotSent, OutboxMailer, read_outbox
from sample_agent.core.postgres import ServerAddress
from sample_agent.core.queue import enqueue
from sample_agent.core.settings import Settings
from sample_agent.core.storage import Storage, StorageError
from tests.people import Person
from tests.serving import reached, working
from tests.sounds import tone, wav

EXPORTS, DELETION = "/api/account/exports", "/api/account/deletion"
NOT_TOLD_OF = {
    "refresh_tokens",  # secrets, and nothing else
    "challenges",  # questions that live for minutes
    "registrations",  # what strangers typed
    "usage_reservations",  # promises that live for minutes
    "idempotency_keys",  # answers kept for a day
}


@dataclass
class Kept:
    """Somebody who uses much, and the words by which they could be found again."""

    person: Person
    user_id: UUID
    folder: str
    sounds: dict[str, bytes]
    words: list[str]


def later(days: float) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + timedelta(days=days)


async def _id_of(person: Person, database: Database) -> UUID:
    async with database.transaction(purpose="identity") as db:
        return (await db.scalars(select(User.id).where(User.email == person.email))).one()


def _name(beginning: str) -> str:
    """A name that nobody else in the database has."""
    return f"{beginning}{secrets.token_hex(4)}"


async def _furnish(person: Person, name: str, pitch: float, database: Database) -> Kept:
    """Let somebody leave traces everywhere."""
    user_id = await _id_of(person, database)
    async with database.transaction(purpose="identity") as db:
        await db.execute(
            update(User).where(User.id == user_id).values(first_name=f"{name}first", last_name=f"{name}last")
        )
    pitch += secrets.randbelow(10**6) / 10**5  # sounds that nobody else has
    sounds = {
        f"{name} dusty break.wav": wav(tone(pitch)),
        f"{name} warm pad.wav": wav(tone(pitch + 10)),
        f"{name} lost.wav": wav(tone(pitch + 20)),
    }
    ids = [
        await person.uploaded(sound, file, tags=f"{name}tag", folder=f"{name}crate") for file, sound in sounds.items()
    ]
    for sample_id in ids:
        assert (await person.analysed(sample_id))["status"] == "completed"
    await person.http.delete(f"/api/samples/{ids[2]}")
    collection = (await person.http.post("/api/collections", json={"name": f"{name} set"})).json()
    await person.http.post(f"/api/collections/{collection['id']}/samples", json={"sample_ids": ids[:2]})
    picture = io.BytesIO()
    Image.new("RGB", (300, 300), (int(pitch) % 256, 90, 10)).save(picture, "PNG")
    assert (await person.http.put("/api/account/avatar", content=picture.getvalue())).status_code == 200
    key = await person.http.post("/api/user/api-keys", json={"name": f"{name} key", "scopes": ["library:read"]})
    assert key.status_code == 201, key.text
    team = await person.http.post("/api/organizations", json={"name": f"{name} crew"})
    assert team.status_code == 201, team.text
    words = [
        str(user_id),
        person.email,
        f"{name}first",
        f"{name}last",
        f"{name}tag",
        f"{name}crate",
        f"{name} set",
        f"{name} key",
        f"{name} crew",
        *sounds,
        *(hashlib.sha256(sound).hexdigest() for sound in sounds.values()),
        collection["id"],
        *ids,
    ]
    return Kept(person, user_id, f"{name}crate", sounds, words)


@pytest_asyncio.fixture
async def kept(worker: None, alice: Person, database: Database) -> Kept:
    return await _furnish(alice, _name("alicia"), 300.0, database)


@pytest.fixture
def backup_url(postgres: ServerAddress) -> str:
    """As a role that row-level security hides nothing from."""
    return postgres.backup_url


@pytest.fixture
def storage(app: FastAPI) -> Storage:
    return app.state.storage  # type: ignore[no-any-return]


@pytest.fixture
def erasing(settings: Settings, database: Database, storage: Storage) -> ErasureTools:
    """What erases whoever asked for it today."""
    mailer = OutboxMailer(settings.outbox_dir)
    return ErasureTools(database, storage, PERSONAL_DATA, mailer, now=later(31))


@pytest.fixture
def exporting(database: Database, storage: Storage, tmp_path: Path) -> ExportTools:
    (tmp_path / "space").mkdir()
    return ExportTools(database, storage, PERSONAL_DATA, tmp_path / "space")


async def _finished(person: Person, export_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            shown: dict[str, Any] = (await person.http.get(f"{EXPORTS}/{export_id}")).json()
            if shown["status"] not in ("pending", "processing"):
                return shown
            await asyncio.sleep(0.05)


async def _download(person: Person, export_id: str) -> zipfile.ZipFile:
    link = await person.http.post(f"{EXPORTS}/{export_id}/link")
    assert link.status_code == 200, link.text
    answer = await person.http.get(link.json()["url"], headers={"Authorization": ""})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    return zipfile.ZipFile(io.BytesIO(answer.content))


async def test_a_copy_holds_everything_of_its_person_and_nothing_else(
    kept: Kept, bob: Person, database: Database, settings: Settings
) -> None:
    other = await _furnish(bob, _name("bobby"), 700.0, database)
    alice = kept.person
    asked = await alice.http.post(EXPORTS)
    assert asked.status_code == 202, asked.text
    assert (await alice.http.post(EXPORTS)).json()["code"] == "export-under-way"
    done = await _finished(alice, asked.json()["id"])
    assert (done["status"], done["progress"], done["error"]) == ("completed", 100, None)
    zipped = await _download(alice, done["id"])
    assert zipped.testzip() is None

    names = set(zipped.namelist())
    for file, sound in kept.sounds.items():
        assert zipped.read(f"audio/{kept.folder}/{file}") == sound
    assert zipped.read("account/picture.webp")[8:12] == b"WEBP"
    told = {name: json.loads(zipped.read(name)) for name in names if name.endswith(".json")}
    assert told["account/profile.json"][0]["email"] == alice.email
    assert len(told["library/samples.json"]) == len(told["library/analyses.json"]) == 3
    assert [len(each["samples"]) for each in told["library/collections.json"]] == [2]
    assert "data.export-asked" in [entry["action"] for entry in told["account/activity.json"]]
    readme = zipped.read("README.txt").decode()
    assert all(name in readme for name in told)

    everything = b"\n".join(zipped.read(name) for name in names if name.endswith((".json", ".txt"))).decode().lower()
    assert not [word for word in other.words if word.lower() in everything]
    async with database.transaction(purpose="identity") as db:
        hashes = list(
            await db.scalars(
                text(
                    "select encode(key_hash, 'hex') from api_keys where user_id = any(:them)"
                    " union select password_hash from users where id = any(:them)"
                ),
                {"them": [kept.user_id, other.user_id]},
            )
        )
    assert len(hashes) == 4
    assert not [secret for secret in hashes if secret.lower() in everything]
    await _mail_comes(settings, alice)
    assert (await bob.http.get(f"{EXPORTS}/{done['id']}")).status_code == 404
    assert (await bob.http.post(f"{EXPORTS}/{done['id']}/link")).status_code == 404


async def _mail_comes(settings: Settings, person: Person) -> None:
    def subjects() -> list[str]:
        return [mail.subject for mail in read_outbox(settings.outbox_dir) if mail.to == person.email]

    await reached(lambda: "The copy of your data is ready" in subjects())


def test_every_table_of_people_is_told_of_or_left_out_knowingly() -> None:
    told = {table for portion in PERSONAL_DATA for part in portion.parts for table in part.tables}
    personal = {
        table.name for table in Model.metadata.sorted_tables if {"user_id", "tenant_id", "email"} & set(table.c.keys())
    }
    assert personal - told - NOT_TOLD_OF - {"erasures"} == set()


async def _ask_without_worker(person: Person, database: Database) -> tuple[dict[str, str], UUID]:
    export_id = (await person.http.post(EXPORTS)).json()["id"]
    user_id = await _id_of(person, database)
    return {"export_id": export_id, "user_id": str(user_id)}, UUID(export_id)


class _Broken(Storage):
    """Takes nothing, after it has read some of what it is given."""

    async def put(self, key: str, source: Any, *args: Any, **options: Any) -> Any:
        async for _ in source:
            raise StorageError("the bucket is full")


async def test_a_copy_that_fails_is_begun_anew_and_given_up_after_some_tries(
    alice: Person, database: Database, exporting: ExportTools, storage: Storage
) -> None:
    await alice.uploaded(wav(tone()))
    payload, export_id = await _ask_without_worker(alice, database)
    broken = replace(exporting, storage=_Broken(storage._store, storage._links, storage._root))
    for _ in range(MOST_ATTEMPTS - 1):
        with pytest.raises(StorageError):
            await export_data(payload, broken)
    await export_data(payload, broken)
    shown = (await alice.http.get(f"{EXPORTS}/{export_id}")).json()
    assert shown["status"] == "failed"
    assert "could not be made" in shown["error"]
    assert (await alice.http.post(f"{EXPORTS}/{export_id}/link")).json()["code"] == "export-not-ready"

    again, second = await _ask_without_worker(alice, database)
    with pytest.raises(StorageError):
        await export_data(again, broken)
    await export_data(again, exporting)
    assert (await alice.http.get(f"{EXPORTS}/{second}")).json()["status"] == "completed"
    assert not list((exporting.space).iterdir())


async def test_files_that_are_lost_are_named_and_names_that_collide_are_told_apart(
    alice: Person, database: Database, exporting: ExportTools, storage: Storage, settings: Settings
) -> None:
    for number, name in enumerate(["CON.wav", "a?b.wav", "same.wav", "Same.wav", "gone.wav"]):
        await alice.uploaded(wav(tone(400.0 + number)), name)
    async with database.transaction(await _id_of(alice, database)) as db:
        await storage.delete(str(await db.scalar(text("select file_key from samples where filename = 'gone.wav'"))))
    payload, export_id = await _ask_without_worker(alice, database)
    await export_data(payload, exporting)
    zipped = await _download(alice, str(export_id))
    audio = {name for name in zipped.namelist() if name.startswith("audio/")}
    assert audio == {"audio/_CON.wav", "audio/a_b.wav", "audio/same.wav", "audio/Same (2).wav"}
    assert json.loads(zipped.read("missing.json")) == [{"path": "audio//gone.wav"}]


def test_names_are_cut_between_letters_and_keep_their_ending() -> None:
    assert safe_name("é" * 200 + ".wav") == "é" * 73 + ".wav"
    assert safe_name(" .. ") == "_"


async def test_an_archive_is_deleted_after_its_time_and_when_a_newer_one_is_made(
    alice: Person, database: Database, exporting: ExportTools, erasing: ErasureTools, settings: Settings
) -> None:
    def archives() -> int:
        return len(list((settings.files_dir / "exports").rglob("*.zip")))

    payload, first = await _ask_without_worker(alice, database)
    await export_data(payload, exporting)
    payload, second = await _ask_without_worker(alice, database)
    await export_data(payload, exporting)
    assert (await alice.http.post(f"{EXPORTS}/{first}/link")).json()["code"] == "export-not-ready"
    await one_round(replace(erasing, now=later(0)))
    assert archives() == 1
    assert (await alice.http.post(f"{EXPORTS}/{second}/link")).status_code == 200
    await one_round(replace(erasing, now=later(8)))
    assert archives() == 0
    statuses = [each["status"] for each in (await alice.http.get(EXPORTS)).json()["exports"]]
    assert statuses == ["expired", "expired"]


async def _dump(backup_url: str) -> dict[str, str]:
    """Every row of every table as text, bytes in hex."""
    connection = await asyncpg.connect(backup_url)
    try:
        tables = await connection.fetch(
            "select quote_ident(tablename) as name from pg_tables where schemaname = 'public' order by 1"
        )
        dumped = {}
        for table in tables:
            rows = await connection.fetch(f"select row_to_json(t)::text as row from {table['name']} t")
            dumped[table["name"]] = "\n".join(row["row"] for row in rows).lower()
        return dumped
    finally:
        await connection.close()


def _found(words: list[str], where: str) -> list[str]:
    return [word for word in words if word.lower() in where or word.lower().encode().hex() in where]


async def _traces(kept: Kept, backup_url: str, settings: Settings) -> dict[str, list[str]]:
    """Where in tables and storage the words of somebody turn up."""
    found = {table: _found(kept.words, rows) for table, rows in (await _dump(backup_url)).items()}
    for path in settings.files_dir.rglob("*"):
        content = path.read_bytes().decode("latin-1").lower() if path.is_file() else ""
        found[f"storage {path.relative_to(settings.files_dir)}"] = _found(kept.words, f"{path} {content}".lower())
    return {place: words for place, words in found.items() if words}


async def _entangle(kept: Kept, other: Kept, database: Database) -> None:
    """Let somebody else's rows speak of the person."""
    team = (await other.person.http.get("/api/organizations")).json()["organizations"][0]["id"]
    invited = await other.person.http.post(
        f"/api/organizations/{team}/invitations", json={"email": kept.person.email, "role": "member"}
    )
    assert invited.status_code in (201, 202), invited.text
    async with database.transaction(kept.user_id) as db:
        await enqueue(db, "nobody-takes-this", {"user_id": str(kept.user_id)})
        await enqueue(db, "nobody-takes-this", {"to": kept.person.email})
    # The copy tells of the invitation, and of who invited.
    asked = await kept.person.http.post(EXPORTS)
    assert (await _finished(kept.person, asked.json()["id"]))["status"] == "completed"


async def _ask_to_go(kept: Kept) -> None:
    answer = await kept.person.http.post(DELETION, json={"password": "a long enough pass phrase"})
    assert answer.status_code == 202, answer.text


async def _assert_gone(kept: Kept, backup_url: str, settings: Settings, database: Database) -> None:
    traces = await _traces(kept, backup_url, settings)
    allowed = {"audit_entries", "erasures", f"storage erasures/{kept.user_id}.json", "audit_contexts"}
    assert set(traces) <= allowed, traces
    assert {word for words in traces.values() for word in words} == {str(kept.user_id)}
    async with database.transaction(purpose="identity") as db:
        proof = (
            await db.scalars(
                select(AuditEntry).where(AuditEntry.tenant_id == kept.user_id, AuditEntry.action == "data.erased")
            )
        ).one()
        contexts = list(await db.scalars(select(AuditContext).where(AuditContext.tenant_id == kept.user_id)))
        assert [context.entry_id for context in contexts] == [proof.id]
        assert (contexts[0].ip_address, contexts[0].user_agent) == ("", "")
        assert set(contexts[0].detail) <= {"objects", "samples", "contexts_elsewhere"}
        assert await db.get(Erasure, kept.user_id) is not None


async def test_after_an_erasure_nothing_tells_of_the_person_and_everybody_elses_things_are_untouched(
    kept: Kept,
    bob: Person,
    database: Database,
    erasing: ErasureTools,
    settings: Settings,
    backup_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = await _furnish(bob, _name("bobby"), 700.0, database)
    await _entangle(kept, other, database)
    before = await _traces(other, backup_url, settings)
    await _ask_to_go(kept)
    assert await erasure.erase_due(replace(erasing, now=later(29))) == 0

    capsys.readouterr()
    structlog.contextvars.clear_contextvars()  # what the requests of this test left in its own task
    configure_logs("json", "debug")
    try:
        await one_round(erasing)
    finally:
        configure_logs("json", "warning")
    assert not _found(kept.words, capsys.readouterr().out.lower())
    await _assert_gone(kept, backup_url, settings, database)

    farewell = [mail for mail in read_outbox(settings.outbox_dir) if mail.to == kept.person.email]
    assert farewell[0].subject == "Your account is gone"
    after = await _traces(other, backup_url, settings)
    # What moves by itself, and what was the person's: the invitation for them, and their copy that tells of it.
    moving = ("pgqueuer", "audit", "sessions", "mail_log", "invitations", f"storage exports/{kept.user_id}/")
    assert {k: v for k, v in before.items() if not k.startswith(moving)} == {
        k: v for k, v in after.items() if not k.startswith(moving)
    }
    assert (await kept.person.http.get("/api/auth/me")).status_code == 401
    assert await erasure.erase_due(erasing) == 0


async def test_whatever_kills_an_erasure_the_next_one_brings_it_to_the_same_end(
    kept: Kept, database: Database, erasing: ErasureTools, settings: Settings, backup_url: str
) -> None:
    class Killed(Exception):
        pass

    class DyingStorage(Storage):
        left = 0

        async def delete_folder(self, folder: str) -> int:
            DyingStorage.left -= 1
            if DyingStorage.left < 0:
                raise Killed
            return await super().delete_folder(folder)

    class DyingMailer:
        async def send(self, mail: Mail) -> None:
            await OutboxMailer(settings.outbox_dir).send(mail)
            raise Killed

    async def dying_rows(database: Database, user_id: UUID) -> dict[str, int]:
        await PERSONAL_DATA[1].erase(database, user_id)
        raise Killed

    await _ask_to_go(kept)
    storage = erasing.storage
    dying = replace(erasing, storage=DyingStorage(storage._store, storage._links, storage._root))
    for survived in range(4):
        DyingStorage.left = survived
        with pytest.raises(Killed):
            await erasure.erase(dying, kept.user_id)
    with pytest.raises(Killed):
        await erasure.erase(replace(erasing, mailer=DyingMailer()), kept.user_id)
    portions = (PERSONAL_DATA[0], replace(PERSONAL_DATA[1], erase=dying_rows))
    with pytest.raises(Killed):
        await erasure.erase(replace(erasing, portions=portions), kept.user_id)
    DyingStorage.left = 4  # dies once the rows are gone
    with pytest.raises(Killed):
        await erasure.erase(dying, kept.user_id)
    assert await erasure.erase(erasing, kept.user_id) is False
    await one_round(erasing)
    await _assert_gone(kept, backup_url, settings, database)


async def test_what_is_stored_for_an_erased_person_afterwards_is_swept(
    kept: Kept, database: Database, erasing: ErasureTools, settings: Settings
) -> None:
    await _ask_to_go(kept)
    await one_round(erasing)
    await erasing.storage.put(f"previews/{kept.user_id}/late", b"late", "audio/flac")
    await one_round(erasing)
    assert list(settings.files_dir.rglob("*late*")) == []


async def test_a_mail_server_that_is_away_holds_an_erasure_up_for_some_days_only(
    kept: Kept, database: Database, erasing: ErasureTools
) -> None:
    class Away:
        async def send(self, mail: Mail) -> None:
            raise MailNotSent("nobody is there")

    await _ask_to_go(kept)
    assert await erasure.erase_due(replace(erasing, mailer=Away(), now=later(31))) == 0
    assert await erasure.erase_due(replace(erasing, mailer=Away(), now=later(34))) == 1


async def test_whoever_a_backup_brings_back_is_erased_again(
    kept: Kept, database: Database, erasing: ErasureTools, settings: Settings, owner_url: str
) -> None:
    await _ask_to_go(kept)
    await one_round(erasing)
    # The backup is older than the erasure: the person is in it, and the note of the erasure is not.
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("select set_config('app.purpose', 'identity', false)")
        await connection.execute("delete from erasures where user_id = $1", kept.user_id)
        await connection.execute(
            "insert into users (id, email, password_hash, first_name, last_name, is_active, is_superuser,"
            " created_at, updated_at) values ($1, $2, 'x', 'aliciafirst', '', true, false, now(), now())",
            kept.user_id,
            kept.person.email,
        )
    finally:
        await connection.close()
    again = replace(erasing, mailer=None, now=later(0))
    assert await erasure.reapply(replace(again, now=later(31))) == 1
    assert await erasure.reapply(replace(again, now=later(31))) == 0
    async with database.transaction(purpose="identity") as db:
        assert await db.get(User, kept.user_id) is None
        assert await db.get(Erasure, kept.user_id) is not None


async def test_a_copy_that_nobody_makes_is_queued_again(
    app: FastAPI, alice: Person, database: Database, erasing: ErasureTools, settings: Settings
) -> None:
    _, export_id = await _ask_without_worker(alice, database)
    async with database.transaction(purpose="worker") as db:
        await db.execute(text("delete from pgqueuer where entrypoint = 'export-data'"))
    await one_round(replace(erasing, now=later(0)))
    async with working(settings):
        assert (await _finished(alice, str(export_id)))["status"] == "completed"
    async with database.transaction(purpose="identity") as db:
        assert (await db.get_one(DataExport, export_id)).attempts == 1
