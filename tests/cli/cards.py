"""The `card` commands, run as a user runs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from sample_agent.cli import app


@dataclass(frozen=True)
class Done:
    """How a command ended. Tables are wide enough not to be folded."""

    code: int
    out: str
    err: str


def card(*arguments: str | Path) -> Done:
    """`sample-agent card …` with nobody at the keyboard."""
    done = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, ["card", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Done(done.exit_code, done.stdout, done.stderr)
