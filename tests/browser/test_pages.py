"""What every page owes everybody: readable by all, in light and dark, on a desk and on the smallest phone."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.platform import Person, Platform
from tests.browser.printer import Printer
from tests.browser.scenes import SCENES, Scene
from tests.browser.visitor import SHADE_AND_SIZE, Visitor

PICTURES = os.environ.get("VALETKEY_SCREENSHOTS")
GROUND = "getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)"


@pytest.mark.parametrize("name", SCENES)
async def test_a_page(
    visitor: Visitor, platform: Platform, printer: Printer, person: Person, name: str
) -> None:
    page = visitor.page
    await SCENES[name](Scene(visitor, platform, printer, person))

    assert await visitor.accessibility() == []
    assert min(await page.evaluate(GROUND)) > 200, "light"
    await picture(page, f"{name}-desk-light")

    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size({"width": 320, "height": 640})
    await visitor.look()
    assert await visitor.accessibility(SHADE_AND_SIZE) == []
    assert max(await page.evaluate(GROUND)) < 50, "dark"
    await picture(page, f"{name}-phone-dark")
    if PICTURES:
        await page.emulate_media(color_scheme="light")
        await picture(page, f"{name}-phone-light")


async def picture(page: Page, name: str) -> None:
    """Keep a picture of the page if somebody wants to look."""
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
