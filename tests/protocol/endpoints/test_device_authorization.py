"""A device wants its person to log in (RFC 8628 3.1): whose it is, and what it may ask for."""

from dataclasses import replace as other_rules

import pytest

from tests.protocol.samples import BOOK, NOW, SECRET, client, headers, params, public, query
from valetkey.protocol.changes import Once
from valetkey.protocol.client_auth import METHODS
from valetkey.protocol.decision import DeviceWaits, Refused
from valetkey.protocol.detail_type import DetailType
from valetkey.protocol.endpoints.device_authorization import decide, read
from valetkey.protocol.errors import InvalidRequest
from valetkey.protocol.facts import NOTHING_KNOWN
from valetkey.protocol.grants.device_code import DEVICE_CODE
from valetkey.protocol.model import Client, Registration, Terms
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.credentials import ClientAuth
from valetkey.protocol.rules.rulebook import Rulebook

MAY = Registration(grant_types=(DEVICE_CODE.name,))
BOX = public(type="native", profile="oauth20", registered=MAY)
SERVER = client(profile="oauth20", registered=MAY)
WITH_SECRET = {"client_secret": SECRET}


def outcome(app: Client | None, book: Rulebook = BOOK, **pairs: str) -> DeviceWaits | Refused:
    request = read(params(client_id="app", **pairs), query(), headers(), OAUTH21)
    return decide(request, app, NOTHING_KNOWN, book, NOW)


@pytest.mark.parametrize(
    ("app", "pairs", "scope"),
    [
        (BOX, {}, ("basic",)),
        (BOX, {"scope": "likes comments"}, ("likes", "comments")),
        (SERVER, WITH_SECRET, ("basic",)),
    ],
)
def test_it_waits(app: Client, pairs: dict[str, str], scope: tuple[str, ...]) -> None:
    assert outcome(app, **pairs) == DeviceWaits(app, scope)


@pytest.mark.parametrize(
    ("app", "pairs", "code", "reason"),
    [
        (None, {}, "invalid_client", "client_unknown"),
        (SERVER, {}, "invalid_client", "secret_missing"),
        (SERVER, {"client_secret": "no"}, "invalid_client", "secret_wrong"),
        (client(), WITH_SECRET, "invalid_client", "client_unknown"),
        (public(profile="oauth20"), {}, "unauthorized_client", "grant_type_forbidden"),
        (client(registered=MAY), WITH_SECRET, "invalid_client", "client_unknown"),  # classic
        (BOX, {"scope": "unknown"}, "invalid_scope", "scope_unknown"),
        (
            public(profile="oauth20", registered=Registration(grant_types=MAY.grant_types, scope=("likes",))),
            {"scope": "likes comments"},
            "invalid_scope",
            "scope_unregistered",
        ),
    ],
)
def test_it_is_refused(app: Client | None, pairs: dict[str, str], code: str, reason: str) -> None:
    refused = outcome(app, **pairs)
    assert isinstance(refused, Refused)
    assert (refused.error.code, refused.error.reason) == (code, reason)
    assert refused.profile is (OAUTH20 if app and app.profile == "oauth20" else OAUTH21)


def test_nothing_is_taken_from_the_query() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(params(client_id="app"), query(scope="likes"), headers(), OAUTH20)
    assert caught.value.reason == "query_used"


def test_what_proves_the_client_is_written_with_either_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Once(b"jti", NOW + 60)
    monkeypatch.setitem(METHODS, "none", ClientAuth("none", lambda *_: (once,)))
    assert outcome(BOX).changes == (once,)
    assert outcome(BOX, scope="unknown").changes == (once,)


def test_the_servers_that_a_device_names() -> None:
    """RFC 8707 2."""
    found = outcome(BOX, resource="https://a.test/")
    assert found == DeviceWaits(BOX, ("basic",), (), Terms(resource=("https://a.test/",)))
    refused = outcome(BOX, resource="nonsense")
    assert isinstance(refused, Refused) and refused.error.code == "invalid_target"


def test_what_a_device_asks_for_in_detail() -> None:
    """RFC 9396 2: wherever a scope can be asked for."""
    rich = other_rules(BOOK, details={"payment": DetailType("payment")})
    asked = '[ {"type":"payment"} ]'
    found = outcome(BOX, rich, authorization_details=asked)
    assert found == DeviceWaits(BOX, ("basic",), (), Terms(details='[{"type":"payment"}]'))
    for wrong, book in ((asked, BOOK), ("nonsense", rich), ("[]", rich)):
        refused = outcome(BOX, book, authorization_details=wrong)
        assert isinstance(refused, Refused) and refused.error.code == "invalid_authorization_details"
