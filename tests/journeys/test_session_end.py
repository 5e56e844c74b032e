"""Sessions that end without anybody signing out."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import FilePayload, expect

from tests import sounds
from tests.journeys.producer import FIRST_NAME, Producer

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


async def test_two_tabs_that_renew_the_session_again_and_again_at_once_stay_signed_in(producer: Producer) -> None:
    tabs = [producer.page, await producer.page.context.new_page()]
    await producer.arrive()
    await tabs[1].goto("/samples")
    for _ in range(25):
        # What a page knows of its session is gone with it: each of the two asks for the next refresh token.
        await asyncio.gather(*(tab.reload() for tab in tabs))
    for tab in tabs:
        await expect(tab.get_by_role("heading", name="Drop your samples here")).to_be_visible()
    assert (
        len({cookie["value"] for cookie in await producer.page.context.cookies() if "refresh" in cookie["name"]}) == 1
    )


async def test_who_signs_out_while_the_server_is_away_is_told_that_they_have_not(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of 503 ")
    await producer.arrive()
    await page.route("**/api/auth/logout", lambda route: route.fulfill(status=503, body="{}"))
    await page.get_by_role("navigation", name="Main").get_by_role("link", name=FIRST_NAME).click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_text("You are still signed in").first).to_be_visible()
    await page.unroute("**/api/auth/logout")
    await producer.sign_out()


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
