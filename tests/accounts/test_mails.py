"""The mails of accounts, from the request that asks for one to a real mail server, and what the log says of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from jinja2 import Environment, meta
from sqlalchemy import text

from sample_agent.accounts.mailing import MAILS
from sample_agent.accounts.tasks import SEND_MAIL, send_mail
from sample_agent.core.database import Database
from sample_agent.core.mail import Mail, MailNotSent, MailRefused
from sample_agent.core.queue import MAX_TRIES
from sample_agent.core.queue_runner import Lane, run_tasks
from tests.accounts.deployment import Person, Service, fresh_address
from tests.core.test_mail import Postbox, body, mailer, smtp_server
from tests.serving import reached


@asynccontextmanager
async def sending(service: Service, app_url: str, port: int) -> AsyncIterator[None]:
    """A worker of the real queue that sends by SMTP to this port meanwhile."""
    resources, shutdown = replace(service.mail_resources, mailer=mailer(port)), asyncio.Event()
    lane = Lane({SEND_MAIL: partial(send_mail, resources=resources)}, concurrency=4)
    worker = asyncio.create_task(
        run_tasks(app_url, [lane], heartbeat=timedelta(seconds=5), shutdown=shutdown, grace=timedelta(seconds=5))
    )
    try:
        yield
    finally:
        shutdown.set()
        await worker


@dataclass
class Entry:
    mail: str
    status: str
    attempts: int
    error: str | None
    sent: bool


async def log_of(database: Database, address: str) -> list[Entry]:
    async with database.transaction(purpose="identity") as session:
        rows = await session.execute(
            text("select mail, status, attempts, error, sent_at from mail_log where email = :to order by id"),
            {"to": address},
        )
        return [Entry(row.mail, row.status, row.attempts, row.error, row.sent_at is not None) for row in rows]


async def until(database: Database, address: str, status: str, *, attempts: int = 1) -> Entry:
    """The newest entry of an address once it says so."""
    async with asyncio.timeout(30):
        while True:
            entries = await log_of(database, address)
            if entries and entries[-1].status == status and entries[-1].attempts >= attempts:
                return entries[-1]
            await asyncio.sleep(0.05)


def received_by(postbox: Postbox, address: str) -> list[Any]:
    return [message for envelope, message in postbox.received if envelope.rcpt_tos == [address]]


class AfterAll:
    """A mailer that does as it is told."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome
        self.sent.append(mail)


async def test_a_registration_arrives_at_a_mail_server_as_text_and_html(
    service: Service, database: Database, person: Person, app_url: str, unused_tcp_port: int
) -> None:
    postbox = Postbox()
    with smtp_server(unused_tcp_port, postbox) as port:
        async with sending(service, app_url, port):
            await person.register()
            await reached(lambda: received_by(postbox, person.email))
            await until(database, person.email, "sent")
    (message,) = received_by(postbox, person.email)
    assert message["Subject"] == "Confirm your e-mail address"
    link = next(word for word in body(message, "plain").split() if "/verify-email?token=" in word)
    assert f'href="{link}"' in body(message, "html")
    assert (await person.confirm(link.partition("token=")[2])).status_code == 200
    (entry,) = await log_of(database, person.email)
    assert entry == Entry("verify-email", "sent", 1, None, sent=True)


async def test_a_mail_waits_for_a_server_that_is_down_and_arrives_once(
    service: Service, database: Database, person: Person, app_url: str, unused_tcp_port: int
) -> None:
    postbox = Postbox()
    async with sending(service, app_url, unused_tcp_port):
        await person.register()
        waiting = await until(database, person.email, "queued", attempts=1)
        assert waiting.error is not None
        assert "did not take the mail" in waiting.error
        with smtp_server(unused_tcp_port, postbox):
            sent = await until(database, person.email, "sent")
            assert sent.attempts >= 2
            # Whatever else was queued for this address would come before this one.
            await person.post("/api/auth/resend-verification", {"email": person.email})
            await reached(lambda: len(received_by(postbox, person.email)) > 1)
            await until(database, person.email, "sent")
    messages = received_by(postbox, person.email)
    assert len(messages) == 2
    assert body(messages[0], "plain") != body(messages[1], "plain")


async def test_a_server_that_asks_to_come_back_later_gets_the_mail_later(
    service: Service, database: Database, person: Person, app_url: str, unused_tcp_port: int
) -> None:
    class Greylisting(Postbox):
        async def handle_RCPT(  # noqa: N802 (the name is the server's)
            self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
        ) -> str:
            answer = await super().handle_RCPT(server, session, envelope, address, options)
            self.answers.recipient = "250 OK"
            return answer

    postbox = Greylisting(recipient="451 4.7.1 come back later")
    with smtp_server(unused_tcp_port, postbox) as port:
        async with sending(service, app_url, port):
            await person.register()
            assert (await until(database, person.email, "sent")).attempts == 2
    assert len(received_by(postbox, person.email)) == 1


async def test_a_refusal_for_good_ends_the_tries_and_shows_on_the_profile_until_a_mail_is_taken(
    service: Service, database: Database, person: Person, app_url: str, unused_tcp_port: int
) -> None:
    token = (await service.member(person))["token"]
    assert (await person.me(token)).json()["mail_refused_at"] is None
    postbox = Postbox(recipient="550 5.1.1 no such mailbox")
    forgot = {"email": person.email}
    with smtp_server(unused_tcp_port, postbox) as port:
        async with sending(service, app_url, port):
            await person.post("/api/auth/forgot-password", forgot)
            refused = await until(database, person.email, "refused")
            assert (refused.attempts, refused.sent) == (1, False)
            assert refused.error is not None
            assert "no such mailbox" in refused.error
            assert (await person.me(token)).json()["mail_refused_at"] is not None
            postbox.answers.recipient = "250 OK"
            await person.post("/api/auth/forgot-password", forgot)
            await until(database, person.email, "sent")
    assert (await person.me(token)).json()["mail_refused_at"] is None


async def test_a_mail_that_is_needless_by_now_is_logged_as_such(service: Service, database: Database) -> None:
    address = fresh_address()
    async with service.visitor(address) as person:
        await person.post("/api/auth/forgot-password", {"email": address})
    await service.deliver_mails(address)
    assert await log_of(database, address) == [Entry("reset-password", "needless", 1, None, sent=False)]


async def test_after_the_last_try_a_mail_has_failed(service: Service, database: Database, person: Person) -> None:
    await person.register()
    (payload,) = await service.take_queued_mails(person.email)
    away = replace(service.mail_resources, mailer=AfterAll(*[MailNotSent("away")] * MAX_TRIES))
    for _ in range(MAX_TRIES):
        with pytest.raises(MailNotSent):
            await send_mail(payload, away)
    assert await log_of(database, person.email) == [Entry("verify-email", "failed", MAX_TRIES, "away", sent=False)]


async def test_a_task_done_again_after_its_mail_was_taken_or_refused_sends_nothing(
    service: Service, database: Database, person: Person
) -> None:
    await person.register()
    await person.register()
    taken, refused = await service.take_queued_mails(person.email)
    server = AfterAll(None, MailRefused("no"))
    resources = replace(service.mail_resources, mailer=server)
    for payload in (taken, taken, refused, refused):
        await send_mail(payload, resources)
    assert len(server.sent) == 1
    assert [entry.status for entry in await log_of(database, person.email)] == ["sent", "refused"]


async def test_a_mail_is_asked_for_with_what_it_is_about_or_not_at_all(
    service: Service, database: Database, person: Person
) -> None:
    await person.register()
    await service.mailed_token(person)
    assert (await person.confirm("made-up")).status_code == 410
    assert len(await log_of(database, person.email)) == 1


@pytest.mark.parametrize("name", sorted(path.stem for path in MAILS.glob("*.txt")))
def test_every_mail_says_the_same_as_text_and_as_html(name: str) -> None:
    plain, html = ((MAILS / f"{name}.{form}").read_text("utf-8") for form in ("txt", "html"))
    subject, empty, *_ = plain.split("\n")
    assert 5 < len(subject) < 80
    assert empty == ""
    assert '{% extends "base.html" %}' in html
    said, shown = (meta.find_undeclared_variables(Environment().parse(form)) for form in (plain, html))
    assert said == shown - {"button"}
