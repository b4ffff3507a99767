"""What people see when something is wrong: plain words and a short reference, never a link to a bad address."""

from starlette.requests import Request
from starlette.responses import Response

from valetkey.web.render import page

AGAIN = "If this keeps happening, tell whoever sent you here the reference below."

START_AGAIN = (
    "Please start again",
    "This link was used before, or is too old. Go back to the app to start again. You have not shared anything.",
)
# reason -> what a person is told; they cannot mend it, the app's developer can
PEOPLE = {
    "client_unknown": (
        "This app is not known here",
        "The link you followed names an app that is not registered here.",
    ),
    "redirect_uri_unregistered": (
        "This link does not belong to the app",
        "The app asked to send you to an address that its developer has not registered, so we stopped here. "
        "You have not shared anything.",
    ),
    "not_a_tester": (
        "This app is still being built",
        "Only its developers and the people they invited can use it for now.",
    ),
    "implicit_disabled": (
        "This app asked in a way it may not",
        "Its developer has switched this way of logging in off. You have not shared anything.",
    ),
    "ticket_unknown": (
        "Please start again",
        "This confirmation does not belong to this login. Go back to the app.",
    ),
    "ticket_expired": (
        "That took a while",
        "This question was asked too long ago. Go back to the app to start again.",
    ),
    "ticket_spent": (
        "Already answered",
        "You answered this question before. Go back to the app to start again.",
    ),
    "document_unreachable": (
        "We could not find out who this app is",
        "The app goes by the address of a page that describes it, and nothing could be read there. "
        "Try again in a minute. You have not shared anything.",
    ),
    "document_bad": (
        "This app does not describe itself rightly",
        "What it has published cannot be used here: {message}. Its developer can mend that. "
        "You have not shared anything.",
    ),
    "document_refused": (
        "This app is not let in here",
        "Apps that are published where this one is cannot be used here. You have not shared anything.",
    ),
    "documents_many": (
        "Too many new apps just now",
        "Try again in an hour. You have not shared anything.",
    ),
    "request_uri_spent": START_AGAIN,
    "request_uri_expired": START_AGAIN,
    "request_uri_unknown": START_AGAIN,
    "other": ("The app sent a request we cannot read", "{message}. You have not shared anything."),
}


def error_page(request: Request, status: int, title: str, words: str, reference: str) -> Response:
    """A page that says what is wrong, and what to do about it."""
    advice = AGAIN if status in (400, 403) else ""
    facts = {"title": title, "words": words, "advice": advice, "reference": reference}
    return page(request, "error.html", facts, status)
