"""Turns settings into the parts that programs are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sample_agent.core.database import Database
from sample_agent.core.mail import Mailer, OutboxMailer, SmtpMailer
from sample_agent.core.settings import MissingSecretError, Settings
from sample_agent.core.storage import Storage


class NoDatabaseError(RuntimeError):
    """The program runs beside a database and was not told which."""

    def __init__(self) -> None:
        super().__init__(
            "DATABASE_URL is not set. Give the application role's address, "
            "or run `sample-agent serve`, which brings its own database."
        )


class NoMailServerError(RuntimeError):
    """Outside development mails have to go somewhere."""

    def __init__(self) -> None:
        super().__init__("SAMPLE_AGENT_SMTP_HOST is not set. Outside development a mail server is needed.")


def database_address(settings: Settings) -> str:
    """DATABASE_URL; raises NoDatabaseError when it is not set."""
    if settings.database_url is None:
        raise NoDatabaseError
    return settings.database_url.get_secret_value()


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """A pool on DATABASE_URL, refused when its role would bypass row-level security."""
    database = Database(database_address(settings), pool_size=settings.database_pool_size)
    try:
        await database.refuse_unsafe_role()
        yield database
    finally:
        await database.close()


def make_storage(settings: Settings, *, links_from: str) -> Storage:
    """The bucket that is configured, or else the folder `files` in the data folder.

    Signed links into the folder begin with `links_from`, the library API's origin; empty makes them relative.
    """
    if not settings.storage_bucket:
        return Storage.local(settings.files_dir, settings.signing_key_bytes(), links_from)
    if settings.storage_secret_access_key is None:
        raise MissingSecretError("SAMPLE_AGENT_STORAGE_SECRET_ACCESS_KEY")
    return Storage.s3(
        settings.storage_bucket,
        settings.storage_endpoint,
        settings.storage_access_key_id,
        settings.storage_secret_access_key.get_secret_value(),
        settings.storage_region,
    )


def make_mailer(settings: Settings) -> Mailer:
    """The SMTP server that is configured, or else, in development, the outbox."""
    if settings.smtp_host:
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
        return SmtpMailer(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_username,
            password,
            settings.smtp_security,
            settings.mail_from,
        )
    if settings.development:
        return OutboxMailer(settings.outbox_dir, settings.mail_from)
    raise NoMailServerError
