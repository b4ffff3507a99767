"""Whatever colour an operator picks, words stay readable and buttons visible (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re

import pytest

from tests.web.conftest import Site
from valetkey.web.pages import theme

WHITE, DARK = (255, 255, 255), (27, 31, 29)
COLOURS = [
    "#0e6b5c",
    "#0b57d0",
    "#ffd400",
    "#ffffff",
    "#000000",
    "#ff0000",
    "#00ff00",
    "#808080",
    "#c2185b",
    "#7fd1ae",
]


@pytest.mark.parametrize("accent", COLOURS)
def test_any_accent_can_be_read(accent: str) -> None:
    sheet = theme.stylesheet(accent)
    found = [theme.colour(text) for text in re.findall(r"#[0-9a-f]{6}", sheet)]
    fill_light, fill_dark, on_light, on_dark, link_light, link_dark = found
    assert theme.contrast(on_light, fill_light) >= 4.5
    assert theme.contrast(on_dark, fill_dark) >= 4.5
    assert theme.contrast(link_light, WHITE) >= 4.5
    assert theme.contrast(link_dark, DARK) >= 4.5


@pytest.mark.parametrize("accent", ["red", "#fff", "#12345", "#0e6b5c; } body { display: none", ""])
def test_what_is_no_colour_is_ours(accent: str) -> None:
    assert theme.stylesheet(accent) == theme.stylesheet(theme.OURS)


async def test_the_stylesheet_and_the_icon_are_served(site: Site) -> None:
    person = site.visitor()
    sheet = await person.client.get("/theme.css")
    assert sheet.headers["content-type"].startswith("text/css")
    assert "--accent" in sheet.text
    icon = await person.client.get("/icon.svg")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert site.server.settings.accent in icon.text
