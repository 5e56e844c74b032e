"""`sample-agent card …`: projects and files of the SP-404MK2 and SP-404SX. One file a command."""

from __future__ import annotations

import typer

from sample_agent.cli.card.build import build
from sample_agent.cli.card.copy import copy
from sample_agent.cli.card.inspect import inspect
from sample_agent.cli.card.merge import merge
from sample_agent.cli.card.verify import verify

card_app = typer.Typer(help="Projects and cards of the SP-404MK2, and of the SP-404SX.", no_args_is_help=True)

card_app.command("inspect")(inspect)
card_app.command("verify")(verify)
card_app.command("merge")(merge)
card_app.command("copy")(copy)
card_app.command("build")(build)
