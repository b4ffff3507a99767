"""Somebody else's app, a photo printer on another site: a link, a popup, and the page people come back to."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

PAGE = """<!doctype html><html lang="en"><title>Photo printer</title>
<link rel="icon" href="data:,">
<p><a id="connect" href="{to}">Connect</a></p>
<p><button id="popup">Connect in a popup</button></p>
<p>The address, as the script sees it: <output id="seen"></output></p>
<script>
  const connect = document.getElementById("connect");
  document.getElementById("popup").onclick = () => open(connect.href, "login", "width=420,height=620");
  addEventListener("message", (event) => {{
    if (event.origin === location.origin) document.getElementById("seen").textContent = event.data;
  }});
  document.getElementById("seen").textContent = location.search + location.hash;
  if (window.opener && location.pathname === "/back") {{
    window.opener.postMessage(location.search + location.hash, location.origin);
    window.close();
  }}
</script></html>"""


def code_in(url: str) -> str:
    """What the app's server takes out of the address that people come back to."""
    (code,) = parse_qs(urlsplit(url).query)["code"]
    return code


@dataclass
class Printer:
    """Where the app is reached, and which addresses were asked of its server."""

    base: str
    to: str = ""
    asked: list[str] = field(default_factory=list)
    waits: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def back(self) -> str:
        """The redirect URI that it registers."""
        return f"{self.base}/back"

    def asgi(self) -> Starlette:
        """The app's server."""
        paths = {"/": self.page, "/back": self.page, "/hop": self.hop, "/slow": self.slow}
        return Starlette(routes=[Route(path, answer) for path, answer in paths.items()])

    async def page(self, request: Request) -> Response:
        """The one page; at /back the person has come home."""
        self.asked.append(str(request.url))
        return HTMLResponse(PAGE.format(to=self.to.replace("&", "&amp;")))

    async def hop(self, request: Request) -> Response:
        """A callback that goes on to another host, as apps do behind their login."""
        self.asked.append(str(request.url))
        return RedirectResponse(f"http://127.0.0.1:{request.url.port}/back?{request.url.query}")

    async def slow(self, request: Request) -> Response:
        """A callback that takes its time: until the test lets it go on."""
        self.waits.set()
        await self.goes_on.wait()
        return await self.page(request)
