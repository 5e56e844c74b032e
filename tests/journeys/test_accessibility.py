"""Every page, with something on it, against the rules of WCAG 2.2 AA that a machine can check."""

from __future__ import annotations

import re
import time

import pytest
from playwright.async_api import FilePayload, expect

from tests import sounds
from tests.journeys.conduct import barriers
from tests.journeys.producer import Producer
from tests.journeys.test_second_factors import set_up_the_app

pytestmark = [
    pytest.mark.browser,
    # The pages are the same files in both modes.
    pytest.mark.parametrize("installation", ["everything"], indirect=True),
]

LIBRARY: list[FilePayload] = [
    {"name": name, "mimeType": "audio/wav", "buffer": content}
    for name, content in {
        "break.wav": sounds.wav(sounds.drum_loop(92)),
        "stab.wav": sounds.wav(sounds.chord(220, 277.18, 329.63)),
        "hit.wav": sounds.wav(sounds.tone(110, 0.3)),
    }.items()
]


async def expect_no_barriers(producer: Producer, where: str) -> None:
    found = await barriers(producer.page)
    assert not found, f"{where}:\n" + "\n".join(found)


async def test_the_pages_before_sign_in_have_no_barriers(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect("status of (401|410|422)")
    await page.goto("/login")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("alert").or_(page.locator("[aria-invalid=true]")).first).to_be_visible()
    await expect_no_barriers(producer, "sign in, refused")
    await page.get_by_role("link", name="Create an account").click()
    await page.get_by_role("button", name="Create account").click()
    await expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    await expect_no_barriers(producer, "register, refused")
    await page.goto("/check-mail?email=me@studio-mail.com")
    await expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    await expect_no_barriers(producer, "check mail")
    await page.goto("/verify-email?token=no-such-token")
    await page.get_by_label("Password").fill("a password for nothing")
    await page.get_by_role("button", name="Confirm and sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect_no_barriers(producer, "verify, refused")
    await page.goto("/forgot-password")
    await expect(page.get_by_role("heading", name="Forgot your password?")).to_be_visible()
    await page.get_by_role("button", name="Send the link").click()
    await expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    await expect_no_barriers(producer, "forgot password, refused")
    await page.goto("/reset-password?token=no-such-token")
    await page.get_by_label("New password").fill("a password for nothing")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect_no_barriers(producer, "reset password, refused")
    await page.goto("/invitation?token=no-such-token")
    await expect(page.get_by_role("heading", name="This invitation no longer holds")).to_be_visible()
    await expect_no_barriers(producer, "invitation, refused")
    await page.goto("/outbox")
    await expect(page.get_by_role("heading", name="Outbox")).to_be_visible()
    await expect_no_barriers(producer, "outbox")


async def test_the_empty_pages_have_no_barriers(producer: Producer) -> None:
    page = producer.page
    await producer.arrive()
    await expect(page.get_by_role("heading", name="Drop your samples here")).to_be_visible()
    await expect_no_barriers(producer, "empty library")
    await page.goto("/collections")
    await expect(page.get_by_role("heading", name="No collections yet")).to_be_visible()
    await expect_no_barriers(producer, "no collections")
    await page.goto("/nowhere")
    await expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    await expect_no_barriers(producer, "nothing here")


async def test_the_library_and_what_opens_over_it_have_no_barriers(producer: Producer) -> None:
    page = producer.page
    await producer.arrive()
    await producer.drop(*LIBRARY)
    await producer.until_handled(len(LIBRARY))
    await producer.uploads.get_by_role("button", name="Show the uploads").click()
    await producer.row("break").click()
    await producer.ears.next_sound()
    await expect_no_barriers(producer, "library, playing, uploads open")
    await producer.uploads.get_by_role("button", name="Clear").click()
    for popover in ("BPM", "Key", "Length", "More"):
        await page.get_by_role("search").get_by_role("button", name=popover).click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await expect_no_barriers(producer, f"filter {popover}")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.get_by_role("button", name="More for stab").click()
    await expect(page.get_by_role("menuitem", name="Open")).to_be_visible()
    await expect_no_barriers(producer, "row menu")
    await page.keyboard.press("Escape")
    await producer.grid.focus()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect_no_barriers(producer, "shortcuts")


async def test_samples_and_collections_have_no_barriers(producer: Producer) -> None:
    page = producer.page
    await producer.arrive()
    await producer.have(*LIBRARY)
    await producer.collect("Night Drive", ["break", "stab"])
    await expect_no_barriers(producer, "library, after collecting")
    await producer.collection_link("Night Drive").click()
    await expect(page.get_by_role("heading", name="Night Drive")).to_be_visible()
    await producer.expect_names("break", "stab")
    await expect_no_barriers(producer, "collection")
    await page.get_by_role("button", name="Export for SP-404MK2").click()
    await expect(page.get_by_role("dialog", name="Export for SP-404MK2")).to_be_visible()
    await expect_no_barriers(producer, "export")
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="Collections", exact=True).click()
    await expect(page.get_by_role("heading", name="Collections", level=1)).to_be_visible()
    await expect_no_barriers(producer, "collections")
    await page.get_by_role("link", name="Samples", exact=True).click()
    await producer.open_sample("break")
    await page.get_by_role("region", name="Tempo").get_by_role("button", name=re.compile("[÷×]2")).first.click()
    await expect(page.get_by_text("Corrected by you")).to_be_visible()
    await expect_no_barriers(producer, "sample")


async def test_the_settings_and_what_opens_over_them_have_no_barriers(producer: Producer) -> None:
    page = producer.page
    await producer.arrive()
    for name in ("Profile", "Preferences", "Security", "Activity", "API keys", "Teams", "Your data"):
        await producer.settings(name)
        await expect(page.get_by_role("heading", level=2).first).to_be_visible()
        await expect_no_barriers(producer, name)
    for name, opener in (
        ("Security", "Set up"),
        ("Security", "Add a passkey"),
        ("API keys", "New key"),
        ("Teams", "New team"),
        ("Your data", "Delete account"),
    ):
        await producer.settings(name)
        await page.get_by_role("button", name=opener).click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await expect_no_barriers(producer, f"{name}, {opener}")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_what_administrators_see_has_no_barriers(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of (403|422) ")
    await producer.arrive("/admin/users", admin=True)
    await expect(page.get_by_role("heading", name="Administrators need a second factor")).to_be_visible()
    await expect_no_barriers(producer, "no second factor")
    app, _ = await set_up_the_app(producer)
    await producer.sign_out()
    await producer.give_password()
    await page.get_by_label("Code").fill("000000")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    await expect_no_barriers(producer, "second step, refused")
    await page.get_by_label("Code").fill(app.at(int(time.time()) + 30))
    await page.get_by_role("button", name="Continue").click()
    await producer.expect_to_be_in()
    await page.get_by_role("link", name="Administration").click()
    await page.get_by_role("link", name=producer.email).click()
    await expect(page.get_by_role("heading", name="Help and measures")).to_be_visible()
    await expect_no_barriers(producer, "a user")
    await page.get_by_role("link", name="Users", exact=False).first.click()
    await expect(page.get_by_role("link", name=producer.email)).to_be_visible()
    await expect_no_barriers(producer, "users")
    await page.get_by_role("link", name="Audit log").click()
    await expect(page.get_by_role("cell", name="Account made").first).to_be_visible()
    await expect_no_barriers(producer, "audit log")
