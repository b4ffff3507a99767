"""Where somebody is logged in, and how to end it (G6)."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from valetkey.protocol.model import Session
from valetkey.server import accounts
from valetkey.server.login import SignedIn
from valetkey.web import guard
from valetkey.web.guard import server_of
from valetkey.web.pages.forms import back_to, done_words, signed_in_only
from valetkey.web.render import page

PATH = "/accounts/sessions/"
# What a User-Agent holds -> what people call it; the first that is there counts.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "FxiOS": "Firefox", "CriOS": "Chrome",
            "Chrome": "Chrome", "Safari": "Safari", "curl": "curl", "python": "Python"}  # fmt: skip
SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "CrOS": "ChromeOS",
           "Mac OS X": "Mac", "Linux": "Linux"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One session as the page shows it."""

    id: str
    browser: str
    network: str
    created_at: int
    last_seen_at: int
    current: bool


def in_words(user_agent: str) -> str:
    """Firefox on Linux; what is not known is called a browser."""
    browser = next((words for mark, words in BROWSERS.items() if mark in user_agent), "A browser")
    system = next((words for mark, words in SYSTEMS.items() if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def line(session: Session, current: Session) -> Line:
    """A session in words."""
    browser = in_words(session.user_agent)
    here = session.digest == current.digest
    return Line(
        session.digest.hex(), browser, session.network, session.created_at, session.last_seen_at, here
    )


@signed_in_only
async def sessions(request: Request, who: SignedIn) -> Response:
    """/accounts/sessions/"""
    server = server_of(request)
    if request.method == "POST":
        await end(request, who, (await guard.read_form(request)).get("session") or "")
        return back_to(PATH, "session")
    lines = [line(session, who.session) for session in await accounts.sessions(server, who.account)]
    lines.sort(key=lambda line: not line.current)
    facts = {"account": who.account, "area": "account", "sessions": lines, "done": done_words(request)}
    return page(request, "account/sessions.html", facts)


async def end(request: Request, who: SignedIn, named: str) -> None:
    """End the session named, or all but this one."""
    server = server_of(request)
    for session in await accounts.sessions(server, who.account):
        chosen = named in ("others", session.digest.hex())
        if chosen and session.digest != who.session.digest:
            await accounts.end_session(server, who.account, session.digest)


ROUTES = [Route(PATH, sessions, methods=["GET", "POST"])]
