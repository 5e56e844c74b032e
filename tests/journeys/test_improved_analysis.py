"""A newer engine: offered, declined, begun, stopped and gone on with, for a whole library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.async_api import FilePayload, expect
from sqlalchemy import select, update

from sample_agent.accounts.models import User
from sample_agent.core.database import Database
from sample_agent.engine import ENGINE_VERSION
from sample_agent.library.models import Sample
from tests import sounds
from tests.journeys.conduct import barriers
from tests.journeys.producer import Producer
from tests.journeys.programs import Installation

pytestmark = [
    pytest.mark.browser,
    # Where the worker is a program of its own, it can be sent away.
    pytest.mark.parametrize("installation", ["split"], indirect=True),
]

HITS: list[FilePayload] = [
    {"name": f"hit {pitch}.wav", "mimeType": "audio/wav", "buffer": sounds.wav(sounds.tone(pitch, 0.3))}
    for pitch in (110, 165, 220)
]


async def age_library(producer: Producer) -> None:
    """Let all samples look as if an engine of another version had analysed them."""
    database = Database(producer.installation.environment["DATABASE_URL"], pool_size=1)
    async with database.transaction(purpose="identity") as session:
        user_id = await session.scalar(select(User.id).where(User.email == producer.email))
    async with database.transaction(user_id) as session:
        await session.execute(update(Sample).where(Sample.user_id == user_id).values(engine_version="0"))
    await database.engine.dispose()


@contextmanager
def nobody_working(installation: Installation) -> Iterator[None]:
    worker = next(program for program in installation.programs if program.name == "worker")
    installation.programs.remove(worker)
    worker.stop()
    try:
        yield
    finally:
        port = installation.environment["SAMPLE_AGENT_WORKER_PORT"]
        installation.start("worker", "worker", ready=f"http://127.0.0.1:{port}/readyz")


async def test_a_library_is_brought_to_a_newer_engine(producer: Producer) -> None:
    page = producer.page
    await producer.arrive()
    await producer.have(*HITS)
    notice = page.get_by_role("region", name="Improved analysis")
    await expect(notice).to_have_count(0)

    await age_library(producer)
    await page.reload()
    await expect(notice).to_contain_text("An improved analysis is ready for 3 samples")
    assert await barriers(page) == []
    await notice.get_by_role("button", name="Not now").click()
    await expect(notice).to_have_count(0)
    await page.reload()
    await producer.expect_names("hit 110", "hit 165", "hit 220")
    await expect(notice).to_have_count(0)

    with nobody_working(producer.installation):
        # Who changes their mind finds it with their account.
        await page.get_by_role("link", name="Mara").click()
        await expect(page.get_by_text("3 samples by an older one")).to_be_visible()
        await page.get_by_role("button", name="Analyse again").click()
        await expect(page.get_by_text("Analysing again: 0 of 3 samples")).to_be_visible()
        await page.get_by_role("link", name="Samples", exact=True).click()
        await expect(notice.get_by_role("progressbar", name="Analysing again")).to_be_visible()
        assert await barriers(page) == []
        await expect(producer.uploads).to_be_hidden()
        await expect(producer.row("hit 110").get_by_role("button", name="Play hit 110")).to_be_enabled()

        await notice.get_by_role("button", name="Stop").click()
        asked = page.get_by_role("alertdialog")
        await expect(asked).to_contain_text("The other 3 samples keep their earlier analysis until you go on.")
        await asked.get_by_role("button", name="Stop").click()
        await page.reload()
        await page.get_by_role("link", name="Mara").click()
        await page.get_by_role("button", name="Go on").click()
        await expect(page.get_by_text("Analysing again: 0 of 3 samples")).to_be_visible()
        await page.get_by_role("link", name="Samples", exact=True).click()
        await expect(notice).to_contain_text("Analysing again: 0 of 3 samples")

    await expect(page.get_by_text("3 samples analysed again")).to_be_visible(timeout=60_000)
    await expect(notice).to_have_count(0)
    await producer.open_sample("hit 110")
    await expect(page.get_by_role("region", name="File", exact=True)).to_contain_text(
        re.compile(rf"Engine\s*{ENGINE_VERSION}")
    )
