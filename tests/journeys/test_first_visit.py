"""From the first look at the page to an archive for the card: the whole way, with nothing faked."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from sample_agent.sp404.formats.wav import HEADER_BYTES, read_wav_header
from tests.journeys import crate
from tests.journeys.producer import Producer

pytestmark = pytest.mark.browser

BREAK = "dusty break 90"


async def test_a_newcomer_gets_from_registration_to_a_card_archive(producer: Producer, tmp_path: Path) -> None:
    page = producer.page
    samples = crate.fill(tmp_path / "Crate")

    await page.goto("/")
    await producer.register()
    await producer.follow_the_mailed_link()
    await expect(page.get_by_role("heading", name="Drop your samples here")).to_be_visible()

    await watch_the_uploads(page)
    await producer.add_folder(samples.folder)
    await producer.until_handled(len(samples.names))
    await every_sample_was_seen_on_its_way(page, samples.names)
    await expect(producer.uploads).to_contain_text(f"{len(samples.names)} ready · {samples.litter} not audio, skipped")
    await producer.expect_names(*samples.names)
    for name in samples.names:
        await expect(producer.row(name).locator("svg path").first).to_be_attached()
    await producer.uploads.get_by_role("button", name="Clear").click()

    await listen_with_the_arrow_keys(producer)
    await search_and_filter(producer, samples.names)
    await correct_a_tempo(producer)
    await collect_and_reorder(producer)
    await export_the_collection(producer, tmp_path)
    await delete_and_undo(producer, samples.names)
    await stay_signed_in_until_signing_out(producer)


async def watch_the_uploads(page: Page) -> None:
    """Take down every state the upload panel shows, as it shows it."""
    await page.evaluate(
        """() => {
          window.shown = { heads: [], states: {} }
          new MutationObserver(() => {
            const panel = document.querySelector('[aria-label="Uploads"]')
            const head = panel?.querySelector('h2')?.textContent
            if (head && window.shown.heads.at(-1) !== head) window.shown.heads.push(head)
            for (const row of panel?.querySelectorAll('li') ?? []) {
              const bar = row.querySelector('[role=progressbar], [role=meter]')
              const words = [...row.querySelectorAll('a, span')].map((span) => span.textContent)
              const seen = (window.shown.states[words[0]] ??= [])
              const state = { words: words.slice(1).join(' '), value: bar?.getAttribute('aria-valuenow') }
              if (JSON.stringify(seen.at(-1)) !== JSON.stringify(state)) seen.push(state)
            }
          }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
        }"""
    )


async def every_sample_was_seen_on_its_way(page: Page, names: tuple[str, ...]) -> None:
    """The panel counted up while it happened, and showed sending and analysis of single files."""
    count, shown = len(names), await page.evaluate("() => window.shown")
    counts = [int(match[1]) for head in shown["heads"] if (match := re.fullmatch(rf"(\d+) of {count} files", head))]
    assert counts == sorted(counts)
    assert len(set(counts)) > count / 2, f"the count jumped: {shown['heads']}"
    words = [state["words"] for states in shown["states"].values() for state in states]
    assert any("Uploading" in word for word in words)
    assert any("Analysing: " in word for word in words)
    assert {Path(file).stem for file in shown["states"]} == set(names)


async def listen_with_the_arrow_keys(producer: Producer) -> None:
    """Down plays the next row, up the one before; space pauses and goes on."""
    page, names = producer.page, await producer.names()
    await producer.grid.focus()
    for key, name in zip(["ArrowDown"] * 4 + ["ArrowUp"], [*names[:4], names[2]], strict=True):
        await page.keyboard.press(key)
        await expect(producer.player.get_by_role("link", name=name, exact=True)).to_be_visible()
        await producer.ears.next_sound()
    await producer.row(BREAK).get_by_role("button", name=f"Play {BREAK}", exact=True).click()
    await producer.ears.next_sound()
    assert await producer.ears.playing()
    await page.keyboard.press("Space")
    await expect(producer.player.get_by_role("button", name="Play")).to_be_visible()
    assert not await producer.ears.playing()
    await page.keyboard.press("Space")
    await producer.ears.next_sound()
    await page.keyboard.press("Space")


async def search_and_filter(producer: Producer, names: tuple[str, ...]) -> None:
    """The address carries what was asked for, through a reload and back again."""
    page = producer.page
    await page.keyboard.press("/")
    await page.keyboard.type("chord -warm")
    await expect(page).to_have_url(re.compile(r"q=chord(\+|%20)-warm"))
    await producer.expect_names("tape chord")
    await page.get_by_role("button", name="Clear search").click()
    await producer.expect_names(*names)

    await page.get_by_role("group", name="Kind").get_by_role("button", name="Loops").click()
    await expect(page).to_have_url(re.compile("kind=loop"))
    await expect(producer.row("warm chord")).to_have_count(0)
    await expect(producer.row(BREAK)).to_be_visible()
    loops = await producer.names()
    await page.get_by_role("search").get_by_role("button", name="BPM").click()
    await page.get_by_label("Least tempo").fill("178")
    await page.get_by_label("Most tempo").fill("182")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="No sample matches")).to_be_visible()
    await page.get_by_role("switch", name="Half and double time too").click()
    await producer.expect_names(BREAK)
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(re.compile("tempo_min=178.*tempo_max=182.*tempo_multiples=true"))

    await page.reload()
    await producer.expect_names(BREAK)
    await page.get_by_role("button", name="Remove filter 178–182 BPM · ½ ×2").click()
    await producer.expect_names(*loops)
    await page.go_back()
    await expect(page).to_have_url(re.compile("tempo_multiples=true"))
    await producer.expect_names(BREAK)
    await page.get_by_role("button", name="Reset all").click()
    await producer.expect_names(*names)


async def correct_a_tempo(producer: Producer) -> None:
    """What the person says stands, in the list as well, and another analysis does not change it."""
    page = producer.page
    await producer.open_sample(BREAK)
    card = page.get_by_role("region", name="Tempo")
    found = float(re.match(r"[\d.]+", await card.get_by_role("paragraph").first.inner_text())[0])  # type: ignore[index]
    factor, twice = ("×2", found * 2) if found <= 200 else ("÷2", found / 2)
    corrected = re.compile(rf"^{twice:g}")
    await card.get_by_role("button", name=factor).click()
    await expect(card.get_by_text("Corrected by you")).to_be_visible()
    await expect(card.get_by_role("paragraph").first).to_have_text(corrected)
    await page.get_by_role("button", name="Analyse again").click()
    await expect(page.get_by_role("button", name="Analyse again")).to_be_disabled()
    await expect(page.get_by_role("button", name="Analyse again")).to_be_enabled()
    await expect(card.get_by_role("paragraph").first).to_have_text(corrected)
    await page.reload()
    await expect(card.get_by_text("Corrected by you")).to_be_visible()
    await page.get_by_role("button", name="Back", exact=True).click()
    await expect(producer.row(BREAK).get_by_role("gridcell", name=corrected)).to_be_visible()


async def collect_and_reorder(producer: Producer) -> None:
    """By keyboard and by dragging; the order is the server's, too."""
    page = producer.page
    chosen = (await producer.names())[:4]
    await producer.collect("Night Drive", chosen)
    await producer.collection_link("Night Drive").click()
    await expect(page.get_by_role("heading", name="Night Drive")).to_be_visible()
    await producer.expect_names(*chosen)
    before = await producer.names()

    await producer.row(before[0]).click()
    async with page.expect_response(re.compile("/order$")):
        await page.keyboard.press("Alt+ArrowDown")
    moved = [before[1], before[0], *before[2:]]
    await expect(producer.row(before[0])).to_have_attribute("aria-rowindex", "3")
    async with page.expect_response(re.compile("/order$")):
        await producer.row(moved[3]).drag_to(producer.row(moved[0]), target_position={"x": 300, "y": 4})
    dragged = [moved[3], *moved[:3]]
    await expect(producer.row(moved[3])).to_have_attribute("aria-rowindex", "2")
    await page.reload()
    await producer.expect_names(*chosen)
    assert await producer.names() == dragged


async def export_the_collection(producer: Producer, folder: Path) -> None:
    """The archive opens, is in the collection's order, and holds what the unit takes and the manifest says."""
    page, order = producer.page, await producer.names()
    await page.get_by_role("button", name="Export for SP-404MK2").click()
    async with page.expect_download() as download:
        await page.get_by_role("dialog").get_by_role("button", name="Download").click()
    archive = folder / "card.zip"
    await (await download.value).save_as(archive)
    with zipfile.ZipFile(archive) as card:
        assert card.testzip() is None
        manifest = json.loads(card.read("MANIFEST.json"))
        waves = [name for name in card.namelist() if name.startswith("IMPORT/")]
        assert [file["path"] for file in manifest["files"]] == waves
        assert [file["name"] for file in manifest["files"]] == order
        assert manifest["skipped"] == []
        for file in manifest["files"]:
            assert re.fullmatch(r"IMPORT/Night Drive/[A-Za-z0-9 _-]+\.WAV", file["path"])
            content = card.read(file["path"])
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
            assert read_wav_header(content[:HEADER_BYTES], len(content)).frames > 0
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def delete_and_undo(producer: Producer, names: tuple[str, ...]) -> None:
    page = producer.page
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Samples").click()
    await producer.expect_names(*names)
    await producer.row(BREAK).click()
    await page.keyboard.press("Delete")
    await expect(producer.row(BREAK)).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await producer.expect_names(*names)


async def stay_signed_in_until_signing_out(producer: Producer) -> None:
    """A reload and a second tab know who is there; signing out in one tab signs out the other."""
    page = producer.page
    await page.reload()
    await expect(producer.row(BREAK)).to_be_visible()
    other = await page.context.new_page()
    await other.goto("/account")
    await expect(other.get_by_text(producer.email)).to_be_visible()
    await producer.sign_out()
    await expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.goto("/samples")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await producer.sign_in()
    await expect(producer.row(BREAK)).to_be_visible()
