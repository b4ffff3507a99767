"""A browser without a screen: cookies, redirects within the site, forms as HTML has them. It runs no scripts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

READS = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
REDIRECTS = (301, 302, 303, 307, 308)
# pages that nobody sees who is not logged in
PRIVATE = (
    "/accounts/edit/",
    "/accounts/manage_access/",
    "/accounts/sessions/",
    "/accounts/password/change/",
    "/developer/",
    "/developer/register/",
)


@dataclass
class Form:
    """A form, and what a browser would send of it if nobody touched anything."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    kinds: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Reader(HTMLParser):
    """The forms, the links and the words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.boxes: dict[str, bool] = {}
        self.open: Form | None = None
        self.area: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "form":
            self.open = Form(given.get("action", ""), given.get("method", "get").upper())
            self.forms.append(self.open)
        elif "form" in given:
            self.boxes[given.get("name", "")] = "checked" in given
        elif self.open is not None and tag in ("input", "button", "textarea"):
            self.control(self.open, tag, given)

    def control(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        kind = given.get("type", {"input": "text", "button": "submit"}.get(tag, tag)).lower()
        if kind == "submit":
            form.buttons.append((name, given.get("value", "")))
            return
        form.kinds[name] = kind
        if tag == "textarea":
            self.area, form.fields[name] = name, ""
        elif kind == "hidden":
            form.hidden.add(name)
            form.fields[name] = given.get("value", "")
        elif kind in ("radio", "checkbox"):
            if "checked" in given:
                form.fields[name] = given.get("value", "on")
        elif kind != "file":
            form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        if tag == "textarea":
            self.area = None

    def handle_data(self, data: str) -> None:
        if self.open is not None and self.area is not None:
            self.open.fields[self.area] += data
        self.words.append(data)


class Page:
    """What the browser shows in the end; `left` is where it was sent beyond the site, `response` the last answer."""

    def __init__(self, url: str, response: httpx2.Response, left: str | None = None) -> None:
        self.url, self.response, self.left = url, response, left
        self.status, self.html = response.status_code, response.text
        self.reader = Reader(self.html)
        self.forms, self.links = self.reader.forms, self.reader.links

    @property
    def text(self) -> str:
        """The words on the page, white space squeezed."""
        return re.sub(r"\s+", " ", " ".join(self.reader.words)).strip()

    def form(self, action: str) -> Form:
        """The form that posts to an address which ends like this."""
        found = [form for form in self.forms if form.action.endswith(action)]
        assert len(found) >= 1, f"no form to {action} on {self.status} {self.url}: {self.text}"
        return found[0]

    @property
    def boxes(self) -> dict[str, bool]:
        """The boxes of the confirmation screen, which stand beside its form, and whether they come ticked."""
        return self.reader.boxes

    @property
    def asks_login(self) -> bool:
        return bool(self.login_forms)

    @property
    def asks_consent(self) -> bool:
        return any(("decision", "allow") in form.buttons for form in self.forms)

    @property
    def login_form(self) -> Form:
        """The form with input[type=password]: fields `username` and `password` (classic.md 5)."""
        assert self.login_forms, f"no login form on {self.status} {self.url}: {self.text}"
        return self.login_forms[0]

    @property
    def login_forms(self) -> list[Form]:
        return [f for f in self.forms if f.kinds.get("password") == "password" and "username" in f.kinds]

    @property
    def consent_form(self) -> Form:
        """The form with the submit buttons name=decision (classic.md 5)."""
        found = [f for f in self.forms if {("decision", "allow"), ("decision", "deny")} <= set(f.buttons)]
        assert found, f"no consent form on {self.status} {self.url}: {self.text}"
        return found[0]


class Browser:
    """One visitor. `cookies` are the values by name; a __Host- prefix is left off in `cookie_names`."""

    def __init__(self, site: str, http: httpx2.AsyncClient) -> None:
        self.site, self.http = site, http
        self.cookies: dict[str, str] = {}

    @property
    def cookie_names(self) -> set[str]:
        return {name.removeprefix("__Host-") for name in self.cookies}

    @property
    def session(self) -> str | None:
        """The id of the session that this browser holds."""
        return self.cookies.get("__Host-valetkey") or self.cookies.get("valetkey")

    async def ask(self, method: str, url: str, **said: Any) -> httpx2.Response:
        """One request, with this browser's cookies; no redirect is followed."""
        fetched = {"sec-fetch-site": "same-origin", "accept": READS, "user-agent": "Mozilla/5.0 Firefox/140"}
        if method == "POST":
            fetched["origin"] = "null"  # what browsers send from a page that sends no referrer
        if self.cookies:
            fetched["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = fetched | said.pop("headers", {})
        self.http.cookies.clear()
        answer = await self.http.request(method, urljoin(self.site, url), headers=headers, **said)
        for line in answer.headers.get_list("set-cookie"):
            self.keep(line)
        return answer

    def keep(self, line: str) -> None:
        """Keep, replace or drop a cookie as its Set-Cookie line says."""
        pair, *attributes = [part.strip() for part in line.split(";")]
        name, _, value = pair.partition("=")
        if "max-age=0" in (attribute.lower() for attribute in attributes):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    async def open(self, url: str, **said: Any) -> Page:
        """Go to an address and follow where it leads, as long as that is within the site."""
        return await self.arrive(urljoin(self.site, url), await self.ask("GET", url, **said))

    async def csrf(self) -> str:
        """What the forms of who is logged in here carry."""
        return (await self.open("/")).form("/logout/").fields["csrf"]

    async def arrive(self, url: str, answer: httpx2.Response) -> Page:
        for _ in range(10):
            if answer.status_code not in REDIRECTS:
                return Page(url, answer)
            assert answer.status_code in (302, 303), "anything else may send a form again (RFC 9700 4.12)"
            where = urljoin(url, answer.headers["location"])
            if urlsplit(where)[:2] != urlsplit(self.site)[:2]:
                return Page(url, answer, where)
            url, answer = where, await self.ask("GET", where)
        raise AssertionError(f"ten redirects and not there yet: {url}")

    async def submit(self, page: Page, form: Form, answers: Mapping[str, str | None], **said: Any) -> Page:
        """Send a form with its hidden fields as they are, these answers, and (None) without those fields."""
        fields = {name: v for name, v in (form.fields | dict(answers)).items() if v is not None}
        url = urljoin(page.url, form.action or page.url)
        if form.method == "GET":
            return await self.arrive(url, await self.ask("GET", url.partition("#")[0], params=fields, **said))
        return await self.arrive(url, await self.ask("POST", url, data=fields, **said))

    async def login(self, page: Page, username: str, password: str) -> Page:
        """Fill in the login form."""
        return await self.submit(page, page.login_form, {"username": username, "password": password})

    async def consent(self, page: Page, decision: str) -> Page:
        """Press Allow or Deny."""
        return await self.submit(page, page.consent_form, {"decision": decision})

    async def fill(self, url: str, action: str, **answers: str | None) -> Page:
        """Open a page and send its form to `action` with these answers."""
        page = await self.open(url)
        return await self.submit(page, page.form(action), answers)
