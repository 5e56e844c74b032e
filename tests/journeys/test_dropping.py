"""Files that are let go of over the page, from the desktop and from a page's own transfer."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import FilePayload, expect

from tests import sounds
from tests.journeys.producer import Producer

pytestmark = pytest.mark.browser


async def test_a_folder_dropped_from_the_desktop_keeps_its_folders_and_leaves_out_what_is_no_audio(
    producer: Producer, tmp_path: Path
) -> None:
    crate = tmp_path / "Dusty Crate"
    (crate / "drums" / "kicks").mkdir(parents=True)
    (crate / "drums" / "kicks" / "deep.wav").write_bytes(sounds.wav(sounds.tone(55)))
    (crate / "stab.flac").write_bytes(sounds.wav(sounds.chord(220, 330), format_="FLAC"))
    (crate / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (crate / ".DS_Store").write_bytes(b"\0")

    await producer.arrive()
    await producer.drop_from_desktop(crate)
    await producer.until_handled(2)

    await expect(producer.uploads).to_contain_text("2 ready · 1 not audio, skipped")
    await producer.expect_names("deep", "stab")
    await expect(producer.row("deep")).to_contain_text("Dusty Crate/drums/kicks")


async def test_dropped_files_appear_while_another_page_of_the_app_is_open_later(producer: Producer) -> None:
    await producer.arrive()
    await producer.drop(sound("first.wav", 220), sound("second.wav", 330))
    await producer.page.get_by_role("link", name="Collections", exact=True).click()
    await expect(producer.page.get_by_role("heading", name="No collections yet")).to_be_visible()
    await producer.until_handled(2)
    await producer.page.get_by_role("link", name="Samples", exact=True).click()
    await producer.expect_names("first", "second")


async def test_the_same_sound_dropped_again_is_recognised(producer: Producer) -> None:
    await producer.arrive()
    await producer.have(sound("pad.wav", 220))
    await producer.drop(FilePayload(**{**sound("pad.wav", 220), "name": "the same pad.wav"}))
    await producer.until_handled(1)
    await expect(producer.uploads).to_contain_text("1 already there")
    await producer.expect_names("pad")


def sound(name: str, frequency: float) -> FilePayload:
    return {"name": name, "mimeType": "audio/wav", "buffer": sounds.wav(sounds.tone(frequency, 1.0))}
