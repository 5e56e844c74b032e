"""Options that several commands take, and the settings they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sample_agent.core.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder for database, audio files and keys.", show_default="your data folder"),
]


def settings_from(**given: Any) -> Settings:
    """The settings of this installation, with those that were given on the command line in place of their own."""
    from sample_agent.core.settings import Settings

    return Settings(**{name: value for name, value in given.items() if value is not None})
