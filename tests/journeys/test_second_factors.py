"""Signing in with more than a password, or with none."""

from __future__ import annotations

import re
import time

import pyotp
import pytest
from playwright.async_api import Page, expect

from tests.journeys.producer import Producer

pytestmark = [
    pytest.mark.browser,
    # Signing in is the accounts API's alone, which is the same in both modes.
    pytest.mark.parametrize("installation", ["everything"], indirect=True),
]


async def set_up_the_app(producer: Producer) -> tuple[pyotp.TOTP, list[str]]:
    """Set up an authenticator app, and keep what it and the page say."""
    page = producer.page
    await producer.settings("Security")
    await page.get_by_role("button", name="Set up").click()
    dialog = page.get_by_role("dialog", name="Set up the authenticator app")
    await expect(dialog.get_by_alt_text("QR code for the authenticator app")).to_have_js_property("complete", True)
    seed = re.sub(r"\s", "", await dialog.locator("code").inner_text())
    app = pyotp.TOTP(seed)
    await dialog.get_by_label("Code").fill(app.now())
    await dialog.get_by_role("button", name="Turn it on").click()
    codes = page.get_by_role("dialog", name="Keep your recovery codes")
    await expect(codes.get_by_role("listitem")).to_have_count(10)
    recovery = await codes.get_by_role("listitem").all_inner_texts()
    await codes.get_by_role("button", name="I have kept them").click()
    await expect(page.get_by_text("In use since")).to_be_visible()
    return app, recovery


async def test_the_app_on_the_phone_is_asked_for_after_the_password(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of (401|403|422) ")
    await producer.arrive()
    app, recovery = await set_up_the_app(producer)
    assert len(set(recovery)) == 10
    await producer.sign_out()

    await producer.give_password()
    await page.get_by_label("Code").fill("000000")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_label("Code")).to_have_accessible_description(re.compile("code is wrong"))
    # The code of this half minute was used for setting up; that of the next one is taken, too.
    await page.get_by_label("Code").fill(app.at(int(time.time()) + 30))
    await page.get_by_role("button", name="Continue").click()
    await producer.expect_to_be_in()
    await producer.sign_out()

    await producer.give_password()
    await page.get_by_role("button", name="Lost them? Use a recovery code").click()
    await page.get_by_label("Recovery code").fill(recovery[0])
    await page.get_by_role("button", name="Continue").click()
    await producer.expect_to_be_in()
    await producer.settings("Security")
    await expect(page.get_by_text("9 left.")).to_be_visible()


async def plug_in_an_authenticator(page: Page) -> None:
    """A device that holds passkeys and always finds its owner's finger on it."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    await session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


async def test_a_passkey_signs_in_without_a_password(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of (401|403|422) ")
    await producer.arrive()
    await plug_in_an_authenticator(page)
    await producer.settings("Security")
    await page.get_by_role("button", name="Add a passkey").click()
    dialog = page.get_by_role("dialog", name="Add a passkey")
    await dialog.get_by_label("What to call it").fill("Studio laptop")
    await dialog.get_by_role("button", name="Continue").click()
    codes = page.get_by_role("dialog", name="Keep your recovery codes")
    await codes.get_by_role("button", name="I have kept them").click()
    await expect(page.get_by_text("Studio laptop")).to_be_visible()
    await producer.sign_out()

    await page.get_by_role("button", name="Sign in with a passkey").click()
    await producer.expect_to_be_in()
    await producer.sign_out()

    await producer.give_password()
    await page.get_by_role("button", name="Use a passkey").click()
    await producer.expect_to_be_in()

    await producer.installation.forget_proofs(producer.email)
    await producer.settings("Security")
    await page.get_by_role("listitem").filter(has_text="Studio laptop").get_by_role("button", name="Remove").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    proof = page.get_by_role("dialog", name="Confirm that it is you")
    await proof.get_by_role("button", name="Use a passkey").click()
    await expect(proof).to_be_hidden()
    await expect(page.get_by_text("Studio laptop")).to_be_hidden()
