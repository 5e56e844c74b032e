"""`sample-agent audit verify`."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import typer

from sample_agent.accounts.audit.anchors import AnchorDraft, BadAnchors, read_anchors, with_head
from sample_agent.accounts.audit.verification import Broken, Head, verify
from sample_agent.apps.local import local_database
from sample_agent.apps.migrate import require_head
from sample_agent.core.settings import Settings

_MOST_SHOWN = 20


@dataclass
class _Outcome:
    chains: int = 0
    entries: int = 0
    damaged: int = 0
    head: Head | None = None
    """Of the chain that was seen last."""
    shown: list[Broken] = field(default_factory=list)


def verify_log(settings: Settings, tenant_id: UUID | None, anchors: Path | None) -> None:
    """Verify the log and print what was found; exit with 1 when something is damaged."""
    try:
        with contextlib.ExitStack() as stack:
            draft = stack.enter_context(AnchorDraft(anchors)) if anchors else None
            outcome = asyncio.run(_verify(settings, tenant_id, anchors, draft))
            if draft is not None and not outcome.damaged:
                draft.keep()
    except BadAnchors as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        raise typer.Exit(1) from None
    for broken in outcome.shown:
        typer.secho(f"Damaged: {broken}", fg="red", err=True)
    if outcome.damaged:
        typer.secho(f"{outcome.damaged} of {outcome.chains} chains are damaged.", fg="red", err=True)
        raise typer.Exit(1)
    typer.echo(f"{outcome.entries} entries in {outcome.chains} chains are as they were written.")


async def _verify(
    settings: Settings, tenant_id: UUID | None, anchors: Path | None, draft: AnchorDraft | None
) -> _Outcome:
    outcome = _Outcome()
    noted = read_anchors(anchors) if anchors else None
    async with local_database(settings) as database:
        require_head(await database.revision())
        async for result in verify(database, noted, tenant_id=tenant_id):
            outcome.chains += 1
            if isinstance(result, Broken):
                outcome.damaged += 1
                outcome.shown = [*outcome.shown, result][:_MOST_SHOWN]
                continue
            outcome.entries += result.head.position
            outcome.head = result.head
            if draft is not None and tenant_id is None:
                draft.add(result.head)
    if draft is not None and anchors is not None and tenant_id is not None:
        for head in with_head(read_anchors(anchors), outcome.head) if outcome.head else read_anchors(anchors):
            draft.add(head)
    return outcome
