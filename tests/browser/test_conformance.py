"""What the conformance suite is told to do on our pages, done (conformance/README.md)."""

from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser.platform import Person, Platform, free_socket, serving
from tests.browser.visitor import Visitor
from valetkey.cli.conformance import suite

PAGE = '<!doctype html><html lang="en"><title>Suite</title><link rel="icon" href="data:,">{}'


async def arrived(request: Request) -> HTMLResponse:
    """The suite's own page, where its browser comes back to."""
    return HTMLResponse(PAGE.format('<p id="submission_complete">Thanks'))


@pytest.fixture
async def suite_address() -> AsyncIterator[str]:
    """The suite, on another site than ours."""
    listener, port = free_socket()
    app = Starlette(routes=[Route("/test/a/valetkey/callback", arrived)])
    async with serving(app, listener):
        yield f"http://localhost:{port}"


def selector(kind: str, value: str) -> str:
    return f"xpath={value}" if kind == "xpath" else f"[{kind}='{value}']"


async def obey(page: Page, command: list[Any]) -> None:
    """One command, as the suite understands it: what is optional may find nothing."""
    verb, kind, value, *more = command
    element = page.locator(selector(kind, value))
    if verb == "click":
        if "optional" not in more or await element.count():
            async with page.expect_navigation():  # both of ours lead to another page
                await element.click()
    elif verb == "text":
        await element.fill(more[0])
    else:
        await element.first.wait_for(timeout=int(more[0]) * 1000)


async def visit(page: Page, url: str, steps: list[dict[str, Any]]) -> list[str]:
    """The suite's way through the steps of the first entry that matches; says which ones were taken."""
    entry = next(entry for entry in steps if fnmatchcase(url, entry["match"]))
    await page.goto(url)
    taken = []
    for task in entry["tasks"]:
        if fnmatchcase(page.url, task["match"]):
            taken.append(task["task"])
            for command in task["commands"]:
                await obey(page, command)
        else:
            assert task["optional"], f"{task['task']} does not match {page.url}"
    return taken


@pytest.fixture
async def place(platform: Platform, person: Person, suite_address: str) -> suite.Place:
    nay = await platform.person()
    return suite.Place(
        platform.base,
        suite_address,
        "valetkey",
        suite.Person(person.username, person.password),
        suite.Person(nay.username, nay.password),
    )


async def address(platform: Platform, place: suite.Place, **more: str) -> str:
    app = await platform.app(place.callback, profile="oauth20")
    return platform.base + app.asks(scope="basic", state="xyz", **more)


@pytest.mark.parametrize(("decision", "told"), [("allow", "code="), ("deny", "error=access_denied")])
async def test_its_browser_logs_in_and_decides(
    visitor: Visitor, platform: Platform, place: suite.Place, decision: str, told: str
) -> None:
    person = place.says_yes if decision == "allow" else place.says_no
    steps = [suite.browser(place, person, decision)]
    taken = await visit(visitor.page, await address(platform, place), steps)
    assert taken == ["Log in", "Decide", "Back at the suite"]
    assert visitor.page.url.startswith(place.callback) and told in visitor.page.url


async def test_it_sees_an_error_page(visitor: Visitor, platform: Platform, place: suite.Place) -> None:
    asked = urlencode({"client_id": "nobody", "redirect_uri": place.callback, "response_type": "code"})
    steps = [suite.browser(place, place.says_yes, "allow")]
    taken = await visit(visitor.page, f"{platform.base}/oauth/authorize?{asked}", steps)
    assert taken == ["Decide", "An error page"]


async def test_it_looks_first_and_comes_back(
    visitor: Visitor, platform: Platform, place: suite.Place
) -> None:
    url = await address(platform, place)
    assert await visit(visitor.page, url, [suite.looks(place)]) == ["Look at the login page"]
    assert "/accounts/login/" in visitor.page.url
