"""What people see when something is wrong: plain words and a short reference, never a link to a bad address."""

from starlette.requests import Request
from starlette.responses import Response

from valetkey.web.render import page

AGAIN = "If this keeps happening, tell whoever sent you here the reference below."


def error_page(request: Request, status: int, title: str, words: str, reference: str) -> Response:
    """A page that says what is wrong, and what to do about it."""
    advice = AGAIN if status in (400, 403) else ""
    facts = {"title": title, "words": words, "advice": advice, "reference": reference}
    return page(request, "error.html", facts, status)
