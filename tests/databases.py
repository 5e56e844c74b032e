"""Empty databases on one server, each a copy of one that was migrated once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import asyncpg

from sample_agent.core.postgres import ServerAddress
from sample_agent.core.postgres.roles import APP, BACKUP, DATABASE, OWNER, SUPERUSER, read_or_create_passwords


@dataclass(frozen=True)
class Databases:
    """`template` is where a migrated database lies that nobody is connected to."""

    template: ServerAddress
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def empty(self) -> Iterator[ServerAddress]:
        """A database of one's own, with the rights on it that the first one has; dropped afterwards."""
        name = f"{DATABASE}_{next(self._numbers)}"
        self._run(
            f"create database {name} template {DATABASE} owner {OWNER} strategy file_copy",
            f"revoke all on database {name} from public",
            f"grant connect, temporary on database {name} to {APP}",
            f"grant connect on database {name} to {BACKUP}",
        )
        yield replace(
            self.template,
            app_url=_in(name, self.template.app_url),
            owner_url=_in(name, self.template.owner_url),
            backup_url=_in(name, self.template.backup_url),
        )
        # By force: a pool whose owner was killed on purpose may still be there.
        self._run(f"drop database {name} with (force)")

    def _run(self, *statements: str) -> None:
        """As the superuser, who alone may make databases."""
        password = read_or_create_passwords(self.template.data_dir / "postgres" / "pgpass")[SUPERUSER]
        url = f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{self.template.port}/postgres"

        async def run() -> None:
            connection = await asyncpg.connect(url)
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(run())


def _in(database: str, url: str) -> str:
    """The address of another database on the same server."""
    return f"{url.removesuffix(f'/{DATABASE}')}/{database}"
