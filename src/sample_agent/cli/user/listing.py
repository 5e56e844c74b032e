"""Accounts, as an operator sees them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import cast, get_args

import orjson
import typer
from rich.console import Console
from rich.table import Table

from sample_agent.admin.people import search
from sample_agent.admin.people.schemas import Status
from sample_agent.admin.people.search import Account
from sample_agent.cli.user.changes import run_with_database
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings

_PAGE = 200
_WIDTH_IN_FILES = 200


def list_accounts(settings: Settings, q: str | None, status: str | None, *, as_json: bool) -> None:
    """Print the accounts that match, newest first: a table for people, lines of JSON for programs."""
    if status is not None and status not in get_args(Status):
        typer.secho(f"Error: There is no status {status!r}; choose one of {', '.join(get_args(Status))}.", err=True)
        raise typer.Exit(1)

    async def collect(database: Database) -> list[Account]:
        return [each async for each in _accounts(database, settings, q, cast(Status | None, status))]

    accounts = run_with_database(settings, collect)
    if as_json:
        for account in accounts:
            typer.echo(orjson.dumps({**asdict(account), "id": str(account.id)}))
        return
    table = Table("Address", "Name", "Plan", "Status", "Second factor", "Since", "Last seen", header_style="bold")
    for account in accounts:
        table.add_row(
            account.email,
            f"{account.first_name} {account.last_name}".strip(),
            account.tier,
            _status(account),
            "yes" if account.second_factor else "no",
            f"{account.created_at:%Y-%m-%d}",
            f"{account.last_seen_at:%Y-%m-%d %H:%M}" if account.last_seen_at else "never",
        )
    table.columns[0].overflow = "fold"
    Console(width=None if sys.stdout.isatty() else _WIDTH_IN_FILES).print(table)


async def _accounts(
    database: Database, settings: Settings, q: str | None, status: Status | None
) -> AsyncIterator[Account]:
    cursor: str | None = None
    while True:
        async with database.transaction(purpose="identity") as db:
            page = await search.find(
                db, q=q, status=status, limit=_PAGE, cursor=cursor, default_plan=settings.plan_for_new_accounts
            )
        for account in page.users:
            yield account
        cursor = page.next_cursor
        if cursor is None:
            return


def _status(account: Account) -> str:
    words = ["administrator"] if account.is_admin else []
    if not account.is_active:
        words.append("suspended")
    if account.delete_after is not None:
        words.append(f"erased after {account.delete_after:%Y-%m-%d}")
    return ", ".join(words) or "active"
