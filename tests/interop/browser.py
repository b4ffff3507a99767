"""A person with a browser: follows redirects, logs in, allows or denies, and stops where the app takes over."""

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPMessage, HTTPResponse
from http.cookiejar import CookieJar
from typing import IO


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Hands every redirect back, so that each step is seen."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    ticked: list[tuple[str, str]] = field(default_factory=list)
    buttons: set[tuple[str, str]] = field(default_factory=set)
    asks_password: bool = False


class Forms(HTMLParser):
    """The forms of a page as they would be sent: fields with what stands in them, boxes that are ticked, buttons."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
            self._open = True
        elif tag in ("input", "button") and self._open:
            self._add_control(self.forms[-1], tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False

    def _add_control(self, form: Form, tag: str, given: Mapping[str, str]) -> None:
        kind = given.get("type", "text" if tag == "input" else "submit").lower()
        name, value = given.get("name", ""), given.get("value", "")
        if kind == "submit":
            form.buttons.add((name, value))
        elif kind in ("checkbox", "radio"):
            form.ticked += [(name, value)] * ("checked" in given)
        else:
            form.fields[name] = value
            form.asks_password |= kind == "password"


@dataclass(frozen=True)
class Page:
    url: str
    status: int
    location: str | None
    html: str


class Browser:
    """One visitor with cookies of their own; it runs no scripts and fills in what the forms ask for."""

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self.password = password
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), NoRedirect, urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def follow(self, url: str, until: str | None, decision: str = "allow") -> str:
        """Go to `url`, do what the pages ask, and say with which URL the browser came back to `until`.

        None is for a device, which nobody comes back to: the last page, which asks nothing more.
        """
        page = self._load(url)
        logged_in = False
        for _ in range(20):
            if page.location is not None:
                if until is not None and page.location.startswith(until):
                    return page.location
                page = self._load(urllib.parse.urljoin(page.url, page.location))
                continue
            form = self._form(page)
            if form is None:
                assert until is None, f"neither login nor consent: {page.status} {page.url}\n{page.html}"
                return page.html
            if form.asks_password:
                assert not logged_in, f"the login was refused: {page.url}\n{page.html}"
                logged_in = True
                answers = {"username": self.username, "password": self.password}
            else:
                answers = {"decision": decision} if form.buttons & {("decision", decision)} else {}
            sent = [*(form.fields | answers).items(), *form.ticked]
            page = self._load(urllib.parse.urljoin(page.url, form.action), sent)
        raise AssertionError(f"twenty steps and not back at {until}: {page.url}")

    def _form(self, page: Page) -> Form | None:
        """The form that logs in, decides, or takes the code of a device; a page may carry others."""
        for form in Forms(page.html).forms:
            asks = "user_code" in form.fields or {("decision", "allow"), ("decision", "deny")} <= form.buttons
            if asks or (form.asks_password and {"username", "password"} <= form.fields.keys()):
                return form
        return None

    def _load(self, url: str, fields: Iterable[tuple[str, str]] | None = None) -> Page:
        body = None if fields is None else urllib.parse.urlencode(list(fields)).encode()
        request = urllib.request.Request(url, body, {"Accept": "text/html"})
        try:
            with self._opener.open(request, timeout=20) as response:
                return _page(url, response)
        except urllib.error.HTTPError as answer:
            with answer:
                return _page(url, answer)


def _page(url: str, response: HTTPResponse | urllib.error.HTTPError) -> Page:
    redirects = response.status in (301, 302, 303, 307, 308)
    location = response.headers["Location"] if redirects else None
    return Page(url, response.status or 0, location, response.read().decode("utf-8", "replace"))
