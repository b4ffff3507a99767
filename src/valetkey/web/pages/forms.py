"""What the forms of every audience share: who sends them, what is wrong with them, and the word that it is done."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from valetkey.server.login import SignedIn, Throttled, check_password
from valetkey.server.problems import Problems
from valetkey.web import guard

Errors = dict[str, str]
Endpoint = Callable[[Request], Awaitable[Response]]

DONE = {
    "saved": "Saved.",
    "email": "Your e-mail address was changed.",
    "picture": "Your picture was changed.",
    "password": "Your password was changed. Other browsers were logged out, and apps have to ask you again.",
    "session": "Logged out there.",
    "removed": "The app was removed. It cannot use your account any more.",
    "invited": "Invited.",
    "uninvited": "The invitation was taken back.",
    "deleted": "The app was deleted.",
}


def signed_in_only(endpoint: Callable[[Request, SignedIn], Awaitable[Response]]) -> Endpoint:
    """A page for somebody who is logged in; others log in first and then come back to it."""

    @wraps(endpoint)
    async def asks(request: Request) -> Response:
        who = await guard.signed_in(request)
        if who is not None:
            return await endpoint(request, who)
        back = guard.path_of(request) if request.method != "POST" else "/"
        return RedirectResponse("/accounts/login/?" + urlencode({"next": back}), 303)

    return asks


def back_to(path: str, done: str) -> Response:
    """To a page by GET, which then says what was done."""
    return RedirectResponse(f"{path}?done={done}", 303)


def done_words(request: Request) -> str:
    """What the page before this one did, in words."""
    return DONE.get(request.query_params.get("done", ""), "")


def said(problems: Problems, labels: Mapping[str, tuple[str, str]]) -> Errors:
    """Problems as whole sentences. labels: name of a field -> the id of its input, and how people read it."""
    known = ((labels.get(name, (name, name)), words) for name, words in problems.fields.items())
    return {key: f"{label} {words}." for (key, label), words in known}


def wait(throttled: Throttled) -> str:
    """How long to wait."""
    minutes = -(-throttled.seconds // 60)
    return (
        f"Too many tries. Please wait {'a minute' if minutes == 1 else f'{minutes} minutes'}, then try again."
    )


async def password_wrong(request: Request, who: SignedIn, password: str | None) -> str:
    """What is wrong with the password that was asked for again before something that matters; "" if it is right."""
    right = await check_password(
        guard.server_of(request), who.account, password or "", guard.network(request)
    )
    if isinstance(right, Throttled):
        return wait(right)
    return "" if right else "That is not your password."
