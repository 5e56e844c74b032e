"""Sessions that end without anybody signing out."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import FilePayload, expect

from tests import sounds
from tests.journeys.producer import Producer

pytestmark = pytest.mark.browser

PLACE = "/samples?kind=loop&sort=name"


async def test_who_comes_back_after_the_session_expired_signs_in_and_is_where_they_were(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of 401 .*/api/auth/refresh")
    await producer.arrive(PLACE)
    await page.context.clear_cookies()

    await page.reload()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await producer.sign_in()

    await expect(page).to_have_url(producer.installation.url + PLACE)


async def test_a_session_ended_elsewhere_leads_to_sign_in_and_back_to_the_sample(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of 401 ")
    await producer.arrive()
    await producer.have(FilePayload(name="pad.wav", mimeType="audio/wav", buffer=sounds.wav(sounds.chord(220, 330))))
    await producer.open_sample("pad")
    place = page.url

    await end_session_elsewhere(producer)
    await page.get_by_role("button", name="Favourite", exact=True).click()
    await expect(page.get_by_text("Your session has ended. Sign in to go on where you were.")).to_be_visible()
    await producer.sign_in()

    await expect(page).to_have_url(place)
    await expect(page.get_by_role("heading", name="pad")).to_be_visible()
    await page.get_by_role("button", name="Favourite", exact=True).click()
    await expect(page.get_by_role("button", name="Favourite", exact=True)).to_have_attribute("aria-pressed", "true")


async def end_session_elsewhere(producer: Producer) -> None:
    """End the session on the server while the page knows nothing of it, and wait until every program has noticed."""
    page, installation = producer.page, producer.installation
    async with page.expect_request(lambda request: "authorization" in request.headers) as asked:
        await page.reload()
    token = {"Authorization": (await asked.value).headers["authorization"]}
    await expect(page.get_by_role("heading", name="pad")).to_be_visible()
    answer = await page.context.request.post(
        f"{installation.url}/api/auth/logout",
        headers={"X-Requested-With": "sample-agent", "Origin": installation.url},
    )
    assert answer.ok, await answer.text()
    facets = f"{installation.library_url}/api/facets"
    async with asyncio.timeout(10):
        while (await page.context.request.get(facets, headers=token)).status != 401:
            pass
