"""Objects that no sample refers to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI

from sample_agent.core.identifiers import new_id
from sample_agent.core.storage import Storage
from sample_agent.library.orphans import sweep_orphans
from tests.people import Person
from tests.sounds import tone, wav


@pytest.mark.usefixtures("worker")
async def test_what_has_no_sample_is_swept_when_it_is_old_and_nothing_else(alice: Person, app: FastAPI) -> None:
    storage: Storage = app.state.storage
    kept, trashed = await alice.uploaded(wav(tone(350))), await alice.uploaded(wav(tone(351)))
    for sample_id in (kept, trashed):
        await alice.analysed(sample_id)
    await alice.http.delete(f"/api/samples/{trashed}")
    before = {stored.key async for stored in storage.list()}
    assert len(before) == 6  # of each the file, its preview and its spectrogram

    yesterday = _made_at(datetime.now(UTC) - timedelta(days=1))
    me = (await alice.http.get("/api/auth/me")).json()["id"]
    old = [
        f"uploads/{me}/{yesterday}.wav",
        *(f"previews/{me}/{yesterday}{beside}" for beside in (".new", ".png", ".peaks")),
    ]
    young, elsewhere = f"uploads/{me}/{new_id()}.wav", f"uploads/{uuid4()}/{yesterday}.wav"
    for key in (*old, young, elsewhere):
        await storage.put(key, b"x", "audio/wav")

    assert await sweep_orphans(app.state.database, storage, older_than=timedelta(hours=12)) == len(old)
    assert {stored.key async for stored in storage.list()} == {*before, young, elsewhere}
    assert await sweep_orphans(app.state.database, storage, older_than=timedelta(0)) == 1
    assert {stored.key async for stored in storage.list()} == {*before, elsewhere}


def _made_at(moment: datetime) -> UUID:
    return UUID(int=int(moment.timestamp() * 1000) << 80 | new_id().int & (1 << 80) - 1)
