"""Listening through a library does not use up what one may ask of it."""

from __future__ import annotations

import httpx
import pytest
from asgi_lifespan import LifespanManager

from sample_agent.accounts.caller import MEDIA_TIMES
from sample_agent.apps.everything import create_everything
from sample_agent.core.settings import Settings
from tests.people import Person
from tests.sounds import tone, wav

SOUNDS = ("preview", "download", "waveform", "spectrogram")


@pytest.mark.usefixtures("worker")
async def test_sounds_and_pictures_count_apart_from_questions_and_have_ten_times_the_room(
    alice: Person, settings: Settings
) -> None:
    sample = await alice.uploaded(wav(tone(300)))
    await alice.analysed(sample)
    amount = 2
    app = create_everything(settings.model_copy(update={"requests_per_minute": amount}))
    async with (
        LifespanManager(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost:8000", headers=alice.http.headers
        ) as http,
    ):
        for number in range(amount * MEDIA_TIMES):
            heard = await http.get(f"/api/samples/{sample}/{SOUNDS[number % len(SOUNDS)]}")
            assert heard.status_code == 200, heard.text
            assert heard.headers["RateLimit"].startswith(f'"media";r={amount * MEDIA_TIMES - 1 - number};')
        assert (await http.get(f"/api/samples/{sample}/preview")).status_code == 429
        asked = [(await http.get(f"/api/samples/{sample}")).status_code for _ in range(amount + 1)]
        assert asked == [200] * amount + [429]
