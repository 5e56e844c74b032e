"""Two people make a team."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.journeys.producer import Producer, new_email

pytestmark = pytest.mark.browser


async def test_somebody_is_invited_by_mail_joins_and_is_removed(producer: Producer) -> None:
    page = producer.page
    guest_email = new_email()
    await producer.arrive("/settings/teams")
    await expect(page.get_by_text("You are in no team yet.")).to_be_visible()
    await page.get_by_role("button", name="New team").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("Night Shift")
    await page.get_by_role("dialog").get_by_role("button", name="Make the team").click()
    await page.get_by_label("E-mail").fill(guest_email)
    await page.get_by_role("button", name="Invite", exact=True).click()
    await expect(page.get_by_role("listitem").filter(has_text=guest_email)).to_be_visible()

    context = await page.context.browser.new_context(base_url=producer.installation.url)  # type: ignore[union-attr]
    guest = Producer(await context.new_page(), producer.installation, producer.conduct, guest_email)
    guest.installation.make_account(guest.email, guest.password, first_name="Mara")
    await guest.page.goto(producer.installation.link_mailed_to(guest_email, "/invitation"))
    await expect(guest.page.get_by_role("heading", name="Join Night Shift")).to_be_visible()
    await guest.page.get_by_role("link", name="Sign in to join").click()
    await guest.give_password()
    await guest.page.get_by_role("button", name="Join as").click()
    await expect(guest.page.get_by_role("link", name="Night Shift")).to_be_visible()

    await page.reload()
    member = page.get_by_role("listitem").filter(has_text=guest_email)
    await member.get_by_role("combobox").click()
    await page.get_by_role("option", name="Admin").click()
    await expect(member.get_by_role("combobox")).to_have_text("Admin")
    await guest.page.reload()
    await guest.page.get_by_role("link", name="Night Shift").click()
    await expect(guest.page.get_by_text("You are admin here.")).to_be_visible()

    await member.get_by_role("button", name="Remove").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    await expect(member).to_have_count(0)
    await guest.page.reload()
    await expect(guest.page.get_by_role("heading", name="You are not in this team")).to_be_visible()
    await context.close()
