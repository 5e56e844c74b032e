"""PostgreSQL: one transaction per request or job step, with row-level security bound to the person it serves."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

import asyncpg
import orjson
from fastapi import FastAPI, Request, Response
from sqlalchemy import MetaData, Row, Select, Text, Uuid, bindparam, cast, func, select, text, true
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from sample_agent.core.database_url import sqlalchemy_url
from sample_agent.core.errors import Unavailable
from sample_agent.core.http import problem_response

LOST_CONNECTION = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg raises when the server goes away; the third when its farewell crosses a query of ours."""

Purpose = Literal["user", "identity", "worker"]
"""Why a transaction is opened: for one user; to find out who someone is; or for background work across users."""

_BIND = select(
    func.set_config("app.user_id", bindparam("user_id"), True),
    func.set_config("app.purpose", bindparam("purpose"), True),
)


_SERVED = "user_id"

_BOUND = select(
    func.set_config("app.user_id", cast(bindparam("user_id", type_=Uuid()), Text), True).label("user_id")
).cte("bound")


class Model(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class OwnedRow(Protocol):
    """A row that belongs to somebody."""

    @property
    def user_id(self) -> UUID: ...


Owned = TypeVar("Owned", bound=OwnedRow)


Question = Select[*tuple[Any, ...]]


class UnsafeRoleError(RuntimeError):
    """The database role given for the application would bypass row-level security."""


class Database:
    """A pool of connections and the only way to open a transaction."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_recycle=1800,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            hide_parameters=True,  # errors are logged, and password hashes and addresses are parameters
            connect_args={
                "timeout": 10,
                "command_timeout": 60,
                "server_settings": {"application_name": "sample-agent"},
            },
        )
        self._session = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=True)
        self._single = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(
        self, user_id: UUID | None = None, *, purpose: Purpose = "user"
    ) -> AsyncIterator[AsyncSession]:
        """Open a transaction that sees the rows of `user_id` and nothing else; commit at the end, roll back on error.

        `purpose="identity"` opens the accounts tables, `purpose="worker"` the jobs of every user.
        """
        async with self._session() as session, session.begin():
            session.info[_SERVED] = user_id
            await session.execute(_BIND, {"user_id": str(user_id or ""), "purpose": purpose})
            yield session

    async def row(self, question: Question, user_id: UUID, **parameters: Any) -> Row[*tuple[Any, ...]] | None:
        """The one row that answers a `single` question of this person's, or None, in one round trip.

        The same as a transaction of theirs with this question alone in it. For what every request asks; a transaction
        takes five round trips.
        """
        async with self._single.connect() as connection:
            answer = await connection.execute(question, {"user_id": user_id, **parameters})
            return answer.one_or_none()

    async def ping(self) -> None:
        """Raise unless the database answers."""
        async with self.engine.connect() as connection:
            await connection.execute(text("select 1"))

    async def revision(self) -> str | None:
        """The migration the database stands at; None when none was ever run."""
        async with self.engine.connect() as connection:
            if await connection.scalar(text("select to_regclass('alembic_version')")) is None:
                return None
            revision: str | None = await connection.scalar(text("select version_num from alembic_version"))
            return revision

    async def refuse_unsafe_role(self) -> None:
        """Raise UnsafeRoleError when the role is a superuser or may bypass row-level security."""
        async with self.engine.connect() as connection:
            row = (
                await connection.execute(
                    text("select rolname, rolsuper, rolbypassrls from pg_roles where rolname = current_user")
                )
            ).one()
        if row.rolsuper or row.rolbypassrls:
            raise UnsafeRoleError(
                f"DATABASE_URL connects as {row.rolname}, who bypasses row-level security. "
                "Use a role that is neither superuser nor BYPASSRLS, and give the owner in DATABASE_OWNER_URL."
            )

    async def close(self) -> None:
        await self.engine.dispose()


def single(query: Question) -> Question:
    """`query` as a question for `Database.row`: a statement that first says on whose behalf it runs.

    It can name them as `bindparam("user_id")`, too. PostgreSQL has to know what was bound before it comes to the query,
    which depends on it and which `OFFSET 0` keeps as it is; if it ever did not, row-level security would show nothing.
    """
    asked = query.where(_BOUND.c.user_id.is_not(None)).offset(0).lateral("asked")
    return select(*asked.c).select_from(_BOUND.join(asked, true()))


def served_by(session: AsyncSession) -> UUID:
    """The person whose rows `session` sees.

    Queries name them, too, although row-level security leaves nobody else's rows: for its policies, which let more than
    one purpose pass, PostgreSQL reads a whole table, and for a plain predicate an index.
    """
    user_id: UUID | None = session.info[_SERVED]
    if user_id is None:
        raise RuntimeError("this transaction serves nobody in particular")
    return user_id


async def own_row(session: AsyncSession, model: type[Owned], row_id: UUID, *, lock: bool = False) -> Owned | None:
    """The row of `model` with this id, if it is the person's whom `session` serves; None otherwise.

    The one way to load a tenant's row by an id that came from outside: it asks whose the row is even though row-level
    security has asked before.
    """
    row = await session.get(model, row_id, with_for_update=lock or None)
    return row if row is not None and row.user_id == served_by(session) else None


async def driver_connection(session: AsyncSession) -> Any:
    """The asyncpg connection beneath `session`, inside the same transaction."""
    return (await (await session.connection()).get_raw_connection()).driver_connection


def database_of(request: Request) -> Database:
    """The database of the running application."""
    database: Database = request.app.state.database
    return database


def answer_lost_database_with_503(app: FastAPI) -> None:
    """Turn a database that is away, restarting, out of connections or in a deadlock into 503 with Retry-After."""

    async def unavailable(request: Request, error: Exception) -> Response:
        if isinstance(error, DBAPIError) and not _may_work_later(error):
            raise error
        return problem_response(
            Unavailable("The database does not answer right now. Nothing was changed.", retry_after=2),
            request_id=request.state.request_id,
            public_url=app.state.public_url,
            instance=request.scope["path"],
        )

    for kind in (DBAPIError, PoolTimeoutError, ConnectionError, TimeoutError, socket.gaierror):
        app.add_exception_handler(kind, unavailable)


# Connection lost, out of resources, shutting down; deadlock or serialization failure; a lock or statement timed out.
_PASSING = ("08", "53", "57P", "40", "55P03", "57014")


def _may_work_later(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None) or ""
    return (
        isinstance(error, OperationalError | InterfaceError)
        or isinstance(getattr(error.orig, "__cause__", None), asyncpg.InternalClientError)
        or error.connection_invalidated
        or state.startswith(_PASSING)
    )


def constraint_of(error: DBAPIError) -> str:
    """The name of the violated constraint, or an empty string."""
    cause = getattr(error.orig, "__cause__", None)
    return getattr(cause, "constraint_name", None) or ""
