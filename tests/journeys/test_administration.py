"""Whoever runs the installation helps somebody."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import FilePayload, expect

from tests import sounds
from tests.journeys.producer import Producer
from tests.journeys.test_second_factors import set_up_the_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("installation", ["everything"], indirect=True),
]


async def test_an_administrator_looks_through_somebodys_eyes_and_can_change_nothing(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of (401|403) ")
    await producer.arrive()
    await producer.have(FilePayload(name="pad.wav", mimeType="audio/wav", buffer=sounds.wav(sounds.chord(220, 330))))
    context = await page.context.browser.new_context(base_url=producer.installation.url)  # type: ignore[union-attr]
    admin = Producer(await context.new_page(), producer.installation, producer.conduct)
    desk = admin.page
    await admin.arrive("/admin/users", admin=True)
    await expect(desk.get_by_role("heading", name="Administrators need a second factor")).to_be_visible()
    app, _ = await set_up_the_app(admin)
    await admin.sign_out()
    await desk.goto("/admin/users")
    await admin.give_password()
    await desk.get_by_label("Code").fill(app.at(int(time.time()) + 30))
    await desk.get_by_role("button", name="Continue").click()

    await desk.get_by_role("searchbox", name="Search users").fill(producer.email)
    await desk.get_by_role("link", name=producer.email).click()
    await desk.get_by_role("button", name="Look through their eyes").click()
    await desk.get_by_label("Reason").fill("They asked for help")
    await desk.get_by_role("dialog").get_by_role("button", name="Look", exact=True).click()
    await expect(desk.get_by_text(f"You see what {producer.email} sees")).to_be_visible()
    await admin.open_sample("pad")
    await desk.get_by_role("button", name="Favourite", exact=True).click()
    await expect(desk.get_by_text("You are only looking").first).to_be_visible()
    await desk.get_by_role("button", name="Stop looking").click()
    await expect(desk.get_by_role("heading", name="Administration")).to_be_visible()

    await producer.settings("Activity")
    await expect(page.get_by_text("Support began to look at your account")).to_be_visible()

    await desk.get_by_role("searchbox", name="Search users").fill(producer.email)
    await desk.get_by_role("link", name=producer.email).click()
    await desk.get_by_role("button", name="Switch off").click()
    await desk.get_by_role("alertdialog").get_by_role("button", name="Switch off").click()
    await expect(desk.get_by_text("Switched off")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await producer.give_password()
    await expect(page.get_by_role("alert")).to_contain_text("This account is switched off")
    await desk.get_by_role("link", name="What happened to this account").click()
    await expect(desk.get_by_role("cell", name="Account switched off")).to_be_visible()
    await context.close()
