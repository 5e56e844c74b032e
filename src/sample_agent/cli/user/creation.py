"""An account made by an operator."""

from __future__ import annotations

import asyncio
import sys
from typing import get_args
from uuid import UUID

import typer

from sample_agent.accounts import create_user
from sample_agent.accounts.email_address import stored_email
from sample_agent.accounts.passwords import LONGEST, SHORTEST, Passwords, refuse_common
from sample_agent.apps.local import database_urls
from sample_agent.apps.migrate import migrate
from sample_agent.core.database import Database
from sample_agent.core.errors import Problem
from sample_agent.core.settings import PlanId, Settings


def create(
    settings: Settings,
    email: str,
    *,
    admin: bool,
    plan: str | None,
    first_name: str,
    last_name: str,
    password_stdin: bool,
) -> None:
    """Make an account that can sign in at once, and print what was made. Exits with 1 and a reason when it cannot."""

    async def insert(app_url: str) -> UUID:
        database = Database(app_url, pool_size=1)
        try:
            return await create_user(
                database,
                Passwords(concurrency=1),
                email=address,
                password=password,
                first_name=first_name.strip(),
                last_name=last_name.strip(),
                is_admin=admin,
                plan=chosen_plan,
            )
        finally:
            await database.close()

    try:
        address = stored_email(email, deliverable=False)
        chosen_plan = None if plan is None else plan_named(plan)
        password = _password(address, from_stdin=password_stdin)
        with database_urls(settings) as urls:
            if settings.database_url is None:
                asyncio.run(migrate(urls.owner_url))
            user_id = asyncio.run(insert(urls.app_url))
    except (Problem, ValueError) as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        raise typer.Exit(1) from None
    role = "administrator" if admin else "user"
    typer.echo(f"Created {role} {address}, plan {chosen_plan or settings.plan_for_new_accounts} (id {user_id}).")
    typer.echo(f"Sign in at {settings.public_url}/login")


def plan_named(plan: str) -> PlanId:
    """The plan of this name. Raises ValueError, which names them all."""
    for known in get_args(PlanId):
        if plan == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(f"There is no plan {plan!r}; choose one of {', '.join(get_args(PlanId))}.")


def _password(address: str, *, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        raise ValueError("There is nobody to ask for a password. Pipe it in and add --password-stdin.")
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"A password has {SHORTEST} to {LONGEST} characters.")
    refuse_common(password, email=address)
    return password
