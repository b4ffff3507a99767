"""A person with a browser without JavaScript: opens pages, fills in the form that is on them, follows redirects."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx2
from starlette.types import ASGIApp

from tests.interop.browser import Forms

HOME = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery staple"


class Words(HTMLParser):
    """What can be read on a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data


@dataclass(frozen=True)
class Page:
    """One answer."""

    response: httpx2.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        return self.response.request.url.raw_path.decode()

    @property
    def location(self) -> str:
        return self.response.headers.get("location", "")

    @property
    def html(self) -> str:
        return self.response.text

    @property
    def words(self) -> str:
        return " ".join(Words(self.html).text.split())

    @property
    def headings(self) -> list[str]:
        return [" ".join(Words(found).text.split()) for found in re.findall(r"(?s)<h1.*?</h1>", self.html)]

    def hidden(self, action: str) -> dict[str, str]:
        """What the form that goes to `action` sends by itself."""
        forms = [form for form in Forms(self.html).forms if form.action == action]
        assert forms, f"no form on {self.path} goes to {action}: {self.words}"
        return forms[0].fields


class Person:
    """One browser, with cookies of its own."""

    def __init__(self, app: ASGIApp) -> None:
        transport = httpx2.ASGITransport(app=app)
        headers = {"accept": "text/html", "user-agent": "Mozilla/5.0 (X11; Linux) Firefox/150.0"}
        self.client = httpx2.AsyncClient(transport=transport, base_url=HOME, headers=headers)

    async def open(self, path: str) -> Page:
        """GET, and follow redirects as long as they stay here."""
        page = Page(await self.client.get(path))
        while page.location.startswith("/"):
            page = Page(await self.client.get(page.location))
        return page

    async def send(self, page: Page, action: str, **fields: str | None) -> Page:
        """Fill in a form of the page (None: without that field) and send it; follow redirects while they stay here."""
        said = {name: value for name, value in (page.hidden(action) | fields).items() if value is not None}
        sent = Page(await self.client.post(action, data=said))
        return await self.open(sent.location) if sent.location.startswith("/") else sent

    async def log_in(self, username: str, password: str = PASSWORD) -> Page:
        """Through the login page."""
        page = await self.open("/accounts/login/")
        return await self.send(page, "/accounts/login/", username=username, password=password)
