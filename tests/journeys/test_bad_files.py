"""Files that are not what they seem, among good ones: each says what is wrong with it, and the others go through."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.async_api import FilePayload, expect

from tests import sounds
from tests.journeys.producer import Producer

pytestmark = pytest.mark.browser

FLAC = sounds.wav(sounds.drum_loop(96), format_="FLAC")

GOOD = {
    "break.wav": sounds.wav(sounds.drum_loop(92)),
    "stab.flac": sounds.wav(sounds.chord(220, 330), format_="FLAC"),
    "silence.wav": sounds.wav(np.zeros(sounds.RATE)),
    # An honest sound under a wrong name: the content counts.
    "really a flac.wav": sounds.wav(sounds.tone(330), format_="FLAC"),
}
BAD = {
    "broken.flac": FLAC[:200] + bytes(1000),
    "a text file.wav": b"Dear diary, this was never a sound.\n" * 40,
    "nothing.wav": b"",
}
REASONS = {
    "broken.flac": re.compile("corrupt|damaged|cannot be read|cannot be decoded|broken", re.IGNORECASE),
    "a text file.wav": re.compile("is not audio we can read"),
    "nothing.wav": re.compile("has no content|is empty"),
}


async def test_a_bad_file_says_what_is_wrong_with_it_and_holds_nobody_up(producer: Producer) -> None:
    page = producer.page
    producer.conduct.expect(r"status of (415|422) .*/api/samples")

    await producer.arrive()
    await producer.add_files(*payloads(GOOD | BAD))
    await producer.until_handled(len(GOOD) + len(BAD))

    await expect(producer.uploads).to_contain_text(f"{len(GOOD)} ready · {len(BAD)} failed")
    for name, reason in REASONS.items():
        item = producer.uploads.get_by_role("listitem").filter(has_text=name)
        await expect(item).to_contain_text(reason)
        await expect(item).not_to_contain_text(re.compile(r"Traceback|Error:|Exception|\b5\d\d\b"))
    # What was not audio at all was refused at the door; what only proved unreadable stays, with its reason.
    await producer.expect_names("break", "stab", "silence", "really a flac", "broken")
    await expect(producer.row("broken")).to_contain_text(REASONS["broken.flac"])
    for name in ("break", "stab", "silence", "really a flac"):
        await expect(producer.row(name).locator("svg path").first).to_be_attached()

    await producer.open_sample("broken")
    failure = page.get_by_role("region", name="Analysis failed")
    await expect(failure).to_contain_text(REASONS["broken.flac"])
    await failure.get_by_role("button", name="Try again").click()
    await expect(failure).to_contain_text(REASONS["broken.flac"])


async def test_a_silent_sample_says_that_it_is_silent(producer: Producer) -> None:
    await producer.arrive()
    await producer.have(*payloads({"silence.wav": GOOD["silence.wav"]}))
    await producer.open_sample("silence")
    await expect(producer.page.get_by_role("region", name="Loudness")).to_contain_text("Silent")
    await expect(producer.page.get_by_role("region", name="Tempo")).to_contain_text("No steady pulse found")


def payloads(files: dict[str, bytes]) -> list[FilePayload]:
    return [{"name": name, "mimeType": "audio/wav", "buffer": content} for name, content in files.items()]
