"""The front door."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from valetkey.web import guard
from valetkey.web.pages.forms import done_words
from valetkey.web.render import page


async def home(request: Request) -> Response:
    """/"""
    who = await guard.signed_in(request)
    facts = {
        "account": who.account if who else None,
        "sign_up_open": guard.server_of(request).settings.accounts.signup,
    }
    return page(request, "home.html", facts | {"done": done_words(request)})


ROUTES = [Route("/", home)]
