"""`sample-agent keys`: the keys that access tokens are signed with, and those that second factors are sealed with."""

from __future__ import annotations

import asyncio
from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table

from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.factors.resealing import Resealed, reseal, reseal_with_new_key
from sample_agent.accounts.signing.key_files import GRACE
from sample_agent.accounts.signing.keys import key_files, load_keys
from sample_agent.accounts.signing.rotation import (
    NewKey,
    NoSigningKeyError,
    prepare_for_environment,
    replace_compromised,
    rotate,
)
from sample_agent.apps.local import database_urls
from sample_agent.apps.migrate import migrate
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings

_MINUTES = int(GRACE.total_seconds() // 60)


def rotate_key(settings: Settings, *, compromised: bool) -> None:
    """Make the next signing key and say what happens now, or what the operator has to do."""
    if settings.jwt_private_key is not None:
        _explain_environment(_run(settings, compromised=False), settings, compromised=compromised)
        return
    new = _run(settings, compromised=compromised)
    if compromised:
        typer.echo(f"The key {new.key_id} signs from now on. Every other is gone, and with them all access tokens.")
        typer.echo("People stay signed in: their browsers ask for new tokens by themselves.")
        typer.echo("Other services that verify tokens may keep the old keys for six minutes; restart them.")
        return
    typer.echo(f"The key {new.key_id} is published and signs from {_moment(new.signs_from)} on.")
    typer.echo(
        "Running services follow by themselves; nobody is signed out. The old key goes when its tokens are over."
    )
    typer.echo("Where JWT_PUBLIC_KEY names the keys, append this one before then:")
    typer.echo((settings.keys_dir / "jwt-next.pem").read_text().strip())


def reseal_secrets(settings: Settings) -> None:
    """Seal what is kept of second factors anew: with a new key, or with the first one the environment gives."""
    settings.sealing_keys()  # makes the file on an installation that never had one

    async def run(app_url: str) -> Resealed:
        database = Database(app_url, pool_size=2)
        try:
            if settings.sealing_key is None:
                return await reseal_with_new_key(database, settings.sealing_keys_file)
            return await reseal(database, settings.sealing_keys())
        finally:
            await database.close()

    with database_urls(settings) as urls:
        if settings.database_url is None:
            asyncio.run(migrate(urls.owner_url))
        done = asyncio.run(run(urls.app_url))
    typer.echo(f"{done.changed} secrets of second factors have a new seal.")
    if done.broken:
        typer.echo(
            f"{done.broken} open with no key there is. If you still have theirs, add it to the others and run this"
            " again; else their people have to set their factors up anew. Keep the keys until that is settled."
        )
    elif settings.sealing_key is not None:
        typer.echo("Every key but the first in SAMPLE_AGENT_SEALING_KEY can be removed, if all services seal with it.")


def list_keys(settings: Settings) -> None:
    """Print every key, and what it does until when."""
    files = key_files(settings)
    if settings.jwt_private_key is None and not files.exists():
        raise NoSigningKeyError(files.folder)
    keys = load_keys(settings)
    waiting, predecessors = files.waiting(), files.predecessors()
    table = Table("Key", "Does", header_style="bold")
    for key_id in keys.public:
        if key_id == keys.current.thumbprint():
            does = "signs, from JWT_PRIVATE_KEY" if settings.jwt_private_key is not None else "signs"
        elif waiting is not None and key_id == waiting[0]:
            does = f"verifies; signs from {_moment(waiting[1])} on"
        elif key_id in predecessors:
            does = f"verifies until {_moment(predecessors[key_id])}"
        else:
            does = "verifies"
        table.add_row(key_id, does)
    Console().print(table)


def _run(settings: Settings, *, compromised: bool) -> NewKey:
    files, now = key_files(settings), utc_now()

    async def run(app_url: str) -> NewKey:
        database = Database(app_url, pool_size=1)
        try:
            if settings.jwt_private_key is not None:
                return await prepare_for_environment(database, files, now)
            if compromised:
                return await replace_compromised(database, files, now)
            return await rotate(database, files, now)
        finally:
            await database.close()

    with database_urls(settings) as urls:
        if settings.database_url is None:
            asyncio.run(migrate(urls.owner_url))
        return asyncio.run(run(urls.app_url))


def _explain_environment(new: NewKey, settings: Settings, *, compromised: bool) -> None:
    file = new.private_file
    assert file is not None  # noqa: S101
    public = file.with_name("new-jwt-public.pem")
    minutes = settings.access_token_seconds // 60 + _MINUTES
    typer.echo(
        f"This installation has its key from JWT_PRIVATE_KEY, which only you can change. A new pair is in\n  {file}"
    )
    if compromised:
        steps = [
            f"Set JWT_PRIVATE_KEY to {file}, and JWT_PUBLIC_KEY to {public} alone.",
            "Restart every service. All access tokens end; people stay signed in by their refresh tokens.",
        ]
    else:
        steps = [
            f"Append {public} to JWT_PUBLIC_KEY of every service, the accounts API too, and restart them.",
            f"Wait {_MINUTES} minutes. Then set JWT_PRIVATE_KEY of the accounts API to {file}. Keep both public keys.",
            f"After another {minutes} minutes take the old public key out of JWT_PUBLIC_KEY.",
        ]
    for number, step in enumerate([*steps, "Delete both files."], start=1):
        typer.echo(f"{number}. {step}")
    typer.echo(f"The new key's id is {new.key_id}. Its public half:\n{public.read_text().strip()}")


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
