"""Someone at a browser, in front of a real installation in each of its two modes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.journeys.chromium import chromium, find_chromium
from tests.journeys.conduct import Conduct
from tests.journeys.ears import Ears
from tests.journeys.producer import Producer
from tests.journeys.programs import MODES, Installation, installed

PATIENCE_MS = 30_000
PICTURES = Path(__file__).parents[2] / "test-results" / "journeys"
LOG_TAIL = 6000


@pytest.fixture(scope="session", params=list(MODES))
def installation(request: pytest.FixtureRequest, reachable_tmp: Path) -> Iterator[Installation]:
    """The programs, running; every test signs up people of its own."""
    folder = reachable_tmp / f"journeys-{request.param}"
    folder.mkdir()
    with installed(request.param, folder) as installation:
        yield installation


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    executable = find_chromium()
    if executable is None:
        missing = "no Chromium on PATH"
        if os.environ.get("SAMPLE_AGENT_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{missing}, and SAMPLE_AGENT_REQUIRE_BROWSER=1")
        pytest.skip(missing)
    expect.set_options(timeout=PATIENCE_MS)
    async with chromium(executable) as browser:
        yield browser


@pytest_asyncio.fixture
async def producer(
    browser: Browser, installation: Installation, request: pytest.FixtureRequest
) -> AsyncIterator[Producer]:
    """Someone new, at an empty page; afterwards no page may have misbehaved."""
    context = await browser.new_context(
        base_url=installation.url, viewport={"width": 1440, "height": 860}, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    conduct = await Conduct.watch(context)
    await Ears.open(context)
    page = await context.new_page()
    yield Producer(page, installation, conduct)
    if request.node.stash.get(FAILED, False):
        PICTURES.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=PICTURES / f"{request.node.name}.png")
    await context.close()
    faults = conduct.unexpected()
    assert not faults, "\n".join(faults)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Show what the programs printed beside a failure, and remember it for the picture."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
        installation = getattr(item, "funcargs", {}).get("installation")
        for program in installation.programs if isinstance(installation, Installation) else ():
            report.sections.append((f"the end of {program.log.name}", program.printed()[-LOG_TAIL:]))
    return report
