"""Takes the pictures in docs/images from the running program, filled with samples.

    python -m docs.screenshots

Real recordings are used when SAMPLE_AGENT_AUDIO names a folder of them (with a `manifest.csv`: set, file, label);
without, sounds are made. Needs Chromium and the development dependencies.
"""

from __future__ import annotations

import asyncio
import csv
import logging
import random
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import soundfile
from playwright.async_api import BrowserContext, expect

from tests import sounds
from tests.journeys.chromium import chromium, find_chromium
from tests.journeys.conduct import Conduct
from tests.journeys.crate import AUDIO
from tests.journeys.ears import Ears
from tests.journeys.producer import PASSWORD, Producer
from tests.journeys.programs import Installation, installed

IMAGES = Path(__file__).parent / "images"
SIZE = {"width": 1440, "height": 860}
LARGEST = 300_000
PATIENCE_MS = 60_000
EMAIL = "mara@lind-records.com"

log = logging.getLogger("screenshots")


@dataclass(frozen=True)
class Sound:
    """A file under the name a producer would give it."""

    path: Path
    folder: str
    tags: str = ""


def main() -> None:
    executable = find_chromium()
    if executable is None:
        raise SystemExit("No Chromium on PATH.")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sample-agent-pictures-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database's user has to get through
        library, arriving = prepare(folder / "crate")
        running = folder / "running"
        running.mkdir()
        with installed("everything", running) as installation:
            asyncio.run(open_and_take_all(executable, installation, library, arriving))


async def open_and_take_all(
    executable: str, installation: Installation, library: Sequence[Sound], arriving: Sequence[Sound]
) -> None:
    async with chromium(executable) as browser:
        expect.set_options(timeout=PATIENCE_MS)
        context = await browser.new_context(
            base_url=installation.url, viewport=SIZE, locale="en-GB", timezone_id="UTC", reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE_MS)
        await take_all(context, installation, library, arriving)


async def take_all(
    context: BrowserContext, installation: Installation, library: Sequence[Sound], arriving: Sequence[Sound]
) -> None:
    """Every page once, in the order in which somebody new meets them."""
    conduct = await Conduct.watch(context)
    await Ears.open(context)
    producer = Producer(await context.new_page(), installation, conduct, EMAIL)
    await before_signing_in(producer)
    async with api(installation) as client:
        await stock(client, library)
    await producer.page.goto("/login")
    await producer.sign_in()
    await the_library(producer)
    await one_sample(producer)
    await collections(producer)
    await the_trash(producer)
    await the_account(producer)
    await uploads(producer, arriving)
    for fault in conduct.unexpected():
        log.warning(fault)


async def before_signing_in(producer: Producer) -> None:
    page = producer.page
    await page.goto("/login")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await take(producer, "login")
    await page.goto("/register")
    await producer.fill_in_registration()
    await take(producer, "register")
    await page.goto("/login")
    await producer.register()
    await producer.follow_the_mailed_link()
    await page.goto("/outbox")
    await take(producer, "outbox")


async def the_library(producer: Producer) -> None:
    page = producer.page
    await expect(producer.grid.get_by_role("row").nth(20)).to_be_visible()
    await producer.row(next(name for name in (await producer.names())[4:] if LOOP.search(name))).click()
    await page.mouse.move(0, 0)
    await producer.ears.advances_beyond(1.5)
    await take(producer, "library")
    await page.goto("/samples?kind=loop&tempo_min=85&tempo_max=100&tempo_multiples=true&sort=tempo")
    await expect(page.get_by_role("button", name="Reset all")).to_be_visible()
    await expect(producer.grid.get_by_role("row").nth(1)).to_be_visible()
    await page.get_by_role("search").get_by_role("button", name="Key").click()
    await expect(page.get_by_role("dialog", name="Key")).to_be_visible()
    await take(producer, "library-filtered")


async def one_sample(producer: Producer) -> None:
    page = producer.page
    await page.goto("/samples?q=loops&sort=-duration")
    await expect(page.get_by_role("button", name="Reset all")).to_be_visible()
    await expect(producer.grid.get_by_role("row").nth(1)).to_be_visible()
    async with page.expect_response(re.compile("/waveform")):
        await producer.open_sample((await producer.names())[0])
    await expect(page.get_by_role("region", name="Tempo")).to_be_visible()
    await page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()
    await producer.ears.advances_beyond(1.0)
    await take(producer, "sample")


async def collections(producer: Producer) -> None:
    page = producer.page
    await page.goto("/collections")
    await expect(page.get_by_role("main").get_by_role("link", name="Sunday keys")).to_be_visible()
    await take(producer, "collections")
    await producer.collection_link("Night drive").click()
    await expect(page.get_by_role("heading", name="Night drive")).to_be_visible()
    await expect(producer.grid.get_by_role("row").nth(3)).to_be_visible()
    await take(producer, "collection")


async def the_trash(producer: Producer) -> None:
    page = producer.page
    await page.goto("/trash")
    await expect(page.get_by_role("list", name="Deleted samples").get_by_role("listitem").first).to_be_visible()
    await take(producer, "trash")


async def the_account(producer: Producer) -> None:
    await producer.page.goto("/account")
    await expect(producer.page.get_by_text(EMAIL)).to_be_visible()
    await expect(producer.page.get_by_text(re.compile("[0-9] samples"))).to_be_visible()
    await take(producer, "account")


async def uploads(producer: Producer, arriving: Sequence[Sound]) -> None:
    """Taken while they arrive: some ready, some on their way, some waiting."""
    await producer.page.goto("/samples")
    await expect(producer.grid.get_by_role("row").nth(3)).to_be_visible()
    await producer.drop_from_desktop(*(sound.path for sound in arriving))
    await expect(producer.uploads.get_by_role("heading")).to_have_text(re.compile("^([3-9]|1[0-2]) of"))
    await take(producer, "uploads")
    await producer.until_handled(len(arriving))


async def take(producer: Producer, name: str) -> None:
    path = IMAGES / f"{name}.png"
    await producer.page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    log.info("%s, %d kB", path.relative_to(IMAGES.parents[1]), size // 1000)
    if size > LARGEST:
        raise SystemExit(f"{path.name} is larger than {LARGEST // 1000} kB.")


# --- the library that is shown ---


@asynccontextmanager
async def api(installation: Installation) -> AsyncIterator[httpx.AsyncClient]:
    """The API, signed in as the person in the pictures."""
    async with httpx.AsyncClient(base_url=installation.url, timeout=60) as client:
        login = {"email": EMAIL, "password": PASSWORD, "mode": "body"}
        answer = (await client.post("/api/auth/login", json=login)).raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield client


async def stock(client: httpx.AsyncClient, library: Sequence[Sound]) -> None:
    """Upload everything, wait until it is analysed, mark favourites, delete a few and gather collections."""
    added: list[str] = []
    for sound in library:
        files = {"audio": (sound.path.name, sound.path.read_bytes())}
        form = {"folder": sound.folder, "tags": sound.tags}
        answer = (await client.post("/api/samples", files=files, data=form)).raise_for_status()
        added.append(answer.json()["sample_id"])
    async with asyncio.timeout(300):
        while (await client.get("/api/facets")).json()["statuses"].get("completed", 0) < len(set(added)):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    for sample_id in added[::7]:
        (await client.patch(f"/api/samples/{sample_id}", json={"favourite": True})).raise_for_status()
    for sample_id in added[3::9]:
        (await client.delete(f"/api/samples/{sample_id}")).raise_for_status()
    await gather(client, "Night drive", {"kind": "loop", "limit": 9})
    await gather(client, "Kit A: dusty", {"q": "drums", "limit": 16, "sort": "name"})
    await gather(client, "Sunday keys", {"q": "keys", "limit": 6})


async def gather(client: httpx.AsyncClient, name: str, wanted: dict[str, str | int]) -> None:
    """A collection of the samples that a search finds."""
    found = (await client.get("/api/samples", params=wanted)).raise_for_status().json()["samples"]
    made = (await client.post("/api/collections", json={"name": name})).raise_for_status().json()
    ids = {"sample_ids": [sample["id"] for sample in found]}
    (await client.post(f"/api/collections/{made['id']}/samples", json=ids)).raise_for_status()


PLACES = {
    "kick": ("kick", "drums/kicks", 6),
    "snare": ("snare", "drums/snares", 6),
    "hat": ("hat", "drums/hats", 5),
    "clap": ("clap", "drums/claps", 2),
    "rim": ("rim", "drums/rims", 2),
    "cymbal": ("ride", "drums/cymbals", 3),
    "tom": ("tom", "drums/toms", 2),
    "perc": ("shaker", "drums/percussion", 4),
    "bass": ("bass", "bass", 4),
    "vocal": ("vox", "vox", 3),
    "fx": ("texture", "textures", 3),
    "melodic": ("strings", "keys", 5),
    "drumloop": ("break", "breaks", 6),
    "loop": ("loop", "loops", 8),
    "song": ("take", "records", 6),
}
"""For each kind of sound: what it is called, where it lies in the crate, and how many there are."""

CHARACTERS = ("dusty", "warm", "taped", "woozy", "muted", "hazy", "sub", "bright", "crackly", "slow", "late", "worn")
TAGS = ("soul", "lo-fi", "boom bap", "tape", "jazz", "vinyl", "ambient", "house")
ARRIVING = 16
LOOP = re.compile("loop|break")


def prepare(crate: Path) -> tuple[list[Sound], list[Sound]]:
    """A library to start with and some more files that arrive later, the same every time."""
    chance = random.Random(404)  # noqa: S311
    found = list(recordings(chance) if (AUDIO / "manifest.csv").is_file() else made(crate.parent / "made"))
    chance.shuffle(found)
    taken: set[str] = set()
    ready: list[Sound] = []
    for source, label in found:
        noun, folder, _ = PLACES[label]
        name = f"{chance.choice(CHARACTERS)} {noun} {chance.randint(1, 99):02}"
        if name in taken:
            continue
        taken.add(name)
        path = crate / folder / (name + source.suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)
        ready.append(Sound(path, folder, ",".join(chance.sample(TAGS, chance.choice((0, 1, 1, 2))))))
    return ready[:-ARRIVING], ready[-ARRIVING:]


def recordings(chance: random.Random) -> Iterator[tuple[Path, str]]:
    """Recordings of every kind, with the kind."""
    with (AUDIO / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for label, (_, _, number) in PLACES.items():
        fitting = [row for row in rows if _kind(row) == label]
        for row in chance.sample(fitting, min(number, len(fitting))):
            yield AUDIO / row["file"], label


def _kind(row: dict[str, str]) -> str:
    return {"tempo": "loop", "key": "song"}.get(row["set"], row["label"])


def made(folder: Path) -> Iterator[tuple[Path, str]]:
    """Sounds of every kind, made on the spot."""
    folder.mkdir(parents=True)
    for label, (_, _, number) in PLACES.items():
        for index in range(number):
            if label in ("drumloop", "loop"):
                samples = sounds.drum_loop(76 + 9 * index, beats=16, seed=index)
            elif label in ("song", "melodic", "vocal", "fx"):
                root = 110 * 2 ** ((index * 5 % 12) / 12)
                samples = sounds.chord(root, root * 1.2, root * 1.5, seconds=12 if label == "song" else 2 + index)
            else:
                samples = sounds.tone(50 + 37 * index + 11 * len(label), 0.2 + 0.1 * index)
            path = folder / f"{label}-{index}.wav"
            soundfile.write(path, samples, sounds.RATE)
            yield path, label


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    main()
