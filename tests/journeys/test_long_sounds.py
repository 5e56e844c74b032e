"""A sound too long to be fetched whole: it streams, and can be entered anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.async_api import expect

from tests import sounds
from tests.journeys.producer import Producer

pytestmark = pytest.mark.browser

SECONDS = 90


async def test_a_long_sound_plays_from_wherever_it_is_clicked(producer: Producer) -> None:
    page = producer.page
    track = np.tile(sounds.chord(220, 277.18, 329.63, seconds=2), SECONDS // 2)
    await producer.arrive()
    content = sounds.wav(track, format_="FLAC")
    await producer.have({"name": "long take.flac", "mimeType": "audio/flac", "buffer": content})

    async with page.expect_response(lambda answer: answer.status == 206) as partial:
        await producer.row("long take").get_by_role("button", name="Play long take").click()
    assert (await (await partial.value).all_headers())["content-range"].startswith("bytes ")
    position = producer.player.get_by_role("slider", name="Position")
    await expect(producer.player.get_by_role("button", name="Pause")).to_be_visible()
    box = await position.bounding_box()
    assert box is not None
    await position.click(position={"x": box["width"] * 0.75, "y": box["height"] / 2})

    assert await producer.ears.advances_beyond(SECONDS * 0.7)
