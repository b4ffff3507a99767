"""A browser of a few lines: cookies, redirects, forms; logs in and says yes on other people's pages."""

import http.cookiejar
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

REDIRECT = "https://rp.test/cb"
STEPS = 12
FORM = "application/x-www-form-urlencoded"


class Forms(HTMLParser):
    """The forms of a page that are sent by POST: where to, and what with, their first button pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.pressed = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        if tag == "form" and (told.get("method") or "").lower() == "post":
            self.found.append((told.get("action") or "", {}))
            self.pressed = False
        elif tag in ("input", "button") and self.found:
            self.field(told, told.get("type") or ("submit" if tag == "button" else "text"))

    def field(self, told: Mapping[str, str | None], kind: str) -> None:
        name, value = told.get("name"), told.get("value") or ""
        if kind == "submit":
            # Where a button says "allow", that is the one.
            if not name or (self.pressed and name != "allow"):
                return
            self.pressed = True
        if name and not (kind == "submit" and name == "cancel"):
            self.found[-1][1][name] = value or ("on" if kind == "checkbox" else "")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Browser:
    """One person's, at one server."""

    def __init__(self, base: str) -> None:
        self.base, self.jar = base, http.cookiejar.CookieJar()
        cookies, no_proxy = urllib.request.HTTPCookieProcessor(self.jar), urllib.request.ProxyHandler({})
        self.opener = urllib.request.build_opener(no_proxy, NoRedirect, cookies)

    def send(self, method: str, path: str, body: bytes | None = None, kind: str = FORM) -> Any:
        """(status, headers, text), whatever the status is."""
        headers = {"Content-Type": kind} if body is not None else {}
        asked = urllib.request.Request(urljoin(self.base, path), body, headers, method=method)
        try:
            answer = self.opener.open(asked, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read().decode()

    def send_json(self, method: str, path: str, content: Any) -> None:
        status, _, text = self.send(method, path, json.dumps(content).encode(), "application/json")
        assert status < 400, f"{path}: {status} {text[:300]}"

    def walk(self, path: str, fill: Mapping[str, str]) -> str:
        """Follow redirects and send forms until the server sends us to the client; that address."""
        where, body = urljoin(self.base, path), None
        for _ in range(STEPS):
            status, headers, text = self.send("GET" if body is None else "POST", where, body)
            if status in (301, 302, 303, 307):
                where, body = urljoin(where, headers["Location"]), None
                if where.startswith(REDIRECT):
                    return where
                continue
            forms = Forms()
            forms.feed(text)
            assert forms.found, f"no form at {where}: {status} {text[:300]}"
            action, fields = next((form for form in forms.found if fill.keys() & form[1]), forms.found[0])
            where = urljoin(where, action)
            body = urlencode({name: fill.get(name, value) for name, value in fields.items()}).encode()
        raise AssertionError(f"{path} did not lead back to the client")

    def cookie(self, path: str) -> str:
        asked = urllib.request.Request(urljoin(self.base, urlsplit(path).path))
        self.jar.add_cookie_header(asked)
        return asked.get_header("Cookie") or ""
