"""`sample-agent user …`: accounts, looked after by whoever runs the installation. What it does is in the audit log."""

from __future__ import annotations

from typing import Annotated

import typer

from sample_agent.cli.options import DataDir, settings_from

user_app = typer.Typer(help="Accounts of this installation.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="E-mail address of the account.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


@user_app.command("create")
def create_user(
    email: Annotated[str, typer.Argument(help="E-mail address to sign in with.")],
    admin: Annotated[bool, typer.Option("--admin", help="Make an administrator.")] = False,
    plan: Annotated[str | None, typer.Option(help="free, pro or enterprise.", show_default="the default")] = None,
    first_name: Annotated[str, typer.Option()] = "",
    last_name: Annotated[str, typer.Option()] = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Make an account that is verified at once."""
    from sample_agent.cli.user.creation import create

    create(
        settings_from(data_dir=data_dir),
        email,
        admin=admin,
        plan=plan,
        first_name=first_name,
        last_name=last_name,
        password_stdin=password_stdin,
    )


@user_app.command("list")
def list_users(
    search: Annotated[str | None, typer.Argument(help="Part of an address or a name, or an id.")] = None,
    status: Annotated[str | None, typer.Option(help="active, suspended, admin or deleting.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each account.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List accounts, newest first."""
    from sample_agent.cli.user.listing import list_accounts

    list_accounts(settings_from(data_dir=data_dir), search, status, as_json=as_json)


@user_app.command("promote")
def promote_user(email: Email, data_dir: DataDir = None) -> None:
    """Make somebody an administrator. They need a second factor before they can act as one."""
    from sample_agent.cli.user.changes import promote

    promote(settings_from(data_dir=data_dir), email)


@user_app.command("demote")
def demote_user(email: Email, yes: Yes = False, data_dir: DataDir = None) -> None:
    """Make somebody no longer an administrator."""
    from sample_agent.cli.user.changes import demote

    demote(settings_from(data_dir=data_dir), email, yes=yes)


@user_app.command("suspend")
def suspend_user(email: Email, yes: Yes = False, data_dir: DataDir = None) -> None:
    """Switch an account off: its sessions end, its API keys stop. Nothing of it is deleted."""
    from sample_agent.cli.user.changes import suspend

    suspend(settings_from(data_dir=data_dir), email, yes=yes)


@user_app.command("restore")
def restore_user(email: Email, data_dir: DataDir = None) -> None:
    """Switch a suspended account on again."""
    from sample_agent.cli.user.changes import restore

    restore(settings_from(data_dir=data_dir), email)


@user_app.command("reset-2fa")
def reset_second_factors(email: Email, yes: Yes = False, data_dir: DataDir = None) -> None:
    """Remove somebody's authenticator app, passkeys and recovery codes; they are signed out and told by mail."""
    from sample_agent.cli.user.changes import reset_factors

    reset_factors(settings_from(data_dir=data_dir), email, yes=yes)


@user_app.command("set-plan")
def set_plan(
    email: Email, plan: Annotated[str, typer.Argument(help="free, pro or enterprise.")], data_dir: DataDir = None
) -> None:
    """Give somebody a plan, in effect within a second."""
    from sample_agent.cli.user.changes import change_plan

    change_plan(settings_from(data_dir=data_dir), email, plan)
