"""The look: small, our own, nothing inline, nothing from elsewhere, everything escaped."""

import re
from pathlib import Path

import jinja2
import pytest

from valetkey.web import render

TEMPLATES = sorted((render.HERE / "templates").rglob("*.html"))
STATIC = sorted(render.STATIC.iterdir())
SVG = "http://www.w3.org/2000/svg"


def test_the_stylesheet_is_small() -> None:
    assert (render.STATIC / "pages.css").stat().st_size <= 14 * 1024
    assert (render.STATIC / "pages.js").stat().st_size <= 4 * 1024


@pytest.mark.parametrize("file", [*TEMPLATES, *STATIC], ids=lambda file: file.name)
def test_nothing_is_fetched_from_elsewhere(file: Path) -> None:
    text = file.read_bytes().decode("latin-1").replace(SVG, "")
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+|url\(|@import|data:", text) == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_nothing_is_inline_that_the_policy_would_refuse(file: Path) -> None:
    text = file.read_text()
    assert re.findall(r"<style|<script(?! type=\"module\" src=)|\sstyle=|\son[a-z]+=|javascript:", text) == []
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_templates_are_well_formed_and_every_form_that_posts_has_a_token(file: Path) -> None:
    text = file.read_text()
    render.environment().parse(text)
    forms = re.findall(r'(?s)<form[^>]*method="post".*?</form>', text)
    assert [form for form in forms if "token()" not in form] == []


def test_what_a_page_lacks_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        render.html("message.html", {"operator": "Northlight", "csrf": "x", "here": "/"})


def test_everything_is_escaped() -> None:
    facts = {
        "operator": "<i>",
        "csrf": '"><i>',
        "here": "/",
        "title": "<i>",
        "words": "&",
        "reference": "<i>",
    }
    assert "<i>" not in render.html("error.html", facts | {"advice": "<i>"})


def test_addresses_of_static_files_change_with_their_content() -> None:
    assert re.fullmatch(r"/static/pages\.css\?v=[0-9a-f]{12}", render.asset("pages.css"))


def test_times_for_people() -> None:
    assert render.day(1793887500) == "5 November 2026"
    assert render.minute(1793887500) == "5 November 2026, 14:05 UTC"


@pytest.mark.parametrize(
    ("redirect_uri", "host"),
    [
        ("https://prints.example/callback", "prints.example"),
        ("http://127.0.0.1:5000/", "127.0.0.1:5000"),
        ("ig3f2a://authorize", "an app on this device (ig3f2a:)"),
    ],
)
def test_where_people_go_next(redirect_uri: str, host: str) -> None:
    assert render.host(redirect_uri) == host


@pytest.mark.parametrize(
    ("redirect_uri", "sources"),
    [
        ("https://prints.example/callback", ("https:",)),
        ("http://localhost:5000/", ("http:", "https:")),
        ("HTTPS://prints.example/", ("https:",)),
        ("ig3f2a://authorize", ("ig3f2a:",)),
        ("javascript:alert(1)", ()),
        ("; script-src *", ()),
        ("a b:c", ()),
        ("", ()),
    ],
)
def test_what_a_forms_policy_lets_it_lead_to(redirect_uri: str, sources: tuple[str, ...]) -> None:
    assert render.leads_to(redirect_uri) == sources
