"""Mail: what is sent, how it leaves, and where it goes when there is no mail server."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Protocol

import aiosmtplib
import anyio.to_thread
from aiosmtplib import errors as smtp
from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from sample_agent.core.errors import NotFound

Security = Literal["starttls", "tls", "none"]

TEMPLATES = Path(__file__).parent / "mails"
"""The frame of our mails (`base.html`, `button.html`) and the pages of the outbox."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_LINK = re.compile(r"(https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]])")
_OUTBOX_ID = re.compile(r"[0-9]{20}-[0-9a-f]{8}")
# Seven bits and folded lines: no server on the way has to be able to do more.
_POLICY = policy.SMTP.clone(cte_type="7bit")


class InvalidMail(ValueError):
    """A mail that must not be sent: several addresses in one, or control characters in a header."""


class MailNotSent(Exception):
    """The mail server could not be reached or has no time; the same mail may go through later."""


class MailRefused(MailNotSent):
    """The mail server will not take this mail, now or later."""


@dataclass(frozen=True)
class Mail:
    """One mail to one address, as plain text and as HTML. Raises `InvalidMail`."""

    to: str
    subject: str
    text: str
    html: str

    def __post_init__(self) -> None:
        _address(self.to)
        if _CONTROL.search(self.subject):
            raise InvalidMail("A subject is one line.")


class Mailer(Protocol):
    """Hands mails on. Raises `MailNotSent`; of that, `MailRefused` when another try is of no use."""

    async def send(self, mail: Mail) -> None:
        """Hand `mail` on; on return somebody else is responsible for it."""
        ...


@dataclass(frozen=True)
class SmtpMailer:
    """Sends by SMTP, one connection a mail. `sender` may be an address or `Name <address>`."""

    host: str
    port: int
    username: str
    password: str
    security: Security
    sender: str
    timeout: float = 20.0

    async def send(self, mail: Mail) -> None:
        """Give `mail` to the server; see `Mailer`."""
        message = _message(mail, self.sender)
        try:
            async with asyncio.timeout(3 * self.timeout):
                await aiosmtplib.send(
                    message,
                    hostname=self.host,
                    port=self.port,
                    username=self.username or None,
                    password=self.password or None,
                    use_tls=self.security == "tls",
                    start_tls=self.security == "starttls",
                    timeout=self.timeout,
                )
        except smtp.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            raise _failure(refused.code, refused.message) from error
        except smtp.SMTPResponseException as error:
            raise _failure(error.code, error.message) from error
        except (smtp.SMTPException, TimeoutError, OSError) as error:
            raise MailNotSent(f"The mail server {self.host} did not take the mail: {error}") from error


def _failure(code: int, message: str) -> MailNotSent:
    # 5yz is final for a mail, except where the fault is ours: not being let in (530, 534, 535, 538).
    final = 500 <= code < 600 and code not in {530, 534, 535, 538}
    return (MailRefused if final else MailNotSent)(f"The mail server answered {code} {message}")


@dataclass(frozen=True)
class OutboxMailer:
    """Keeps mails as files in a folder, for development; see `outbox_router`."""

    folder: Path
    sender: str = "Sample Agent <sample-agent@localhost>"

    async def send(self, mail: Mail) -> None:
        """Write `mail` into the folder. A reader sees it whole or not at all."""
        await anyio.to_thread.run_sync(_write, self.folder, bytes(_message(mail, self.sender)))


@dataclass(frozen=True)
class StoredMail:
    """A mail in the outbox."""

    id: str
    sent_at: datetime
    sender: str
    to: str
    subject: str
    text: str
    html: str


def read_outbox(folder: Path, *, limit: int = 200) -> list[StoredMail]:
    """The newest mails in the outbox, newest first."""
    return [_parse(path) for path in _newest(folder)[:limit]]


def read_outbox_mail(folder: Path, mail_id: str) -> StoredMail | None:
    """One mail in the outbox, or None when there is none of that id."""
    path = folder / f"{mail_id}.eml"
    return _parse(path) if _OUTBOX_ID.fullmatch(mail_id) and path.is_file() else None


def outbox_router(folder: Path) -> APIRouter:
    """The development pages that show what would have been mailed: `/outbox`, `/outbox/{id}` and `/outbox/{id}/html`.

    Mails hold links that sign people in: the pages show them to this machine alone.
    """
    router = APIRouter(prefix="/outbox", include_in_schema=False, dependencies=[Depends(_this_machine_only)])
    pages = _templates(TEMPLATES)

    @router.get("")
    def list_mails() -> HTMLResponse:
        page = pages.get_template("outbox.html").render(mails=read_outbox(folder))
        return HTMLResponse(page, headers=_PAGE_HEADERS)

    @router.get("/style.css")
    def style() -> FileResponse:
        return FileResponse(TEMPLATES / "outbox.css", media_type="text/css")

    @router.get("/{mail_id}")
    def show_mail(mail_id: str) -> HTMLResponse:
        mail = _mail_or_404(folder, mail_id)
        page = pages.get_template("outbox_mail.html").render(mail=mail, pieces=_with_links(mail.text))
        return HTMLResponse(page, headers=_PAGE_HEADERS)

    @router.get("/{mail_id}/html")
    def show_html(mail_id: str) -> HTMLResponse:
        # Its links lead out of the frame it is shown in.
        html = _mail_or_404(folder, mail_id).html.replace("<head>", '<head><base target="_blank">', 1)
        return HTMLResponse(html, headers=_MAIL_HEADERS)

    return router


_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}
_MAIL_HEADERS = {
    "Cache-Control": "no-store",
    # What mail programs let through, and no more: styles in the mail itself; no scripts, forms or anything fetched.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self';"
        " sandbox allow-popups allow-popups-to-escape-sandbox"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "SAMEORIGIN",
}


def _mail_or_404(folder: Path, mail_id: str) -> StoredMail:
    mail = read_outbox_mail(folder, mail_id)
    if mail is None:
        raise NotFound("There is no such mail in the outbox.")
    return mail


def _this_machine_only(request: Request) -> None:
    # What a proxy on this machine passes on comes from it, too, and is not from here.
    forwarded = {"forwarded", "x-forwarded-for"} & set(request.headers)
    if forwarded or request.client is None or not ip_address(request.client.host).is_loopback:
        raise NotFound


def render(folder: Path, name: str, /, **context: object) -> tuple[str, str, str]:
    """Subject, text and HTML of the mail `name`, made from `<name>.txt` and `<name>.html` in `folder`.

    The first line of the text is the subject, the second is empty. The HTML may extend
    `base.html` and take its button from `button.html`. A variable that `context` lacks is an error, not a gap.
    """
    templates = _templates(folder)
    subject, _, text = templates.get_template(f"{name}.txt").render(context).partition("\n")
    html = templates.get_template(f"{name}.html").render({**context, "subject": subject})
    return " ".join(_CONTROL.sub(" ", subject).split()), text.strip() + "\n", html


@cache
def _templates(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=select_autoescape(("html",), default_for_string=True),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _address(text: str) -> Address:
    # A domain of other letters goes out in its `xn--` form; a name of other letters few servers take.
    name, _, domain = text.rpartition("@")
    try:
        address = f"{name}@{domain.encode('idna').decode()}"
        if not _PLAIN_ADDRESS.fullmatch(address):
            raise ValueError("more or less than an address")
        return Address(addr_spec=address)
    except (ValueError, IndexError) as error:
        raise InvalidMail(f"Not one e-mail address: {text[:100]!r}") from error


def _message(mail: Mail, sender: str) -> EmailMessage:
    if _CONTROL.search(sender):
        raise InvalidMail("A sender is one line.")
    name, sender_address = parseaddr(sender)
    origin = _address(sender_address)
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(name, addr_spec=origin.addr_spec)
    message["To"] = _address(mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=origin.domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _write(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    draft = folder / f".{name}"
    # The links inside let their reader into an account.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.rename(folder / f"{name}.eml")
    finally:
        draft.unlink(missing_ok=True)


def _newest(folder: Path) -> list[Path]:
    mails = (path for path in folder.glob("*.eml") if _OUTBOX_ID.fullmatch(path.stem))
    return sorted(mails, key=lambda path: path.name, reverse=True)


def _parse(path: Path) -> StoredMail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    return StoredMail(
        id=path.stem,
        sent_at=datetime.fromtimestamp(int(path.stem[:20]) / 1e9, UTC),
        sender=str(message["From"]),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: Literal["plain", "html"]) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def _with_links(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces, each with whether it is a link."""
    for position, piece in enumerate(_LINK.split(text)):
        yield position % 2 == 1, piece
