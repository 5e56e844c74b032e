"""Mail against a real SMTP server, and the outbox that stands in for one."""

import asyncio
import re
import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from jinja2 import UndefinedError

from sample_agent.core.http import create_app
from sample_agent.core.mail import (
    InvalidMail,
    Mail,
    MailNotSent,
    MailRefused,
    OutboxMailer,
    SmtpMailer,
    outbox_router,
    read_outbox,
    read_outbox_mail,
    render,
)

SENDER = "Sample Agent <noreply@example.com>"
MAIL = Mail("ana@example.com", "Confirm your address", "Open https://example.com/v?t=1&u=2.\n", "<p>Open it.</p>\n")


class Postbox:
    """What an SMTP server was given, and how it answers."""

    def __init__(self, *, recipient: str = "250 OK", data: str = "250 OK") -> None:
        self.answers = SimpleNamespace(recipient=recipient, data=data)
        self.received: list[tuple[Envelope, EmailMessage]] = []

    async def handle_RCPT(  # noqa: N802 (the name is the server's)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return str(self.answers.recipient)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.received.append((envelope, message))
        return str(self.answers.data)


@contextmanager
def smtp_server(port: int, postbox: Postbox, **options: Any) -> Iterator[int]:
    controller = Controller(postbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def body(message: EmailMessage, kind: str) -> str:
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")


def mailer(port: int, **changes: Any) -> SmtpMailer:
    settings = {"username": "", "password": "", "security": "none", "sender": SENDER, **changes}
    return SmtpMailer("127.0.0.1", port, **settings)


async def test_a_mail_arrives_as_text_and_html(unused_tcp_port: int) -> None:
    postbox = Postbox()
    with smtp_server(unused_tcp_port, postbox) as port:
        await mailer(port).send(MAIL)
    ((envelope, message),) = postbox.received
    assert (envelope.mail_from, envelope.rcpt_tos) == ("noreply@example.com", ["ana@example.com"])
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, "ana@example.com", MAIL.subject)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.com>")
    assert message["Date"].datetime.utcoffset().total_seconds() == 0
    assert body(message, "plain") == MAIL.text
    assert body(message, "html") == MAIL.html


async def test_letters_of_every_script_arrive_over_a_seven_bit_server(unused_tcp_port: int) -> None:
    postbox = Postbox()
    text = "Žluťoučký kůň 🎛 " * 200 + "\n"
    with smtp_server(unused_tcp_port, postbox, decode_data=False) as port:
        await mailer(port, sender="Sämpler <noreply@example.com>").send(
            Mail("ana@example.com", "Bestätige 日本 🎛", text, f"<p>{text}</p>\n")
        )
    ((envelope, message),) = postbox.received
    assert envelope.content.isascii()
    assert max(map(len, envelope.content.splitlines())) <= 998
    assert message["Subject"] == "Bestätige 日本 🎛"
    assert message["From"].addresses[0].display_name == "Sämpler"
    assert body(message, "plain") == text
    assert body(message, "html") == f"<p>{text}</p>\n"


async def test_a_line_with_a_lone_dot_does_not_end_the_mail(unused_tcp_port: int) -> None:
    postbox = Postbox()
    with smtp_server(unused_tcp_port, postbox) as port:
        await mailer(port).send(Mail("ana@example.com", "Dots", "one\n.\n..two\n", "<p>.</p>\n"))
    assert body(postbox.received[0][1], "plain") == "one\n.\n..two\n"


@pytest.mark.parametrize(
    "to",
    [
        *("", "ana", "@example.com", "ana@", "ana@example.com, eve@example.com", "a b@example.com", "a@b@c"),
        *("ana@example.com\r\nBcc: eve@example.com", "ana@example.com\nBcc: e@e.com", "ana@example.com\n"),
        *("Ana <ana@example.com>", "ána@example.com", "a..b@example.com", ".a@example.com"),
    ],
)
def test_anything_but_one_plain_address_is_refused(to: str) -> None:
    with pytest.raises(InvalidMail):
        Mail(to, "Hello", "text", "html")


@pytest.mark.parametrize("subject", ["Hi\r\nBcc: eve@example.com", "Hi\nthere", "Hi\rthere", "Hi\x00"])
def test_a_subject_cannot_add_headers(subject: str) -> None:
    with pytest.raises(InvalidMail):
        Mail("ana@example.com", subject, "text", "html")


async def test_a_domain_of_other_letters_is_written_as_the_network_knows_it(unused_tcp_port: int) -> None:
    postbox = Postbox()
    with smtp_server(unused_tcp_port, postbox) as port:
        await mailer(port).send(Mail("ana@bücher.example", "Hello", "text\n", "html\n"))
    assert postbox.received[0][0].rcpt_tos == ["ana@xn--bcher-kva.example"]


async def test_a_sender_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        await mailer(1, sender="Agent\r\nBcc: eve@example.com <noreply@example.com>").send(MAIL)


@pytest.mark.parametrize("place", ["recipient", "data"])
@pytest.mark.parametrize(
    ("answer", "error"), [("550 no such mailbox", MailRefused), ("451 try again later", MailNotSent)]
)
async def test_a_refusal_says_whether_another_try_is_of_use(
    place: str, answer: str, error: type[MailNotSent], unused_tcp_port: int
) -> None:
    postbox = Postbox(**{place: answer})
    with smtp_server(unused_tcp_port, postbox) as port, pytest.raises(MailNotSent, match=answer) as raised:
        await mailer(port).send(MAIL)
    assert type(raised.value) is error


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_the_password_is_given_and_a_wrong_one_is_not_the_mails_fault(unused_tcp_port: int) -> None:
    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"agent", b"right"), handled=False)

    postbox = Postbox()
    with smtp_server(unused_tcp_port, postbox, authenticator=check, auth_required=True, auth_require_tls=False) as port:
        await mailer(port, username="agent", password="right").send(MAIL)
        with pytest.raises(MailNotSent, match="535") as raised:
            await mailer(port, username="agent", password="wrong").send(MAIL)
        assert not isinstance(raised.value, MailRefused)
        with pytest.raises(MailNotSent, match="530") as raised:
            await mailer(port).send(MAIL)
        assert not isinstance(raised.value, MailRefused)
    assert len(postbox.received) == 1


async def test_a_server_without_tls_gets_nothing_when_tls_was_asked_for(unused_tcp_port: int) -> None:
    postbox = Postbox()
    with smtp_server(unused_tcp_port, postbox) as port:
        for security in ("starttls", "tls"):
            with pytest.raises(MailNotSent):
                await mailer(port, security=security, timeout=2).send(MAIL)
    assert postbox.received == []


async def test_starttls_is_used_when_the_certificate_is_trusted_and_only_then(
    unused_tcp_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    postbox = Postbox()
    with smtp_server(unused_tcp_port, postbox, tls_context=tls, require_starttls=True) as port:
        with pytest.raises(MailNotSent, match="certificate"):
            await mailer(port, security="starttls").send(MAIL)
        assert postbox.received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await mailer(port, security="starttls").send(MAIL)
    assert len(postbox.received) == 1


def self_signed_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of a test")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def test_a_server_that_is_not_there_is_a_failure_to_try_again(unused_tcp_port: int) -> None:
    with pytest.raises(MailNotSent, match=r"127\.0\.0\.1 did not take the mail") as raised:
        await mailer(unused_tcp_port).send(MAIL)
    assert not isinstance(raised.value, MailRefused)


async def test_a_server_that_never_answers_is_given_up() -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        with pytest.raises(MailNotSent):
            await mailer(server.sockets[0].getsockname()[1], timeout=0.2).send(MAIL)


async def test_the_outbox_keeps_mails_newest_first(tmp_path: Path) -> None:
    outbox = OutboxMailer(tmp_path / "outbox", SENDER)
    assert read_outbox(tmp_path / "outbox") == []
    for number in range(3):
        await outbox.send(Mail("ana@example.com", f"Nº {number}", f"Text {number} é\n", f"<p>{number}</p>\n"))
    mails = read_outbox(tmp_path / "outbox")
    assert [mail.subject for mail in mails] == ["Nº 2", "Nº 1", "Nº 0"]
    newest = mails[0]
    assert (newest.sender, newest.to) == (SENDER, "ana@example.com")
    assert (newest.text, newest.html) == ("Text 2 é\n", "<p>2</p>\n")
    assert read_outbox_mail(tmp_path / "outbox", newest.id) == newest
    assert [mail.subject for mail in read_outbox(tmp_path / "outbox", limit=1)] == ["Nº 2"]


async def test_the_outbox_is_for_its_owners_eyes_and_holds_no_drafts(tmp_path: Path) -> None:
    await OutboxMailer(tmp_path / "outbox").send(MAIL)
    (path,) = (tmp_path / "outbox").iterdir()
    assert path.suffix == ".eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mail_id", ["", "x", "../secret", "0" * 20 + "-" + "0" * 8, "." * 29])
def test_there_is_no_other_file_to_be_read_through_the_outbox(tmp_path: Path, mail_id: str) -> None:
    (tmp_path / "secret.eml").write_text("secret")
    (tmp_path / "outbox").mkdir()
    assert read_outbox_mail(tmp_path / "outbox", mail_id) is None


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield

    app = create_app("test", public_url="http://testserver", lifespan=lifespan)
    app.include_router(outbox_router(tmp_path / "outbox"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
        yield client


async def test_the_outbox_page_leads_to_a_mail_whose_links_can_be_followed(
    pages: httpx.AsyncClient, tmp_path: Path
) -> None:
    assert "Nothing was sent yet." in (await pages.get("/outbox")).text
    await OutboxMailer(tmp_path / "outbox").send(MAIL)
    listing = await pages.get("/outbox")
    (path,) = re.findall(r'href="(/outbox/[0-9a-f-]+)"', listing.text)
    shown = await pages.get(path)
    assert '<a href="https://example.com/v?t=1&amp;u=2" rel="noopener noreferrer">' in shown.text
    assert (await pages.get("/outbox/style.css")).headers["content-type"].startswith("text/css")
    assert (await pages.get("/outbox/nothing")).status_code == 404


async def test_the_outbox_pages_obey_a_strict_policy_and_escape_what_they_show(
    pages: httpx.AsyncClient, tmp_path: Path
) -> None:
    evil = "<script>alert(1)</script>"
    await OutboxMailer(tmp_path / "outbox").send(
        Mail("ana@example.com", evil, f"{evil} javascript:alert(1) https://e.com/\"onclick='x'", evil)
    )
    for address in ("/outbox", f"/outbox/{read_outbox(tmp_path / 'outbox')[0].id}"):
        page = await pages.get(address)
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "<script" not in page.text
        assert " style=" not in page.text
        assert " onclick" not in page.text
        assert 'href="javascript' not in page.text


async def test_the_outbox_opens_on_this_machine_only(pages: httpx.AsyncClient) -> None:
    assert (await pages.get("/outbox")).status_code == 200
    for passed_on in ({"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=_x"}):
        assert (await pages.get("/outbox", headers=passed_on)).status_code == 404
    elsewhere = httpx.ASGITransport(pages._transport.app, client=("203.0.113.9", 50000))  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://testserver") as stranger:
        assert (await stranger.get("/outbox")).status_code == 404


async def test_a_mail_is_shown_as_html_with_its_styles_and_nothing_that_acts(
    pages: httpx.AsyncClient, tmp_path: Path
) -> None:
    html = "<html><head></head><body><p style='color:red'>Hi</p><script>alert(1)</script></body></html>\n"
    await OutboxMailer(tmp_path / "outbox").send(Mail("ana@example.com", "Hello", "Hi\n", html))
    (mail,) = read_outbox(tmp_path / "outbox")
    page = await pages.get(f"/outbox/{mail.id}")
    assert f'<iframe src="/outbox/{mail.id}/html"' in page.text
    assert "allow-scripts" not in page.text
    assert "allow-same-origin" not in page.text
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    shown = await pages.get(f"/outbox/{mail.id}/html")
    assert shown.text == html.replace("<head>", '<head><base target="_blank">')
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert "sandbox allow-popups" in policy
    assert "script" not in policy
    assert "frame-ancestors 'self'" in policy
    assert shown.headers["x-frame-options"] == "SAMEORIGIN"
    assert (await pages.get(f"/outbox/{'0' * 20}-{'0' * 8}/html")).status_code == 404


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    (tmp_path / "verify.txt").write_text("Confirm {{ name }}\n\nHello {{ name }},\nopen {{ link }}\n")
    (tmp_path / "verify.html").write_text(
        '{% extends "base.html" %}{% from "button.html" import button %}'
        "{% block content %}<p>Hello {{ name }}</p>{{ button(link, 'Confirm') }}{% endblock %}"
    )
    return tmp_path


def test_a_mail_is_rendered_from_a_text_and_a_html_template(templates: Path) -> None:
    subject, text, html = render(templates, "verify", name="A & B", link="https://example.com/?a=1&b=2")
    assert subject == "Confirm A & B"
    assert text == "Hello A & B,\nopen https://example.com/?a=1&b=2\n"
    assert "<p>Hello A &amp; B</p>" in html
    assert 'href="https://example.com/?a=1&amp;b=2"' in html
    assert "<title>Confirm A &amp; B</title>" in html


def test_a_rendered_subject_is_one_clean_line(templates: Path) -> None:
    subject, _, html = render(templates, "verify", name="<b>\tEve\rBcc: x", link="https://example.com")
    assert subject == "Confirm <b> Eve Bcc: x"
    assert "<p>Hello <b>" not in html
    Mail("ana@example.com", subject, "text", html)


def test_a_variable_that_is_missing_is_an_error(templates: Path) -> None:
    with pytest.raises(UndefinedError):
        render(templates, "verify", name="Ana")
