"""Two people with an application between them, for tests of every route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any
from uuid import UUID

import httpx
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from sqlalchemy import select, update
from starlette.types import ASGIApp, Receive, Scope, Send

from sample_agent.accounts import Client, Identity, create_user
from sample_agent.accounts.models import Passkey, User
from sample_agent.accounts.sessions.service import begin_session
from sample_agent.apps.everything import create_everything
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.postgres import ServerAddress
from sample_agent.core.postgres.server import free_port
from sample_agent.core.settings import Settings
from tests.conftest import PASSWORDS, WITHOUT_LIMITS
from tests.contract.operations import Ids
from tests.people import PASSWORD, Person, new_email
from tests.serving import working
from tests.sounds import drum_loop, tone, wav

MARK = "alices-own"
"""Stands in every name that Alice gave to something."""


@dataclass(frozen=True)
class Household:
    """Alice, whose library has something of everything, and Bob, who has some things, too."""

    app: FastAPI
    settings: Settings
    all_rows: Database
    """Connected as the role that sees everything and changes nothing."""
    alice: Person
    bob: Person
    alice_id: UUID
    bob_id: UUID
    content: bytes
    """A file of Alice's."""
    alices: list[Ids]
    """Each of Alice's things is in one of these."""
    bobs: Ids


@asynccontextmanager
async def household_on(postgres: ServerAddress, jwt_private_key: str, folder: Path) -> AsyncIterator[Household]:
    """An application with both of them in it. The worker has done its part and gone."""
    settings = Settings(
        _env_file=None,
        environment="development",
        data_dir=folder,
        database_url=postgres.app_url,
        database_owner_url=postgres.owner_url,
        jwt_private_key=jwt_private_key,
        worker_processes=1,
        worker_port=free_port(),
        log_format="json",
        **WITHOUT_LIMITS,
    )
    app = create_everything(settings)
    all_rows = Database(postgres.backup_url, pool_size=1)
    async with closing(all_rows), LifespanManager(app), person(app) as alice, person(app) as bob:
        content = wav(drum_loop(96))
        async with working(settings):
            finished = await analysed(alice, content, f"{MARK}.wav", tags=MARK, folder=MARK)
            deleted = await analysed(alice, wav(tone(501)), f"{MARK}-deleted.wav")
            bobs_own = await analysed(bob, wav(tone(601)), "bobs.wav")
        waiting = await uploaded(alice, wav(tone(502)), f"{MARK}-waiting.wav")
        full = await collection(alice, MARK, finished["sample"])
        empty = await collection(alice, f"{MARK}-empty")
        (await alice.http.delete(f"/api/samples/{deleted['sample']}")).raise_for_status()
        alices_account = await account_of(app, alice, MARK)
        yield Household(
            app,
            settings,
            all_rows,
            alice,
            bob,
            await id_of(alice),
            await id_of(bob),
            content,
            alices=[
                {**finished, "collection": full, **alices_account},
                {**deleted, "collection": empty, **alices_account},
                {**waiting, "collection": full, **alices_account},
            ],
            bobs={
                **bobs_own,
                "collection": await collection(bob, "bobs", bobs_own["sample"]),
                **await account_of(app, bob, "bobs"),
            },
        )


async def account_of(app: FastAPI, person: Person, name: str) -> dict[str, UUID]:
    """Something of everything that hangs on an account, made by its person."""

    async def made(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await person.http.post(path, json=body)
        assert answer.is_success, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    user_id = await id_of(person)
    organization = (await made("/api/organizations", {"name": name}))["id"]
    invitations = f"/api/organizations/{organization}/invitations"
    async with another(app) as friend:
        accepted = (await made(invitations, {"email": friend.email}))["id"]
        (await friend.http.post(f"/api/invitations/{accepted}/accept")).raise_for_status()
        member = await id_of(friend)
    devices = (await person.http.get("/api/auth/sessions")).json()["sessions"]
    ids = {
        "user": user_id,
        "session": next(each["id"] for each in devices if each["current"]),
        "api key": (await made("/api/user/api-keys", {"name": name, "scopes": ["account:read"]}))["api_key"]["id"],
        "organization": organization,
        "invitation": (await made(invitations, {"email": new_email()}))["id"],
        "member": member,
        "passkey": await passkey(app, user_id, name),
        "export": (await made("/api/account/exports", {}))["id"],
    }
    return {kind: UUID(str(each)) for kind, each in ids.items()}


async def passkey(app: FastAPI, user_id: UUID, name: str) -> UUID:
    """A passkey that nobody can sign in with."""
    row = Passkey(id=new_id(), user_id=user_id, name=name, credential_id=token_bytes(), public_key=b"", transports=[])
    async with app.state.database.transaction(user_id) as db:
        db.add(row)
    return row.id


async def promote(app: FastAPI, person: Person) -> None:
    """Make somebody an administrator, in a session that a second factor was part of."""
    promoted = update(User).where(User.email == person.email).values(is_superuser=True)
    async with app.state.database.transaction(purpose="identity") as db:
        await db.execute(promoted)
    token = await access_token(app, person.email, second_factor=True)
    person.http.headers["Authorization"] = f"Bearer {token}"


async def id_of(person: Person) -> UUID:
    return UUID((await person.http.get("/api/auth/me")).json()["id"])


async def collection(person: Person, name: str, *samples: UUID) -> UUID:
    made = await person.http.post("/api/collections", json={"name": name, "description": name})
    if samples:
        ids = [str(each) for each in samples]
        await person.http.post(f"/api/collections/{made.json()['id']}/samples", json={"sample_ids": ids})
    return UUID(made.json()["id"])


async def uploaded(person: Person, content: bytes, name: str = "sound.wav", **more: str) -> dict[str, UUID]:
    response = await person.upload(content, name, **more)
    assert response.status_code == 201, response.text
    body = response.json()
    return {"sample": UUID(body["sample_id"]), "job": UUID(body["job_id"])}


async def analysed(person: Person, content: bytes, name: str, **more: str) -> dict[str, UUID]:
    ids = await uploaded(person, content, name, **more)
    assert (await person.analysed(str(ids["sample"])))["status"] == "completed"
    return ids


@asynccontextmanager
async def closing(database: Database) -> AsyncIterator[None]:
    yield
    await database.close()


@asynccontextmanager
async def person(app: FastAPI) -> AsyncIterator[Person]:
    """Somebody new, who has signed in with a password."""
    email = new_email()
    await create_user(app.state.database, PASSWORDS, email=email, password=PASSWORD, plan=None, is_admin=False)
    async with client(app) as http:
        answer = await http.post("/api/auth/login", json={"email": email, "password": PASSWORD, "mode": "body"})
        answer.raise_for_status()
        http.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield Person(email, http)


@asynccontextmanager
async def another(app: FastAPI) -> AsyncIterator[Person]:
    """Somebody new, who has come without a sign-in."""
    email = new_email()
    await create_user(app.state.database, PASSWORDS, email=email, password=PASSWORD)
    async with signed_in(app, email) as person:
        yield person


@asynccontextmanager
async def signed_in(app: FastAPI, email: str) -> AsyncIterator[Person]:
    """Somebody in one more session of theirs, whatever they would have to prove at a sign-in."""
    async with client(app) as http:
        http.headers["Authorization"] = f"Bearer {await access_token(app, email, second_factor=True)}"
        yield Person(email, http)


async def access_token(app: FastAPI, email: str, *, second_factor: bool = False) -> str:
    """The access token of a new session."""
    identity: Identity = app.state.identity
    async with identity.database.transaction(purpose="identity") as db:
        user = (await db.scalars(select(User).where(User.email == email))).one()
        session = await begin_session(db, identity, user, Client("tests", "127.0.0.1"), second_factor=second_factor)
    return session.access_token


def already_running(app: FastAPI) -> ASGIApp:
    """The application for another server, which must not start its parts once more."""

    async def requests_only(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await app(scope, receive, send)

    return requests_only


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000", timeout=30)
