"""The page of a sample: what was measured, drawn and guessed, and putting right what was guessed wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.async_api import FilePayload, Locator, expect

from tests import sounds
from tests.journeys.conduct import barriers
from tests.journeys.producer import Producer

pytestmark = pytest.mark.browser

SIZES = {"desk": (1440, 900), "tablet": (768, 1000), "phone": (390, 844)}


def loop(name: str) -> FilePayload:
    stereo = np.stack([sounds.drum_loop(92, beats=16)] * 2, axis=1)
    return {"name": name, "mimeType": "audio/wav", "buffer": sounds.wav(stereo)}


def pluck(name: str) -> FilePayload:
    fading = sounds.tone(110, 0.8) * np.exp(-np.arange(round(0.8 * sounds.RATE)) / 8000)
    return {"name": name, "mimeType": "audio/wav", "buffer": sounds.wav(fading)}


def card(producer: Producer, name: str) -> Locator:
    return producer.page.get_by_role("region", name=name, exact=True)


async def test_a_loop_is_seen_whole_and_closely(producer: Producer) -> None:
    page = producer.page
    await producer.arrive()
    await producer.have(loop("dusty break.wav"))
    await producer.open_sample("dusty break")
    waveform = card(producer, "Waveform")
    await expect(waveform.get_by_role("img", name=re.compile(r"^Waveform, 10\.4 seconds, .*slices"))).to_be_visible()
    spectrogram = waveform.get_by_role("img", name=re.compile("^Spectrogram of 10.4 seconds"))
    await expect(spectrogram).to_be_visible()
    assert await is_drawn(spectrogram)

    for _ in range(6):
        await waveform.get_by_role("button", name="Zoom in").click()
    part = waveform.get_by_role("slider", name="Part in view")
    # As close as only the finer outline allows: 10.4 s by 2 to the 6th.
    await expect(part).to_have_attribute("aria-valuetext", "5.14 to 5.30 seconds")
    await part.focus()
    await page.keyboard.press("Home")
    await expect(part).to_have_attribute("aria-valuetext", "0.00 to 0.16 seconds")
    await waveform.get_by_role("button", name="Show all").click()
    await waveform.hover(position={"x": 5, "y": 60})
    await page.keyboard.down("Control")
    await page.mouse.wheel(0, -400)
    await page.keyboard.up("Control")
    await expect(part).to_have_attribute("aria-valuetext", re.compile("^0.0[0-9] to 8.3[0-9] seconds"))

    # Both can be put away, and stay away.
    await waveform.get_by_role("button", name="Hide the spectrogram").press("Enter")
    await waveform.get_by_role("button", name=re.compile("Hide the .* slices")).click()
    await page.reload()
    await expect(waveform.get_by_role("button", name=re.compile("Show the .* slices"))).to_be_visible()
    await expect(spectrogram).to_have_count(0)
    await waveform.get_by_role("button", name="Show the spectrogram").click()
    await expect(spectrogram).to_be_visible()


async def is_drawn(canvas: Locator) -> bool:
    """Whether there is more than one colour on it."""
    return bool(
        await canvas.evaluate(
            """(canvas) => {
              const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
              const colours = new Set()
              for (let i = 0; i < data.length; i += 4 * 97) colours.add(`${data[i]},${data[i + 1]},${data[i + 2]}`)
              return colours.size > 8
            }"""
        )
    )


async def test_what_was_guessed_wrong_is_put_right_with_one_press(producer: Producer) -> None:
    await producer.arrive()
    await producer.have(loop("break 46bpm F#m.wav"))
    await producer.open_sample("break 46bpm F#m")
    tempo = card(producer, "Tempo")
    await expect(tempo).to_contain_text("92BPM")
    await expect(tempo).to_contain_text(re.compile("sure"))
    await expect(tempo).to_contain_text("The file name says 46")
    await tempo.get_by_role("button", name="Use 46").click()
    await expect(tempo).to_contain_text("Corrected by you")
    await expect(tempo).to_contain_text("46BPM")
    await expect(tempo).to_contain_text("The file name says 46, too")
    await tempo.get_by_role("button", name="×2").click()
    await expect(tempo).to_contain_text("92BPM")
    await tempo.get_by_role("button", name="Back to 92").click()
    await expect(tempo).not_to_contain_text("Corrected by you")

    key = card(producer, "Key")
    await key.get_by_role("button", name="Use F#m").click()
    await expect(key).to_contain_text("F#m11A")
    await expect(key).to_contain_text("The file name says F#m, too")


async def test_a_key_has_its_relatives_beside_it(producer: Producer) -> None:
    await producer.arrive()
    chords = [sounds.chord(*(220 * 2 ** (step / 12) for step in steps)) for steps in CHORDS_IN_A_MINOR]
    content = sounds.wav(np.concatenate(chords * 2))
    await producer.have({"name": "progression.wav", "mimeType": "audio/wav", "buffer": content})
    await producer.open_sample("progression")
    key = card(producer, "Key")
    others = key.get_by_role("list", name="Also possible").get_by_role("button")
    named = others.filter(has_text=re.compile("relative|parallel|a fifth away")).first
    await expect(named).to_be_visible()
    chosen = re.match(r"[A-G]#?m?", await named.inner_text())
    assert chosen is not None
    await named.click()
    await expect(key).to_contain_text("Corrected by you")
    await expect(key.get_by_role("combobox", name="Your own key")).to_contain_text(chosen.group())


CHORDS_IN_A_MINOR = [(0, 3, 7), (5, 8, 12), (7, 10, 14), (0, 3, 7)]


async def test_a_one_shot_has_a_note_and_a_class(producer: Producer) -> None:
    await producer.arrive()
    await producer.have(pluck("pluck.wav"))
    await producer.open_sample("pluck")
    await expect(card(producer, "Key")).to_contain_text(re.compile(r"Note A2 110\.\d Hz"))
    await expect(card(producer, "Kind")).to_contain_text("Sounds like")
    await expect(card(producer, "Course and stereo")).to_contain_text(re.compile("Attack *instant"))
    await expect(card(producer, "Tempo")).to_contain_text("No steady pulse found")


@pytest.mark.parametrize("installation", ["everything"], indirect=True)
@pytest.mark.parametrize("size", SIZES)
async def test_the_page_fits_and_keeps_nobody_out(producer: Producer, size: str) -> None:
    page = producer.page
    await producer.arrive()
    await producer.have(loop("break 92 F#m.wav"))
    await producer.open_sample("break 92 F#m")
    width, height = SIZES[size]
    await page.set_viewport_size({"width": width, "height": height})
    await card(producer, "Waveform").get_by_role("button", name="Zoom in").click()
    await expect(card(producer, "Waveform").get_by_role("img")).to_have_count(2)
    assert await barriers(page) == []
    assert await page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
