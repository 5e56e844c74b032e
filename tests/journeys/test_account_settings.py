"""Somebody looks after their account: password, address, picture, devices, keys, a copy of everything, the end."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.async_api import FilePayload, Page, expect

from tests import sounds
from tests.journeys.producer import PASSWORD, Producer, new_email
from tests.waiting import until

pytestmark = pytest.mark.browser

NEW_PASSWORD = "quite another pass phrase"


async def test_who_forgot_the_password_chooses_a_new_one_and_every_device_is_signed_out(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of 401 ")
    await producer.arrive()
    visitor = await page.context.browser.new_context(base_url=producer.installation.url)  # type: ignore[union-attr]
    other = await visitor.new_page()
    await other.goto("/login")
    await other.get_by_role("link", name="Forgot your password?").click()
    await expect(other.get_by_role("heading", name="Forgot your password?")).to_be_visible()
    await other.get_by_label("E-mail").fill(producer.email)
    await other.get_by_role("button", name="Send the link").click()
    await expect(other.get_by_role("status")).to_contain_text("a link is on its way")

    await other.goto(producer.installation.link_mailed_to(producer.email, "/reset-password"))
    await other.get_by_label("New password").fill(NEW_PASSWORD)
    await other.get_by_role("button", name="Change password").click()
    await expect(other.get_by_role("heading", name="Password changed")).to_be_visible()
    await visitor.close()

    await page.reload()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await producer.give_password()
    await expect(page.get_by_role("alert")).to_contain_text("Wrong e-mail address or password")
    producer.password = NEW_PASSWORD
    await producer.sign_in()


async def test_a_password_is_changed_and_a_common_one_is_refused_beside_its_field(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of (401|422) ")
    await producer.arrive()
    await producer.settings("Security")
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_label("New password").fill("password123")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("New password").fill(NEW_PASSWORD)
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_text("Password changed.")).to_be_visible()
    producer.password = NEW_PASSWORD
    await producer.sign_out()
    await producer.sign_in()


async def test_name_and_picture_are_shown_everywhere_after_they_are_saved(producer: Producer, tmp_path: Path) -> None:
    page = producer.page
    producer.conduct.expect(r"status of (413|415|422) ")
    await producer.arrive("/settings")
    await page.get_by_label("First name").fill("Ada")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Ada")).to_be_visible()

    fake = tmp_path / "fake.png"
    fake.write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    await page.get_by_label("Picture", exact=True).set_input_files(fake)
    await expect(page.get_by_text("This picture could not be used").first).to_be_visible()
    picture = tmp_path / "me.png"
    Image.new("RGB", (640, 480), "orange").save(picture)
    await page.get_by_label("Picture", exact=True).set_input_files(picture)
    shown = page.get_by_role("navigation", name="Main").locator("img")
    await expect(shown).to_be_visible()
    await expect(shown).to_have_js_property("naturalWidth", 256)
    await page.reload()
    await expect(shown).to_have_js_property("naturalWidth", 256)
    await page.get_by_role("button", name="Remove", exact=True).click()
    await expect(shown).to_have_count(0)


async def test_an_address_is_changed_by_the_new_one_and_taken_back_by_the_old_one(producer: Producer) -> None:
    page, old, new = producer.page, producer.email, new_email()
    producer.conduct.expect(r"status of 401 ")
    await producer.arrive("/settings/profile")
    await page.get_by_role("button", name="Change", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("New address").fill(new)
    await dialog.get_by_label("Your password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Send the link").click()
    await expect(dialog).to_be_hidden()
    await page.goto(producer.installation.link_mailed_to(new, "/confirm-email"))
    await page.get_by_role("button", name="Confirm address").click()
    await expect(page.get_by_role("heading", name="Address changed")).to_be_visible()

    await page.goto(producer.installation.link_mailed_to(old, "/undo-email-change"))
    await page.get_by_role("button", name="Take the change back").click()
    await expect(page.get_by_role("heading", name="Your old address is back")).to_be_visible()
    await page.goto("/login")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await producer.sign_in()


async def test_another_device_is_seen_and_signed_out(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of 401 ")
    await producer.arrive()
    context = await page.context.browser.new_context(base_url=producer.installation.url)  # type: ignore[union-attr]
    other = Producer(await context.new_page(), producer.installation, producer.conduct, producer.email)
    await other.page.goto("/")
    await other.sign_in()

    await producer.settings("Security")
    sessions = page.locator("section").filter(has=page.get_by_role("heading", name="Where you are signed in"))
    await expect(sessions.get_by_role("listitem")).to_have_count(2)
    await sessions.get_by_role("button", name="Sign out", exact=True).click()
    await expect(sessions.get_by_role("listitem")).to_have_count(1)
    await expect(sessions.get_by_text("This device")).to_be_visible()
    await other.page.reload()
    await expect(other.page.get_by_role("heading", name="Sign in")).to_be_visible()
    await producer.settings("Activity")
    await expect(page.get_by_text("A device was signed out")).to_be_visible()
    await context.close()


async def test_preferences_stay_as_they_were_chosen(producer: Producer) -> None:
    page = producer.page
    await producer.arrive("/settings/preferences")
    for name in ("Analyse new samples by themselves", "Tell me when long work is done"):
        switch = page.get_by_role("switch", name=name)
        await expect(switch).to_be_checked()
        async with page.expect_response(re.compile("preferences")) as saved:
            await switch.click()
        assert (await saved.value).ok
        await expect(switch).not_to_be_checked()
    await page.reload()
    for name in ("Analyse new samples by themselves", "Tell me when long work is done"):
        await expect(page.get_by_role("switch", name=name)).not_to_be_checked()


async def test_a_key_for_a_program_works_until_it_is_revoked(producer: Producer) -> None:
    page = producer.page
    await producer.arrive("/settings/api-keys")
    await expect(page.get_by_text("No keys yet.")).to_be_visible()
    await page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What it is for").fill("Backup script")
    await dialog.get_by_role("button", name="Make the key").click()
    first = await shown_key(page)
    assert (await samples_seen_with(producer, first)).status_code == 200
    refused = await samples_seen_with(producer, first, method="DELETE", path="/api/trash")
    assert refused.status_code == 403

    await page.get_by_role("button", name="Renew").click()
    await page.get_by_role("dialog").get_by_role("button", name="Renew").click()
    second = await shown_key(page)
    assert second != first
    for key in (first, second):
        assert (await samples_seen_with(producer, key)).status_code == 200
    await expect(page.get_by_text("Replaced")).to_be_visible()
    for left in (1, 0):
        await page.get_by_role("button", name="Revoke").first.click()
        await page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
        await expect(page.get_by_role("button", name="Revoke")).to_have_count(left)
    await expect(page.get_by_text("No keys yet.")).to_be_visible()
    for key in (first, second):
        until(lambda key=key: is_refused(producer, key))  # every program hears of it within a second


def is_refused(producer: Producer, key: str) -> bool:
    answer = httpx.get(f"{producer.installation.library_url}/api/samples", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code == 401


async def shown_key(page: Page) -> str:
    dialog = page.get_by_role("dialog", name=re.compile("^Your key"))
    key = await dialog.locator("code").first.inner_text()
    await dialog.get_by_role("button", name="I have kept it").click()
    await expect(dialog).to_be_hidden()
    return key


async def samples_seen_with(
    producer: Producer, key: str, method: str = "GET", path: str = "/api/samples"
) -> httpx.Response:
    async with httpx.AsyncClient(base_url=producer.installation.library_url) as http:
        return await http.request(method, path, headers={"Authorization": f"Bearer {key}"})


async def test_a_copy_of_all_data_holds_the_sounds_as_they_were_sent(producer: Producer, tmp_path: Path) -> None:
    page = producer.page
    sound = sounds.wav(sounds.chord(220, 330))
    producer.conduct.expect(r"status of 403 ")
    await producer.arrive()
    await producer.have(FilePayload(name="pad.wav", mimeType="audio/wav", buffer=sound))
    await producer.installation.forget_proofs(producer.email)
    await producer.settings("Your data")
    await page.get_by_role("button", name="Make a copy").click()
    await confirm_with_password(page)
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download").click()
    copy = tmp_path / "copy.zip"
    await (await download.value).save_as(copy)
    with zipfile.ZipFile(io.BytesIO(copy.read_bytes())) as archive:
        assert archive.testzip() is None
        audio = [name for name in archive.namelist() if name.endswith("pad.wav")]
        assert [archive.read(name) for name in audio] == [sound]
        assert any(producer.email.encode() in archive.read(name) for name in archive.namelist() if ".json" in name)


async def confirm_with_password(page: Page) -> None:
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    await dialog.get_by_label("Password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Confirm", exact=True).click()
    await expect(dialog).to_be_hidden()


async def test_nothing_dangerous_happens_when_the_proof_is_not_given(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of (403|422) ")
    await producer.arrive("/settings/data")
    await producer.installation.forget_proofs(producer.email)
    await page.get_by_role("button", name="Make a copy").click()
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    await dialog.get_by_label("Password").fill("not my password")
    await dialog.get_by_role("button", name="Confirm", exact=True).click()
    await expect(dialog.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("button", name="Download")).to_have_count(0)
    await expect(page.get_by_role("progressbar", name="Copying")).to_have_count(0)


async def test_an_account_that_is_to_be_deleted_says_so_and_can_be_kept(producer: Producer) -> None:
    page = producer.page
    await producer.arrive("/settings/data")
    await page.get_by_role("button", name="Delete account").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Your password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Delete my account").click()
    banner = page.get_by_text("Your account will be deleted on")
    await expect(banner).to_be_visible()
    await page.goto("/samples")
    await expect(banner).to_be_visible()
    await page.get_by_role("button", name="Keep my account").click()
    await expect(banner).to_be_hidden()
    await page.reload()
    await producer.expect_to_be_in()
    await expect(banner).to_be_hidden()
