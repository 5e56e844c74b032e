"""What a producer does in front of the app, in their own words; every step waits until the page shows its outcome."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import FilePayload, Locator, Page, expect

from tests.journeys.conduct import Conduct
from tests.journeys.ears import Ears
from tests.journeys.programs import Installation

PASSWORD = "a long enough pass phrase"
FIRST_NAME, LAST_NAME = "Mara", "Lind"


def new_email() -> str:
    """An address of the kind that a mail can be sent to."""
    return f"{secrets.token_hex(6)}@studio-mail.com"


@dataclass
class Producer:
    """Someone at `page`."""

    page: Page
    installation: Installation
    conduct: Conduct
    email: str = field(default_factory=new_email)
    password: str = PASSWORD

    def __post_init__(self) -> None:
        self.ears = Ears(self.page)
        self.uploads = self.page.get_by_role("region", name="Uploads")
        self.player = self.page.get_by_role("region", name="Player")
        self.grid = self.page.get_by_role("grid")

    # --- coming and going ---

    async def register(self) -> None:
        """Fill in the form, and read in the answer where the mail is."""
        page = self.page
        await page.get_by_role("link", name="Create an account").click()
        await self.fill_in_registration()
        await page.get_by_role("button", name="Create account").click()
        await expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
        await expect(page.get_by_text(self.email)).to_be_visible()

    async def fill_in_registration(self) -> None:
        page = self.page
        await page.get_by_label("First name").fill(FIRST_NAME)
        await page.get_by_label("Last name").fill(LAST_NAME)
        await page.get_by_label("E-mail").fill(self.email)
        await page.get_by_label("Password", exact=True).fill(self.password)

    async def follow_the_mailed_link(self) -> None:
        """Open the outbox, reload it until the mail has come, and confirm the address."""
        page = self.page
        await page.get_by_role("link", name="outbox").click()
        mail = page.get_by_role("listitem").filter(has_text=self.email).get_by_role("link")
        await self._reload_until_there(mail)
        await mail.click()
        await page.goto(self.installation.link_mailed_to(self.email, "/verify-email"))
        await page.get_by_label("Password", exact=True).fill(self.password)
        await page.get_by_role("button", name="Confirm and sign in").click()
        await self.expect_to_be_in()

    async def sign_in(self) -> None:
        """Fill in the sign-in page that is open, and get in."""
        await self.give_password()
        await self.expect_to_be_in()

    async def give_password(self) -> None:
        """Fill in the sign-in page that is open."""
        page = self.page
        await page.get_by_label("E-mail").fill(self.email)
        await page.get_by_label("Password", exact=True).fill(self.password)
        await page.get_by_role("button", name="Sign in", exact=True).click()

    async def expect_to_be_in(self) -> None:
        await expect(self.page.get_by_role("navigation", name="Main")).to_be_visible()

    async def arrive(self, path: str = "/", *, admin: bool = False) -> None:
        """Sign in with an account made beforehand."""
        names = {"first_name": FIRST_NAME, "last_name": LAST_NAME}
        self.installation.make_account(self.email, self.password, admin=admin, **names)
        await self.page.goto(path)
        await self.sign_in()

    async def settings(self, page: str) -> None:
        """Open one of the settings' pages."""
        await self.page.get_by_role("navigation", name="Main").get_by_role("link", name=FIRST_NAME).click()
        await self.page.get_by_role("navigation", name="Settings").get_by_role("link", name=page).click()

    async def sign_out(self) -> None:
        await self.page.get_by_role("navigation", name="Main").get_by_role("link", name=FIRST_NAME).click()
        await self.page.get_by_role("button", name="Sign out", exact=True).click()
        await expect(self.page.get_by_role("heading", name="Sign in")).to_be_visible()

    # --- uploads ---

    async def add_folder(self, folder: Path) -> None:
        """Choose a folder on the empty library page."""
        async with self.page.expect_file_chooser() as chooser:
            await self.page.get_by_role("button", name="Add a folder").click()
        await (await chooser.value).set_files(folder)

    async def add_files(self, *files: Path | FilePayload) -> None:
        """Choose files from the library's menu."""
        await self.page.get_by_role("button", name="Add samples").click()
        async with self.page.expect_file_chooser() as chooser:
            await self.page.get_by_role("menuitem", name="Add files").click()
        await (await chooser.value).set_files(list(files))  # type: ignore[arg-type]

    async def drop(self, *files: FilePayload) -> None:
        """Let go of files over the page, as a page sees it: with a DataTransfer of its own making."""
        described = [
            {"name": file["name"], "type": file["mimeType"], "content": base64.b64encode(file["buffer"]).decode()}
            for file in files
        ]
        await self.page.evaluate(_DROP, described)

    async def drop_from_desktop(self, *paths: Path) -> None:
        """Let go of files and folders over the page, as the window system hands them over."""
        session = await self.page.context.new_cdp_session(self.page)
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        invitation = self.page.get_by_text("Drop files and folders to add them")

        async def drag(kind: str) -> None:
            await session.send("Input.dispatchDragEvent", {"type": kind, "x": 700, "y": 400, "data": data})

        for _ in range(10):  # a drop that comes before the page has answered the drag is no drop to the browser
            await drag("dragEnter")
            await expect(invitation).to_be_visible()
            await drag("dragOver")
            await self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            await drag("dragOver")
            await drag("drop")
            with suppress(AssertionError):
                await expect(invitation).to_be_hidden(timeout=2_000)
                break
        await expect(invitation).to_be_hidden()
        await session.detach()

    async def until_handled(self, count: int) -> None:
        """Wait until the panel says that every upload has come to an end."""
        files = "1 file" if count == 1 else f"{count} files"
        await expect(self.uploads.get_by_role("heading")).to_have_text(f"{files} handled", timeout=120_000)

    async def have(self, *files: FilePayload) -> None:
        """Have these in the library, analysed."""
        await self.drop(*files)
        await self.until_handled(len(files))
        await self.uploads.get_by_role("button", name="Clear").click()
        for file in files:
            await expect(self.row(Path(file["name"]).stem).locator("svg path").first).to_be_attached()

    # --- the list ---

    def row(self, name: str) -> Locator:
        """The sample's row in the list that is open."""
        more = self.page.get_by_role("button", name=f"More for {name}", exact=True)
        return self.grid.get_by_role("row").filter(has=more)

    async def names(self) -> list[str]:
        """The samples in the list, from the top."""
        labels = await self.grid.get_by_role("button", name=re.compile("^More for ")).evaluate_all(
            "(buttons) => buttons.map((button) => button.getAttribute('aria-label'))"
        )
        tops = await self.grid.get_by_role("button", name=re.compile("^More for ")).evaluate_all(
            "(buttons) => buttons.map((button) => button.getBoundingClientRect().top)"
        )
        return [label.removeprefix("More for ") for _, label in sorted(zip(tops, labels, strict=True))]

    async def expect_names(self, *names: str) -> None:
        """Wait until exactly these are listed, in any order."""
        await expect(self.grid.get_by_role("button", name=re.compile("^More for "))).to_have_count(len(names))
        for name in names:
            await expect(self.row(name)).to_be_visible()

    async def choose_in_menu_of(self, name: str, item: str) -> None:
        await self.row(name).get_by_role("button", name=f"More for {name}", exact=True).click()
        await self.page.get_by_role("menuitem", name=item).click()

    async def open_sample(self, name: str) -> None:
        await self.choose_in_menu_of(name, "Open")
        await expect(self.page.get_by_role("heading", name=name, level=1)).to_be_visible()

    # --- collections ---

    async def collect(self, collection: str, names: Sequence[str]) -> None:
        """Make a collection of samples in the library's list."""
        for name in names:
            await self.row(name).get_by_role("button", name=f"Select {name}", exact=True).click(force=True)
        selection = self.page.get_by_role("region", name="Selection")
        await expect(selection).to_contain_text(f"{len(names)} sample")
        await selection.get_by_role("button", name="Add to collection").click()
        await self.page.get_by_role("menuitem", name="New collection").click()
        dialog = self.page.get_by_role("dialog", name="New collection")
        await dialog.get_by_label("Name").fill(collection)
        await dialog.get_by_role("button", name="Create and add").click()
        await expect(dialog).to_be_hidden()
        await expect(self.collection_link(collection)).to_contain_text(str(len(names)))

    def collection_link(self, collection: str) -> Locator:
        return self.page.get_by_role("list", name="Collections").get_by_role("link", name=collection)

    async def _reload_until_there(self, awaited: Locator) -> None:
        async with asyncio.timeout(30):
            while not await awaited.count():
                await self.page.reload()


_DROP = """
(files) => {
  const transfer = new DataTransfer()
  for (const { name, type, content } of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))
    transfer.items.add(new File([bytes], name, { type }))
  }
  for (const kind of ['dragenter', 'dragover', 'drop'])
    document.body.dispatchEvent(
      new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }))
}
"""
