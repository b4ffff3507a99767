"""An app asks for itself (RFC 6749 4.4; D3)."""

from typing import Any

import pytest

from tests.protocol.samples import BOOK, NOW, client, params, public
from valetkey.protocol.decision import Granted
from valetkey.protocol.errors import InvalidScope, OAuthError, UnauthorizedClient
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.grants.client_credentials import decide
from valetkey.protocol.model import NOBODY, Authorization, Client, Registration, Terms
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.grant import Proven

LIKES = Registration(scope=("likes", "comments"))


def outcome(app: Client, **pairs: str) -> Granted | OAuthError:
    try:
        return decide(Proven(params(**pairs), app, OAUTH21, ExchangeFacts(app), BOOK, NOW))
    except OAuthError as error:
        return error


@pytest.mark.parametrize(
    ("app", "pairs", "scope"),
    [
        (client(type="service"), {}, ("basic",)),
        (client(type="service"), {"scope": "likes"}, ("likes",)),
        (client(registered=LIKES), {}, ("likes", "comments")),
        (client(registered=LIKES), {"scope": "comments"}, ("comments",)),
    ],
)
def test_it_gets_what_it_registered(app: Client, pairs: dict[str, str], scope: tuple[str, ...]) -> None:
    root = Authorization(0, NOBODY, "app", (), NOW)
    assert outcome(app, **pairs) == Granted(root, None, OAUTH21, 3600, (), Terms(scope=scope), None, True)


def test_all_its_tokens_stand_under_one_authorization() -> None:
    app, own = client(type="service"), Authorization(7, NOBODY, "app", (), NOW - 9)
    granted = decide(Proven(params(scope="likes"), app, OAUTH21, ExchangeFacts(app, own=own), BOOK, NOW))
    assert granted == Granted(own, None, OAUTH21, 3600, (), Terms(scope=("likes",)))


@pytest.mark.parametrize(
    ("app", "pairs", "kind", "reason"),
    [
        (public(), {}, UnauthorizedClient, "client_public"),
        (client(registered=LIKES), {"scope": "basic"}, InvalidScope, "scope_unregistered"),
        (client(registered=LIKES), {"scope": "likes basic"}, InvalidScope, "scope_unregistered"),
        (client(), {"scope": "unknown"}, InvalidScope, "scope_unknown"),
    ],
)
def test_it_gets_nothing_else(app: Client, pairs: dict[str, str], kind: type[Any], reason: str) -> None:
    error = outcome(app, **pairs)
    assert type(error) is kind and error.reason == reason


def test_it_is_bound_to_the_key_of_who_asks() -> None:
    app = client(type="service")
    asked = Proven(params(), app, OAUTH21, ExchangeFacts(app), BOOK, NOW, Terms(jkt="k"))
    assert decide(asked).terms == Terms(scope=("basic",), jkt="k")
