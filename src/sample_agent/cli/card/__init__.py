"""`sample-agent card …`: projects and files of the SP-404MK2 and SP-404SX. One file a command."""

from __future__ import annotations

import typer

card_app = typer.Typer(help="Projects and cards of the SP-404MK2, and of the SP-404SX.", no_args_is_help=True)
