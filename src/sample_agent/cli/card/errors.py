"""What goes wrong with a person's files is told in a sentence, not in a traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors that are about the files or options given into a message and exit code 1."""
    from sample_agent.sp404.errors import FormatError, OutOfRangeError
    from sample_agent.sp404.projects.edit import EditError
    from sample_agent.sp404.projects.merge import MergeError

    try:
        yield
    except (FormatError, OutOfRangeError, EditError, MergeError, OSError) as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        raise typer.Exit(1) from None


def write_or_ask(write: Callable[[bool], None], *, replace: bool) -> None:
    """Call `write` with whether it may replace what is there; a person at a terminal is asked before it may."""
    import sys

    from sample_agent.sp404.projects.output import AlreadyThereError

    try:
        write(replace)
    except AlreadyThereError as error:
        if not error.replaceable:
            raise
        if not sys.stdin.isatty():
            raise AlreadyThereError(f"{error} Add --replace to write over it.") from None
        typer.confirm(f"{error} Replace it?", abort=True, err=True)
        write(True)
