"""No secret is written anywhere: not to the logs, not to the database, not to the queue."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from datetime import timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from sample_agent.accounts.tasks import SEND_MAIL, send_mail
from sample_agent.core.database_url import asyncpg_url
from sample_agent.core.queue_runner import Lane, run_tasks
from tests.accounts.deployment import Person, Service, fresh_address, link_token


async def test_no_secret_reaches_the_logs_or_the_database(
    service: Service, person: Person, owner_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    person.password = "canary-5f1d-password"
    dumps = []
    caplog.set_level(logging.DEBUG)
    with capture_logs() as events:
        await person.register()
        dumps.append(await _dump(owner_url))
        token = await service.confirm(person)
        await person.login(password="canary-5f1d-mistyped")
        signed_in = (await person.login(mode="body")).json()
        refreshed = (await person.refresh(signed_in["refresh_token"])).json()
        await person.login()
        cookie = person.browser.cookies["__Host-refresh"]
        await person.me(signed_in["token"] + "canary-5f1d-altered")
        await person.register(password="canary", email=person.email)
        await person.confirm(token)
        dumps.append(await _dump(owner_url))
        service.clock.ahead = timedelta(minutes=1)
        await person.refresh(signed_in["refresh_token"])
        await person.post("/api/auth/logout", Authorization=f"Bearer {refreshed['token']}")
        dumps.append(await _dump(owner_url))
    secrets = [
        "canary",
        token,
        cookie,
        signed_in["refresh_token"],
        refreshed["refresh_token"],
        *(part for body in (signed_in, refreshed) for part in body["token"].split(".")[1:]),
        service.settings.signing_key_bytes().decode(),
    ]
    written = {"logs": repr(events) + caplog.text, **{f"dump {number}": dump for number, dump in enumerate(dumps)}}
    assert len(events) > 10
    assert all(hashlib.sha256(token.encode()).hexdigest() in dump for dump in dumps[1:]), "the dump misses tables"
    for secret in secrets:
        for spelling in (secret, secret.encode().hex(), base64.b64encode(secret.encode()).decode()):
            assert [name for name, text in written.items() if spelling in text] == []


async def test_the_queue_sends_the_mail_of_a_registration(service: Service, app_url: str) -> None:
    arrived, shutdown = asyncio.Event(), asyncio.Event()
    address = fresh_address()

    async def deliver(payload: dict[str, object]) -> None:
        await send_mail(payload, service.mail_resources)
        if payload["to"] == address:
            arrived.set()

    lane = Lane({SEND_MAIL: deliver}, concurrency=2)
    worker = asyncio.create_task(
        run_tasks(app_url, [lane], heartbeat=timedelta(seconds=5), shutdown=shutdown, grace=timedelta(seconds=5))
    )
    try:
        async with service.visitor(address) as person:
            assert (await person.register()).status_code == 201
            async with asyncio.timeout(30):
                await arrived.wait()
            (mail,) = service.mails_to(address)
            answer = await person.confirm(link_token(mail))
            assert answer.status_code == 200
            assert mail.html.count(link_token(mail)) == 2
    finally:
        shutdown.set()
        await worker


async def _dump(owner_url: str) -> str:
    """Every row of every table, as text; bytes in hexadecimal."""
    connection = await asyncpg.connect(asyncpg_url(owner_url))
    try:
        await connection.execute("select set_config('app.purpose', 'identity', false)")
        tables = await connection.fetch("select quote_ident(tablename) from pg_tables where schemaname = 'public'")
        rows = [row[0] for (table,) in tables for row in await connection.fetch(f"select t::text from {table} t")]
        payloads = await connection.fetch(
            "select convert_from(payload, 'utf8') from pgqueuer where payload is not null"
        )
        return "\n".join(rows + [row[0] for row in payloads])
    finally:
        await connection.close()
