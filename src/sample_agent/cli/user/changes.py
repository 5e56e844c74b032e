"""Changes of accounts, made by an operator."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import typer
from sqlalchemy import select

from sample_agent.accounts.audit import OPERATOR
from sample_agent.accounts.email_address import stored_email
from sample_agent.accounts.errors import LastAdministrator
from sample_agent.accounts.models import User
from sample_agent.admin.people import search, service
from sample_agent.admin.people.search import AccountDetail
from sample_agent.apps.local import database_urls
from sample_agent.apps.migrate import migrate
from sample_agent.cli.user.creation import plan_named
from sample_agent.core.database import Database
from sample_agent.core.errors import Problem
from sample_agent.core.settings import Settings

Result = TypeVar("Result")


class UnknownAccount(ValueError):
    """Nobody has this address."""

    def __init__(self, address: str) -> None:
        super().__init__(f"There is no account with the address {address}. `sample-agent user list` shows them all.")


def promote(settings: Settings, email: str) -> None:
    """Make somebody an administrator."""

    async def act(database: Database) -> str:
        account = await _account(database, settings, email)
        if account.is_admin:
            return f"{account.email} is an administrator already."
        await _change(database, settings, account, service.Change(is_admin=True))
        hint = "" if account.second_factor else " They need a second factor before they can act as one."
        return f"{account.email} is an administrator.{hint}"

    _run(settings, act)


def demote(settings: Settings, email: str, *, yes: bool) -> None:
    """Make somebody no longer an administrator, after asking."""

    async def act(database: Database) -> str:
        account = await _account(database, settings, email)
        if not account.is_admin:
            return f"{account.email} is no administrator."
        _confirm(f"Take the rights of an administrator from {account.email}?", yes=yes)
        await _change(database, settings, account, service.Change(is_admin=False), yes=yes)
        return f"{account.email} is no longer an administrator."

    _run(settings, act)


def suspend(settings: Settings, email: str, *, yes: bool) -> None:
    """Switch an account off, after asking."""

    async def act(database: Database) -> str:
        account = await _account(database, settings, email)
        if not account.is_active:
            return f"{account.email} is suspended already."
        _confirm(
            f"Suspend {account.email}, end {account.sessions} sessions, stop {account.api_keys} API keys?", yes=yes
        )
        ended = await _change(database, settings, account, service.Change(is_active=False), yes=yes)
        return f"{account.email} is suspended; {len(ended)} sessions were ended."

    _run(settings, act)


def restore(settings: Settings, email: str) -> None:
    """Switch a suspended account on again."""

    async def act(database: Database) -> str:
        account = await _account(database, settings, email)
        if account.is_active:
            return f"{account.email} is not suspended."
        await _change(database, settings, account, service.Change(is_active=True))
        return f"{account.email} can sign in again."

    _run(settings, act)


def reset_factors(settings: Settings, email: str, *, yes: bool) -> None:
    """Remove all of somebody's second factors, after asking."""

    async def act(database: Database) -> str:
        account = await _account(database, settings, email)
        _confirm(f"Remove all second factors of {account.email} and end {account.sessions} sessions?", yes=yes)
        await service.reset_factors(database, account.id, actor=OPERATOR, now=datetime.now(UTC))
        return f"{account.email} signs in with the password alone now."

    _run(settings, act)


def change_plan(settings: Settings, email: str, plan: str) -> None:
    """Give somebody a plan."""

    async def act(database: Database) -> str:
        wanted = plan_named(plan)
        account = await _account(database, settings, email)
        if account.tier == wanted:
            return f"{account.email} has the plan {wanted} already."
        await _change(database, settings, account, service.Change(plan=wanted))
        return f"{account.email} has the plan {wanted} now; before it was {account.tier}."

    _run(settings, act)


def run_with_database(settings: Settings, act: Callable[[Database], Awaitable[Result]]) -> Result:
    """Do something with the database of this installation; its own is brought to this version's schema before."""

    async def run(app_url: str) -> Result:
        database = Database(app_url, pool_size=1)
        try:
            return await act(database)
        finally:
            await database.close()

    with database_urls(settings) as urls:
        if settings.database_url is None:
            asyncio.run(migrate(urls.owner_url))
        return asyncio.run(run(urls.app_url))


def _run(settings: Settings, act: Callable[[Database], Awaitable[str]]) -> None:
    """Do it and print what was done; exit with 1 and a reason when it cannot be."""
    try:
        typer.echo(run_with_database(settings, act))
    except (Problem, ValueError) as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        raise typer.Exit(1) from None


async def _account(database: Database, settings: Settings, email: str) -> AccountDetail:
    address = stored_email(email, deliverable=False)
    async with database.transaction(purpose="identity") as db:
        user_id = await db.scalar(select(User.id).where(User.email == address))
        if user_id is None:
            raise UnknownAccount(address)
        return await search.detail(db, user_id, now=datetime.now(UTC), default_plan=settings.plan_for_new_accounts)


async def _change(
    database: Database, settings: Settings, account: AccountDetail, changes: service.Change, *, yes: bool = False
) -> service.Ended:
    async def change(*, may_be_last: bool) -> service.Ended:
        return await service.change(
            database,
            account.id,
            changes,
            actor=OPERATOR,
            now=datetime.now(UTC),
            default_plan=settings.plan_for_new_accounts,
            may_be_last=may_be_last,
        )

    try:
        return await change(may_be_last=False)
    except LastAdministrator:
        _confirm("Then nobody administers this installation. Do it all the same?", yes=yes)
        return await change(may_be_last=True)


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ValueError(f"{question} There is nobody to ask; add --yes.")
    typer.confirm(question, abort=True)
