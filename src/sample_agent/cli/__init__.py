"""The command line. Each command loads what it needs when it runs, so that `--help` and `analyze` start at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sample_agent.cli.analyze import analyze
from sample_agent.cli.audit import audit_app
from sample_agent.cli.card import card_app
from sample_agent.cli.options import DataDir, settings_from
from sample_agent.cli.user import user_app

app = typer.Typer(
    name="sample-agent",
    help="A sample library for people who play the Roland SP-404MK2.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)
privacy_app = typer.Typer(help="Promises to people that outlast a backup.", no_args_is_help=True)
keys_app = typer.Typer(
    help="The keys that access tokens are signed and second factors sealed with.", no_args_is_help=True
)

app.command("analyze")(analyze)
app.add_typer(card_app, name="card")
app.add_typer(user_app, name="user")
app.add_typer(privacy_app, name="privacy")
app.add_typer(audit_app, name="audit")
app.add_typer(keys_app, name="keys")

Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]


def main() -> None:
    """Run the command line; an error that has an explanation prints it and exits with 1."""
    try:
        app()
    except Exception as error:
        explanation = _explained(error)
        if explanation is None:
            raise
        typer.secho(f"Error: {explanation}", fg="red", err=True)
        sys.exit(1)


@app.command()
def serve(
    data_dir: DataDir = None,
    host: Host = None,
    port: Annotated[int | None, typer.Option(help="Port of the web app and the API.", show_default="8000")] = None,
) -> None:
    """Run everything: web app, APIs, worker, and a database of its own unless DATABASE_URL is set."""
    from sample_agent.apps.serve import serve as run

    raise typer.Exit(run(settings_from(data_dir=data_dir, host=host, port=port)))


@app.command("accounts-api")
def accounts_api(host: Host = None, port: Annotated[int | None, typer.Option(show_default="8000")] = None) -> None:
    """Run the accounts API and the web app alone, beside DATABASE_URL."""
    from sample_agent.apps.accounts import create_accounts_app
    from sample_agent.apps.run import run_app

    settings = settings_from(host=host, port=port)
    run_app(create_accounts_app(settings), settings, port=settings.port)


@app.command("library-api")
def library_api(host: Host = None, port: Annotated[int, typer.Option()] = 8100) -> None:
    """Run the library API alone, beside DATABASE_URL."""
    from sample_agent.apps.library import create_library_app
    from sample_agent.apps.run import run_app

    settings = settings_from(host=host)
    run_app(create_library_app(settings), settings, port=port)


@app.command("engine-api")
def engine_api(host: Host = None, port: Annotated[int, typer.Option()] = 8101) -> None:
    """Run the stateless engine API alone; it needs no database."""
    from sample_agent.apps.engine import create_engine_app
    from sample_agent.apps.run import run_app

    settings = settings_from(host=host)
    run_app(create_engine_app(settings), settings, port=port)


@app.command()
def worker(host: Host = None) -> None:
    """Run a worker: it takes jobs from the queue in DATABASE_URL."""
    from sample_agent.apps.worker import main as run

    run(settings_from(host=host))


@app.command("api", hidden=True)
def api(host: Host = None, port: Annotated[int | None, typer.Option()] = None) -> None:
    """Both APIs and the web app in one process; `serve` runs this beside a worker."""
    from sample_agent.apps.everything import create_everything
    from sample_agent.apps.run import run_app

    settings = settings_from(host=host, port=port)
    run_app(create_everything(settings), settings, port=settings.port)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the schema of this version. `serve` does it by itself for its own database."""
    import asyncio

    from sample_agent.apps.local import database_urls
    from sample_agent.apps.migrate import migrate as run

    with database_urls(settings_from(data_dir=data_dir)) as urls:
        changed = asyncio.run(run(urls.owner_url))
    typer.echo("The database was migrated." if changed else "The database is up to date.")


@app.command()
def reanalyze(data_dir: DataDir = None) -> None:
    """Have every sample that an older version of the engine analysed analysed again by the workers."""
    from sample_agent.cli.reanalyze import reanalyze as run

    run(settings_from(data_dir=data_dir))


@app.command("settings")
def show_settings() -> None:
    """Print every setting with its value, where it can be set, and what it is for. Secrets are not shown."""
    from sample_agent.cli.settings import settings_table

    settings_table(settings_from())


@privacy_app.command("reapply")
def reapply_erasures(data_dir: DataDir = None) -> None:
    """Erase again whoever was erased after the backup that has just been restored was made."""
    from sample_agent.cli.privacy import reapply_erasures as run

    run(settings_from(data_dir=data_dir))


@keys_app.command("rotate")
def rotate_key(
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Replace the key at once: all access tokens end.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Make a new signing key. It is published at once, signs ten minutes later, and nobody is signed out."""
    from sample_agent.cli.keys import rotate_key as run

    run(settings_from(data_dir=data_dir), compromised=compromised)


@keys_app.command("reseal")
def reseal(data_dir: DataDir = None) -> None:
    """Seal what is kept of second factors with a new key. Nobody notices; services may run meanwhile."""
    from sample_agent.cli.keys import reseal_secrets as run

    run(settings_from(data_dir=data_dir))


@keys_app.command("list")
def list_keys(data_dir: DataDir = None) -> None:
    """Print every key that signs or verifies access tokens."""
    from sample_agent.cli.keys import list_keys as run

    run(settings_from(data_dir=data_dir))


def _explained(error: Exception) -> str | None:
    """What to tell a person about an error that is theirs to mend; None for a defect of ours."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return str(error) if isinstance(error, RuntimeError | OSError) else None
