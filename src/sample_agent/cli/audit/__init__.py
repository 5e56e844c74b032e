"""`sample-agent audit …`: the audit log, checked and taken out by whoever runs the installation."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from sample_agent.cli.options import DataDir, settings_from

audit_app = typer.Typer(help="The audit log of this installation.", no_args_is_help=True)

Tenant = Annotated[UUID | None, typer.Option(help="The log of this person or team alone, by id.")]


@audit_app.command("verify")
def verify_audit_log(
    tenant: Tenant = None,
    anchors: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="File with the heads of all chains when they were last verified: a chain that is shorter now, or has "
            "another entry there, is damaged. When nothing is, the new heads are written into it.",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Find out whether anything in the audit log was changed; exit with 1 when it was, and say what and where."""
    from sample_agent.cli.audit.verifying import verify_log

    verify_log(settings_from(data_dir=data_dir), tenant, anchors)


@audit_app.command("export")
def export_audit_log(
    format_: Annotated[str, typer.Option("--format", help="csv, or json: a line for each entry.")] = "csv",
    since: Annotated[datetime | None, typer.Option(help="From this moment on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this moment (UTC).")] = None,
    tenant: Tenant = None,
    action: Annotated[
        str | None, typer.Option(help="One action (`session.began`), or all of a kind (`session.`).")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write the audit log to stdout, oldest entries first. That it was taken is itself recorded."""
    from sample_agent.cli.audit.exporting import export_log

    export_log(settings_from(data_dir=data_dir), format_, since=since, until=until, tenant_id=tenant, action=action)
