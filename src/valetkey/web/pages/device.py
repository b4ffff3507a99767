"""The device page: a person types the code that their device shows, and answers for it (RFC 8628 3.3, 5.4)."""

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from valetkey.protocol.decision import AskDevice, DeviceAnswered, DeviceUnknown
from valetkey.protocol.rules import user_code
from valetkey.server import device as acts
from valetkey.server.device import ShowDevice
from valetkey.server.login import SignedIn, Throttled
from valetkey.web import guard
from valetkey.web.guard import server_of
from valetkey.web.pages.consent import answered, asked_in_words
from valetkey.web.pages.forms import signed_in_only, wait
from valetkey.web.pages.login import with_next
from valetkey.web.render import page

log = structlog.get_logger("valetkey.device")
PATH = "/device"
AGAIN = "Please type the code once more."
# reason -> what a person is told
WORDS = {
    "user_code_malformed": "That is no code: it has eight letters, as WDJB-MJHT.",
    "user_code_unknown": "No device shows this code. Compare it letter by letter.",
    "user_code_expired": "This code has expired. Start again on your device, and it shows a new one.",
    "user_code_answered": "This code was answered before. Start again on your device if you need a new one.",
    "not_a_tester": "The app on your device is still being built: only its developers and their guests can use it.",
}
CONNECTED = {
    "title": "Your device is connected",
    "words": "You can close this page. Under Connected apps you see what it may do, and can end it.",
    "onward": "/accounts/manage_access/",
    "onward_words": "Connected apps",
}
NOT_CONNECTED = {
    "title": "The device was not connected",
    "words": "You said no, so it has no access to your account. You can close this page.",
    "onward": "/",
    "onward_words": "Home",
}


async def device(request: Request) -> Response:
    """/device: an address may bring the code along, but only a person sends it (RFC 8628 3.3.1)."""
    who = await guard.signed_in(request)
    if who is None:
        return RedirectResponse(with_next("/accounts/login/", own_address(request)), 303)
    if request.method != "POST":
        return code_page(request, who, user_code.read(request.query_params.get("user_code", "")) or "")
    typed = (await guard.read_form(request)).get("user_code") or ""
    outcome = await acts.show(server_of(request), who, typed, guard.network(request))
    if isinstance(outcome, Throttled):
        response = code_page(request, who, typed, wait(outcome), 429)
        response.headers["Retry-After"] = str(outcome.seconds)
        return response
    if isinstance(outcome, ShowDevice):
        return confirmation(request, outcome.ask, outcome.ticket)
    assert isinstance(outcome, DeviceUnknown), outcome
    return refused(request, who, outcome, typed)


@signed_in_only
async def answer(request: Request, who: SignedIn) -> Response:
    """POST /device/consent: CSRF token, ticket and decision; the code itself is in the ticket (R12)."""
    given = await guard.read_form(request)
    outcome = await acts.answer(server_of(request), who, given.get("ticket") or "", answered(given))
    if isinstance(outcome, DeviceAnswered):
        return page(request, "message.html", CONNECTED if outcome.said == "allow" else NOT_CONNECTED)
    assert isinstance(outcome, DeviceUnknown), outcome
    return refused(request, who, outcome, "")


def own_address(request: Request) -> str:
    """This page, with the code that its address brought along if it is one."""
    code = user_code.read(request.query_params.get("user_code", ""))
    return f"{PATH}?user_code={user_code.spelled(code)}" if code else PATH


def code_page(request: Request, who: SignedIn, typed: str, wrong: str = "", status: int = 200) -> Response:
    """Where the code is typed."""
    code = user_code.read(typed)
    facts = {
        "account": who.account,
        "form": {"user_code": user_code.spelled(code) if code else typed[:40]},
        "errors": {"user_code": wrong} if wrong else {},
        "switch_account": with_next("/accounts/login/", own_address(request)),
    }
    return page(request, "device.html", facts, status)


def refused(request: Request, who: SignedIn, outcome: DeviceUnknown, typed: str) -> Response:
    """There is nothing to answer: say why, and let them type it again."""
    reason = outcome.error.reason
    log.info("device_refused", reason=reason)
    return code_page(request, who, typed, WORDS.get(reason, AGAIN), 400)


def confirmation(request: Request, ask: AskDevice, ticket: str) -> Response:
    """Ask; the page says that this is a device, and shows its code."""
    shown = user_code.spelled(ask.user_code)
    facts = asked_in_words(request, ask, ask.scope) | {
        "user_code": shown,
        "ticket": ticket,
        "switch_account": with_next("/accounts/login/", f"{PATH}?user_code={shown}"),
    }
    return page(request, "device_consent.html", facts)


ROUTES = [
    Route(PATH, device, methods=["GET", "POST"]),
    Route(f"{PATH}/", device, methods=["GET"]),
    Route(f"{PATH}/consent", answer, methods=["POST"]),
]
