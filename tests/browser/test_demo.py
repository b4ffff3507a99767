"""`valetkey demo`, clicked through from its three lines as somebody would who has just cloned it."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import window
from tests.browser.visitor import SHADE_AND_SIZE, Manner, Visitor, both

LINES = re.compile(
    r"Shop +(?P<shop>\S+) .*\n"
    r"Log in as +(?P<username>\S+) +password: (?P<password>.+)\n"
    r"Developer +(?P<developer>\S+) +password: (?P<developer_password>.+?) +(?P<base>\S+)/developer/\n"
)


@dataclass(frozen=True)
class Demo:
    """What the three lines say."""

    shop: str
    username: str
    password: str
    developer: str
    developer_password: str
    base: str


@pytest.fixture(scope="module")
async def demo() -> AsyncIterator[Demo]:
    """The command, running."""
    command = Path(sys.executable).with_name("valetkey")
    running = await asyncio.create_subprocess_exec(
        *(command, "demo", "--port", "0", "--shop-port", "0"), stdout=asyncio.subprocess.PIPE
    )
    assert running.stdout
    try:
        said = [await asyncio.wait_for(running.stdout.readline(), 30) for _ in range(3)]
        lines = LINES.fullmatch(b"".join(said).decode())
        assert lines, said
        yield Demo(**lines.groupdict())
    finally:
        running.terminate()
        await running.wait()


async def enter(visitor: Visitor, demo: Demo, flow: str) -> None:
    """From the shop window to the question."""
    await visitor.open(demo.shop)
    await visitor.follow(f"Print my photos {flow}")
    if visitor.path == "/accounts/login/":
        assert "to go on to Marmalade Prints" in await visitor.words()
        await visitor.log_in(demo.username, demo.password)
    assert await visitor.heading() == "Allow Marmalade Prints to use your account?"


async def take_back(visitor: Visitor) -> None:
    """The shop's own link leads to where its access ends."""
    await visitor.follow("Take our access back")
    await visitor.press("Remove Marmalade Prints")
    assert "The app was removed." in await visitor.words()


async def readable(visitor: Visitor) -> None:
    """The shop's pages are for everybody too."""
    page = visitor.page
    assert await page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    if visitor.scripts:
        assert await visitor.accessibility() == []
        await page.emulate_media(color_scheme="dark")
        assert await visitor.accessibility(SHADE_AND_SIZE) == []
        await page.emulate_media(color_scheme="light")


@both
async def test_the_server_side_flow(chromium: Browser, demo: Demo, manner: Manner) -> None:
    async with window(chromium, demo.base, manner) as context:
        visitor = Visitor(await context.new_page(), demo.base, manner.scripts)
        await enter(visitor, demo, "server-side flow")
        assert f"You go on to {urlsplit(demo.shop).netloc}" in await visitor.words()
        await visitor.press("Allow")
        assert await visitor.heading() == "On its way, Dana Larsen!"
        words = await visitor.words()
        for told in (r"/callback\?code=[0-9a-f]{32}&state=", r'"access_token": "[0-9a-f]{7}\.[0-9a-f]{32}"'):
            assert re.search(told, words)
        await readable(visitor)

        await visitor.open(demo.shop)
        await visitor.follow("Print my photos server-side flow")
        assert await visitor.heading() == "On its way, Dana Larsen!", "not asked again"
        await take_back(visitor)
        await enter(visitor, demo, "server-side flow")


@both
async def test_the_client_side_flow(chromium: Browser, demo: Demo, manner: Manner) -> None:
    async with window(chromium, demo.base, manner) as context:
        visitor = Visitor(await context.new_page(), demo.base, manner.scripts)
        await enter(visitor, demo, "client-side flow")
        await visitor.press("Allow")
        if manner.scripts:
            await expect(visitor.find("h1")).to_have_text("On its way, Dana Larsen!")
            await expect(visitor.find("#fragment")).to_have_text(
                re.compile(r"^#access_token=[0-9a-f]{7}\.[0-9a-f]{32}$")
            )
            assert "access_token" not in visitor.page.url, "no trace in the address"
        else:
            assert await visitor.heading() == "Your browser has the token"
            assert "access_token=" in urlsplit(visitor.page.url).fragment
        await readable(visitor)
        await take_back(visitor)


@both
async def test_saying_no(chromium: Browser, demo: Demo, manner: Manner) -> None:
    async with window(chromium, demo.base, manner) as context:
        visitor = Visitor(await context.new_page(), demo.base, manner.scripts)
        for flow in ("server-side flow", "client-side flow"):
            await enter(visitor, demo, flow)
            await visitor.press("Deny")
            assert await visitor.heading() == "No photos, no hard feelings"
            told = await visitor.find(".told dd").all_inner_texts()
            assert told == ["access_denied", "user_denied", "The user denied your request"]
        await readable(visitor)


async def test_the_shop_window_and_its_developer(chromium: Browser, demo: Demo) -> None:
    async with window(chromium, demo.base, Manner(width=320)) as context:
        visitor = Visitor(await context.new_page(), demo.base)
        await visitor.open(demo.shop)
        await readable(visitor)
        await visitor.open("/developer/")
        await visitor.log_in(demo.developer, demo.developer_password)
        await visitor.leave_by(visitor.find("main a.line"))
        assert await visitor.heading() == "Marmalade Prints"
        assert f"{demo.shop}callback" in await visitor.find("#quick-start").inner_text()
