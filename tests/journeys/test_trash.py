"""Deleted samples: back from the trash, or gone for good."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, expect

from tests import sounds
from tests.journeys.conduct import barriers
from tests.journeys.producer import Producer

pytestmark = pytest.mark.browser


async def test_the_trash_gives_back_what_is_wanted_and_forgets_the_rest(producer: Producer) -> None:
    page = producer.page
    await producer.arrive()
    await producer.have(*(tone(name, pitch) for name, pitch in {"kept": 220, "wanted": 330, "unloved": 440}.items()))
    for name in ("wanted", "unloved"):
        await producer.choose_in_menu_of(name, "Move to trash")
        await expect(producer.row(name)).to_have_count(0)

    await page.get_by_role("link", name="Trash").click()
    deleted = page.get_by_role("list", name="Deleted samples").get_by_role("listitem")
    await expect(deleted).to_have_count(2)
    assert await barriers(page) == []
    await deleted.filter(has_text="wanted").get_by_role("button").click()
    await expect(deleted).to_have_count(1)
    await page.get_by_role("button", name="Empty the trash").click()
    await page.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()

    await page.get_by_role("link", name="Samples", exact=True).click()
    await producer.expect_names("kept", "wanted")


def tone(name: str, frequency: float) -> FilePayload:
    return {"name": f"{name}.wav", "mimeType": "audio/wav", "buffer": sounds.wav(sounds.tone(frequency, 1.0))}
