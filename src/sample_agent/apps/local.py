"""Which database the commands of this machine talk to: the one that is given, or the embedded one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from sample_agent.core.database import Database
from sample_agent.core.postgres import AlreadyRunningError, EmbeddedPostgres, running_server
from sample_agent.core.settings import Settings


@dataclass(frozen=True)
class DatabaseUrls:
    """The addresses of a database: as the application, and as the owner of its tables."""

    app_url: str
    owner_url: str


@contextmanager
def database_urls(settings: Settings) -> Iterator[DatabaseUrls]:
    """DATABASE_URL when it is set; else the embedded server, as it runs or started for the moment."""
    if settings.database_url is not None:
        app_url = settings.database_url.get_secret_value()
        owner = settings.database_owner_url
        yield DatabaseUrls(app_url, owner.get_secret_value() if owner else app_url)
        return
    server = EmbeddedPostgres(settings.data_dir)
    try:
        address = server.start()
    except AlreadyRunningError:
        address = running_server(settings.data_dir)
    try:
        yield DatabaseUrls(address.app_url, address.owner_url)
    finally:
        server.stop()


@asynccontextmanager
async def local_database(settings: Settings, *, pool_size: int = 1) -> AsyncIterator[Database]:
    """That database, connected as the application."""
    with database_urls(settings) as urls:
        database = Database(urls.app_url, pool_size=pool_size)
        try:
            yield database
        finally:
            await database.close()
