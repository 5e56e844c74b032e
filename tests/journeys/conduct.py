"""What a page must never do while someone uses it: fail, complain, or try what its policy forbids."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, ConsoleMessage, Page, WebError

WCAG_22_AA = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")

# The component library keeps focus inside of menus and dialogs by elements that hand it on as soon as they get it.
_LOOKED_AT = {"exclude": [["[data-base-ui-focus-guard]"]]}

_REPORT_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) => {
  reportViolation(`${event.effectiveDirective} blocked ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`)
})
"""


@dataclass
class Conduct:
    """Collects the faults of every page of a browser context."""

    faults: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=list)

    @classmethod
    async def watch(cls, context: BrowserContext) -> Conduct:
        conduct = cls()
        await context.expose_function("reportViolation", lambda text: conduct.faults.append(f"policy: {text}"))
        await context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", conduct._hear)
        context.on("weberror", conduct._catch)
        return conduct

    def expect(self, pattern: str) -> None:
        """Take faults that match `pattern` for what this journey is about."""
        self.expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        return [fault for fault in self.faults if not any(pattern.search(fault) for pattern in self.expected)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _catch(self, error: WebError) -> None:
        self.faults.append(f"exception: {error.error}")


async def barriers(page: Page) -> list[str]:
    """Where the page keeps somebody out, by the rules of WCAG 2.2 AA: one line for each element."""
    options = {"runOnly": {"type": "tag", "values": list(WCAG_22_AA)}, "resultTypes": ["violations"]}
    results = await Axe().run(page, context=_LOOKED_AT, options=options)
    return [_told(violation, node) for violation in results.response["violations"] for node in violation["nodes"]]


def _told(violation: dict[str, Any], node: dict[str, Any]) -> str:
    checks = [check["message"] for check in (*node["any"], *node["all"], *node["none"])]
    return f"{violation['id']}: {node['target']} {'; '.join(checks)}\n    {node['html'][:200]}"
