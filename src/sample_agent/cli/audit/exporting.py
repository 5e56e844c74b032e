"""`sample-agent audit export`."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import cast, get_args
from uuid import UUID

import typer

from sample_agent.accounts.audit import INSTALLATION, OPERATOR, Action, record
from sample_agent.accounts.audit.export import Format, exported
from sample_agent.accounts.audit.search import Filters
from sample_agent.apps.local import local_database
from sample_agent.apps.migrate import require_head
from sample_agent.core.settings import Settings


def export_log(
    settings: Settings,
    format_: str,
    *,
    since: datetime | None,
    until: datetime | None,
    tenant_id: UUID | None,
    action: str | None,
) -> None:
    """Write what matches to stdout, and record that it was taken. Exits with 1 when the question makes no sense."""
    if format_ not in get_args(Format):
        typer.secho(f"Error: There is no format {format_!r}; choose csv or json.", fg="red", err=True)
        raise typer.Exit(1)
    if action is not None and not _is_known(action):
        known = ", ".join(Action)
        typer.secho(f"Error: There is no action {action!r}; there are {known}.", fg="red", err=True)
        raise typer.Exit(1)
    filters = Filters(tenant_id=tenant_id, action=action, since=_utc(since), until=_utc(until) or datetime.now(UTC))
    asyncio.run(_export(settings, filters, cast(Format, format_)))


async def _export(settings: Settings, filters: Filters, format_: Format) -> None:
    async with local_database(settings) as database:
        require_head(await database.revision())
        async with database.transaction(purpose="identity") as db:
            asked = {"tenant_id": filters.tenant_id, "action": filters.action, "since": filters.since}
            detail = {"format": format_, **{name: value for name, value in asked.items() if value is not None}}
            await record(db, Action.AUDIT_EXPORTED, tenant_id=INSTALLATION, actor=OPERATOR, detail=detail)
        async for piece in exported(database, filters, format_):
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _is_known(action: str) -> bool:
    whole_kind = action.endswith(".")
    return any(each.startswith(action) if whole_kind else each == action for each in Action)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
