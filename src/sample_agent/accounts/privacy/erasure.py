"""Erasing people whose time has come, everywhere: storage, queue, tables, what the audit log tells of them.

Each step may be done again after it was cut short, and the person's own row goes last; so whatever kills an erasure,
the next one brings it to the same end. What remains is that it happened: an entry in the person's chain, and a line in
the list of erasures, from which it is done again should a backup bring them back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import audit
from sample_agent.accounts.audit import SYSTEM, Action
from sample_agent.accounts.audit.erasing import ELSEWHERE, erase_contexts
from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.mail_log import MailRecord
from sample_agent.accounts.mailing import MAILS
from sample_agent.accounts.models import Registration, User
from sample_agent.accounts.organizations.departure import leave_all
from sample_agent.accounts.privacy.deletion import GRACE
from sample_agent.accounts.privacy.mails import ACCOUNT_ERASED
from sample_agent.accounts.privacy.models import Erasure
from sample_agent.accounts.privacy.portions import Portion
from sample_agent.accounts.sessions.ending import end_sessions
from sample_agent.accounts.users.models import OneTimeToken
from sample_agent.core.database import Database
from sample_agent.core.mail import Mail, Mailer, MailNotSent, MailRefused, render
from sample_agent.core.queue import forget
from sample_agent.core.storage import Storage

RECORDS = "erasures"
"""The folder in storage where each erasure is noted, too: a database that is restored knows only those before it."""

MAIL_PATIENCE = timedelta(days=3)
"""How long a mail server that is away holds an erasure up."""
SWEPT_FOR = timedelta(days=2)
"""How long what comes late is looked for: an upload or an analysis that was under way."""

log = structlog.get_logger("privacy")


@dataclass(frozen=True)
class ErasureTools:
    """What erasing takes. Without a `mailer` nobody is told."""

    database: Database
    storage: Storage
    portions: Sequence[Portion]
    mailer: Mailer | None
    now: Callable[[], datetime] = utc_now

    @property
    def folders(self) -> list[str]:
        return [folder for portion in self.portions for folder in portion.folders]


@dataclass
class _Task:
    """One person's erasure. `erased` counts what is gone, of each kind."""

    user_id: UUID
    erased: Counter[str] = field(default_factory=Counter)


async def erase_due(tools: ErasureTools) -> int:
    """Erase everybody whose time has come; how many. One that fails is tried again the next time."""
    async with tools.database.transaction(purpose="identity") as db:
        due = list(await db.scalars(select(User.id).where(User.delete_after <= tools.now()).order_by(User.id)))
    erased = 0
    for user_id in due:
        try:
            erased += await erase(tools, user_id)
        except Exception as error:
            # Not the error itself: it may tell of keys and addresses.
            log.warning("an erasure was not finished and will be tried again", error=type(error).__name__)
    return erased


async def erase(tools: ErasureTools, user_id: UUID) -> bool:
    """Erase a person whose time has come; False when it has not, or they are gone already."""
    task = _Task(user_id)
    if not await stop(tools, task):
        return False
    await erase_objects(tools, task)
    await say_farewell(tools, task)
    await erase_portions(tools, task)
    if not await erase_person(tools, task):
        return False
    await sweep_late_objects(tools, user_id)
    log.info("somebody was erased", **task.erased)
    return True


async def stop(tools: ErasureTools, task: _Task) -> bool:
    """Let nothing begin for the person any more, and stop what runs; False when they are not to be erased."""
    async with tools.database.transaction(task.user_id, purpose="identity") as db:
        user = await _due(db, tools, task.user_id)
        if user is None:
            return False
        user.is_active = False
        await end_sessions(db, user.id, now=tools.now(), reason="account erased")
        await forget(db, str(user.id))
    return True


async def erase_objects(tools: ErasureTools, task: _Task) -> None:
    """Delete all that lies in storage for the person."""
    for folder in tools.folders:
        task.erased["objects"] += await tools.storage.delete_folder(f"{folder}/{task.user_id}")


async def say_farewell(tools: ErasureTools, task: _Task) -> None:
    """Mail that the account is gone, once, while the address is still known.

    Raises MailNotSent while the mail server is away, for some days.
    """
    now = tools.now()
    async with tools.database.transaction(task.user_id, purpose="identity") as db:
        user = await _due(db, tools, task.user_id)
        told = select(MailRecord.id).where(MailRecord.user_id == task.user_id, MailRecord.mail == ACCOUNT_ERASED)
        if tools.mailer is None or user is None or user.delete_after is None or await db.scalar(told) is not None:
            return
    asked = f"{user.delete_after - GRACE:%d %B %Y}"
    try:
        await tools.mailer.send(Mail(user.email, *render(MAILS, ACCOUNT_ERASED, asked=asked)))
    except MailRefused:
        pass
    except MailNotSent:
        if now - user.delete_after < MAIL_PATIENCE:
            raise
    # The log goes with the person; until then it keeps a second try from mailing twice.
    async with tools.database.transaction(task.user_id, purpose="identity") as db:
        db.add(MailRecord(user_id=user.id, email=user.email, mail=ACCOUNT_ERASED, status="sent", sent_at=now))


async def erase_portions(tools: ErasureTools, task: _Task) -> None:
    """Delete what is too much to go with the person's row."""
    for portion in tools.portions:
        task.erased.update(await portion.erase(tools.database, task.user_id))


async def erase_person(tools: ErasureTools, task: _Task) -> bool:
    """Delete the person and all that tells of them, and note that it happened; both or neither."""
    now = tools.now()
    async with tools.database.transaction(task.user_id, purpose="identity") as db:
        user = await _due(db, tools, task.user_id)
        if user is None or user.delete_after is None:
            return False
        address, requested_at = user.email, user.delete_after - GRACE
        await forget(db, str(task.user_id))
        await forget(db, address)
        await leave_all(db, task.user_id, now=now)
        elsewhere = await erase_contexts(db, task.user_id, address)
        for model in (Registration, OneTimeToken, MailRecord):
            await db.execute(delete(model).where(model.email == address))
        note = insert(Erasure).values(
            user_id=task.user_id, requested_at=requested_at, erased_at=now, objects=task.erased["objects"]
        )
        await db.execute(note.on_conflict_do_nothing(index_elements=[Erasure.user_id]))
        await db.flush()
        db.expunge(user)
        await db.execute(delete(User).where(User.id == task.user_id).execution_options(synchronize_session=False))
        # Last, so that the entry's own context is not among those that were deleted.
        detail = {**task.erased, ELSEWHERE: elsewhere}
        await audit.record(db, Action.ERASED, tenant_id=task.user_id, actor=SYSTEM, detail=detail, now=now)
    return True


async def sweep_late_objects(tools: ErasureTools, user_id: UUID) -> int:
    """Delete what was stored for an erased person meanwhile, and note the erasure in storage; how many objects."""
    late = sum([await tools.storage.delete_folder(f"{folder}/{user_id}") for folder in tools.folders])
    async with tools.database.transaction(purpose="identity") as db:
        erasure = await db.get(Erasure, user_id)
    if erasure is not None and await tools.storage.head(_record_key(user_id)) is None:
        note = {"requested_at": erasure.requested_at, "erased_at": erasure.erased_at}
        await tools.storage.put(_record_key(user_id), orjson.dumps(note), "application/json")
    return late


async def sweep_lately_erased(tools: ErasureTools) -> int:
    """Do that for everybody who was erased in the last days; how many objects there were."""
    async with tools.database.transaction(purpose="identity") as db:
        lately = list(await db.scalars(select(Erasure.user_id).where(Erasure.erased_at > tools.now() - SWEPT_FOR)))
    return sum([await sweep_late_objects(tools, user_id) for user_id in lately])


async def reapply(tools: ErasureTools) -> int:
    """Erase again whoever a restored backup has brought back, by both lists of erasures; how many people.

    Nobody is mailed: they were told when it happened first.
    """
    async with tools.database.transaction(purpose="identity") as db:
        noted = {row.user_id: row.requested_at for row in await db.scalars(select(Erasure))}
    async for stored in tools.storage.list(RECORDS):
        user_id = UUID(stored.key.removeprefix(f"{RECORDS}/").removesuffix(".json"))
        if user_id not in noted:
            noted[user_id] = await _requested_at(tools.storage, stored.key)
    again = 0
    for user_id, requested_at in noted.items():
        async with tools.database.transaction(user_id, purpose="identity") as db:
            await db.execute(update(User).where(User.id == user_id).values(delete_after=requested_at + GRACE))
        if not await erase(tools, user_id):
            await _note_again(tools, user_id, requested_at)
            await sweep_late_objects(tools, user_id)
        else:
            again += 1
    return again


async def _due(db: AsyncSession, tools: ErasureTools, user_id: UUID) -> User | None:
    """The person, held, if they are to be erased now."""
    user = await db.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    return user if user is not None and user.delete_after is not None and user.delete_after <= tools.now() else None


async def _note_again(tools: ErasureTools, user_id: UUID, requested_at: datetime) -> None:
    note = insert(Erasure).values(user_id=user_id, requested_at=requested_at, erased_at=tools.now(), objects=0)
    async with tools.database.transaction(purpose="identity") as db:
        await db.execute(note.on_conflict_do_nothing(index_elements=[Erasure.user_id]))


async def _requested_at(storage: Storage, key: str) -> datetime:
    note: dict[str, Any] = orjson.loads(await storage.read(key))
    return datetime.fromisoformat(note["requested_at"])


def _record_key(user_id: UUID) -> str:
    return f"{RECORDS}/{user_id}.json"
