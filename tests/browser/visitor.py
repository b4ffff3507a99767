"""A person in front of a browser: what they do, and what must hold on every page they see."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, WebError

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# what the same page may break in other colours and on a smaller screen
SHADE_AND_SIZE = ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"]

# What every page of ours must have; the answer is a list of what is wrong.
RULES = """() => {
  const wrong = [];
  const expect = (holds, words) => holds || wrong.push(words);
  const first = document.querySelector("a[href], button, input, select, textarea, [tabindex]");
  const target = first?.matches("a[href^='#']") && document.querySelector(first.getAttribute("href"));
  const scrolling = document.scrollingElement;
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  expect(document.querySelectorAll("h1").length === 1, "not one h1");
  expect(document.documentElement.lang, "no lang");
  expect(document.title.trim() && !document.title.trim().startsWith("·"), "no title");
  expect(target?.matches("main"), "the first thing to reach is not a skip link to main");
  expect(scrolling.scrollWidth <= innerWidth, `${scrolling.scrollWidth} px wide in ${innerWidth} px`);
  expect(new Set(ids).size === ids.length, "an id is there twice");
  return wrong;
}"""


@dataclass(frozen=True)
class Manner:
    """How somebody browses."""

    scripts: bool = True
    width: int = 1280

    def __str__(self) -> str:
        return f"{'scripts' if self.scripts else 'no-scripts'}-{self.width}"


EVERY_MANNER = [Manner(scripts, width) for scripts in (True, False) for width in (1280, 320)]
BOTH_MANNERS = [Manner(scripts=True, width=1280), Manner(scripts=False, width=320)]
everywhere = pytest.mark.parametrize("manner", EVERY_MANNER, ids=str, indirect=True)
both = pytest.mark.parametrize("manner", BOTH_MANNERS, ids=str, indirect=True)


@dataclass
class Visitor:
    """One person at a page; another tab of the same browser is another visitor."""

    page: Page
    base: str
    scripts: bool = True

    async def open(self, where: str) -> None:
        """Type an address."""
        await self.page.goto(urljoin(self.base, where))
        await self.look()

    def find(self, selector: str, has_text: str | None = None) -> Locator:
        return self.page.locator(selector, has_text=has_text)

    async def fill(self, label: str, text: str, within: str = "main") -> None:
        """Write into the field that has this label."""
        await self.find(within).get_by_label(label, exact=True).fill(text)

    async def press(self, name: str, within: str = "body") -> None:
        """Press a button that leads to another page."""
        await self.leave_by(self.find(within).get_by_role("button", name=name, exact=True))

    async def follow(self, name: str, within: str = "body") -> None:
        """Follow a link to another page."""
        await self.leave_by(self.find(within).get_by_role("link", name=name, exact=True))

    async def leave_by(self, element: Locator) -> None:
        """Click, and look at the page it leads to."""
        async with self.page.expect_navigation():
            await element.click()
        await self.look()

    async def log_in(self, username: str, password: str) -> None:
        """Fill in the login form and send it."""
        await self.fill("Username", username)
        await self.fill("Password", password)
        await self.press("Log in", "main")

    async def look(self) -> None:
        """What holds on every page of ours."""
        if self.page.url.startswith(self.base):
            wrong = await self.page.evaluate(RULES)
            assert wrong == [], f"{self.page.url}: {wrong}"

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    async def heading(self) -> str:
        return await self.find("h1").inner_text()

    async def words(self) -> str:
        """All that can be read in the middle of the page."""
        return await self.find("main").inner_text()

    async def focused(self) -> Any:
        """Which element has the keyboard: its id, else its name and value, else its words."""
        return await self.page.evaluate(
            "(({id, name, value, textContent}) => id || (name && `${name}=${value}`) || textContent.trim())"
            "(document.activeElement)"
        )

    async def accessibility(self, rules: Iterable[str] | None = None) -> list[str]:
        """What axe-core finds: by all rules of WCAG 2.2 AA, or only by these. It is a script itself."""
        assert self.scripts
        if not await self.page.evaluate("typeof axe !== 'undefined'"):
            await self.page.evaluate(axe())
        only = {"type": "rule", "values": [*rules]} if rules else {"type": "tag", "values": WCAG}
        found = await self.page.evaluate(
            "(only) => axe.run({runOnly: only, resultTypes: ['violations'], iframes: false})", only
        )
        return [
            f"{problem['id']}: {node['html'][:200]} {node['failureSummary']}"
            for problem in found["violations"]
            for node in problem["nodes"]
        ]


@cache
def axe() -> str:
    """axe-core, as the wheel carries it."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()


@dataclass
class Watch:
    """Hears what a browser does behind a page: requests to strangers, errors, refusals of the policy."""

    base: str
    complaints: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Listen to all pages of this browser."""
        context.on("console", self.said)
        context.on("weberror", self.failed)
        context.on("request", self.asked)
        context.on("response", self.answered)

    def said(self, message: ConsoleMessage) -> None:
        """A page that answers 400 makes Chromium say so; any other error or warning is one of ours."""
        answered = message.text.startswith("Failed to load resource") and self.ours(message.location["url"])
        if message.type in ("error", "warning") and not answered:
            self.complaints.append(f"console: {message.text} ({message.location['url']})")

    def failed(self, error: WebError) -> None:
        self.complaints.append(f"script: {error.error}")

    def asked(self, request: Request) -> None:
        """Pages of ours ask nobody else for anything; people may be led elsewhere."""
        if request.is_navigation_request() or not self.ours(request.frame.url):
            return
        if not self.ours(request.url):
            self.complaints.append(f"a stranger was asked: {request.url}")

    def answered(self, response: Response) -> None:
        """Whatever a page needs must be there."""
        if response.status >= 400 and not response.request.is_navigation_request():
            self.complaints.append(f"{response.status}: {response.url}")

    def ours(self, url: str) -> bool:
        return url.startswith(self.base + "/")
