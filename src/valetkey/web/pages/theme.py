"""The operator's accent colour as a stylesheet of its own, in shades that can be read (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from colorsys import hls_to_rgb, rgb_to_hls

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from valetkey.web.guard import server_of
from valetkey.web.render import STATIC

Colour = tuple[float, float, float]

HEX = re.compile(r"#[0-9a-fA-F]{6}")
OURS = "#0e6b5c"
WHITE: Colour = (255, 255, 255)
LIGHT_GROUND: Colour = (241, 240, 235)
DARK_GROUND: Colour = (36, 42, 39)
READABLE = 5.2
SHORTLY = {"Cache-Control": "public, max-age=300"}
CALM = 0.55  # no glaring colours in the dark


def colour(text: str) -> Colour:
    """#rrggbb as numbers; anything else is our own green."""
    digits = (text if HEX.fullmatch(text) else OURS)[1:]
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def luminance(colour: Colour) -> float:
    """Relative luminance (WCAG 2.2)."""
    linear = [c / 12.92 if (c := part / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def readable(accent: Colour, ground: Colour, step: float) -> Colour:
    """The accent, made lighter or darker in its own hue until it can be read on the ground."""
    hue, light, full = rgb_to_hls(*(part / 255 for part in accent))
    shade = accent
    while contrast(shade, ground) < READABLE and 0 <= light + step <= 1:
        light += step
        red, green, blue = hls_to_rgb(hue, light, min(full, CALM) if step > 0 else full)
        shade = red * 255, green * 255, blue * 255
    return shade


def stylesheet(accent: str) -> str:
    """The custom properties that pages.css is drawn with: a fill, what is written on it, and a colour for words."""
    given = colour(accent)
    dark = readable(given, DARK_GROUND, 0.02)
    light = readable(given, LIGHT_GROUND, -0.02)
    fills = f"--accent: light-dark({css(given)}, {css(dark)})"
    inks = f"--on-accent: light-dark({css(ink_on(given))}, {css(ink_on(dark))})"
    return f":root {{ {fills}; {inks}; --link: light-dark({css(light)}, {css(dark)}); }}\n"


def ink_on(fill: Colour) -> Colour:
    """White where it can be read on the fill, else nearly black."""
    return WHITE if contrast(WHITE, fill) >= 4.5 else (15, 20, 18)


def css(colour: Colour) -> str:
    """#rrggbb."""
    return "#" + "".join(f"{round(part):02x}" for part in colour)


async def theme(request: Request) -> Response:
    """/theme.css"""
    sheet = stylesheet(server_of(request).settings.accent)
    return Response(sheet, media_type="text/css", headers=SHORTLY)


async def icon(request: Request) -> Response:
    """/icon.svg: the key in the operator's colour."""
    given = colour(server_of(request).settings.accent)
    drawing = (STATIC / "key.svg").read_text().replace(OURS, css(given)).replace("#fff", css(ink_on(given)))
    return Response(drawing, media_type="image/svg+xml", headers=SHORTLY)


ROUTES = [Route("/theme.css", theme), Route("/icon.svg", icon)]
