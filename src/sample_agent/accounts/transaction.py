"""The caller's transaction: one per request, seeing the caller's rows and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.identity import CurrentUser
from sample_agent.core.database import database_of


async def _own_transaction(request: Request, user: CurrentUser) -> AsyncIterator[AsyncSession]:
    async with database_of(request).transaction(user.user_id) as session:
        yield session


OwnTransaction = Annotated[AsyncSession, Depends(_own_transaction, scope="function")]
"""Committed after the route function returns and before the answer is sent, rolled back when it raises."""
