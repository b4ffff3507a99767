"""Pushed requests: which one is meant, and that nothing beside it counts (RFC 9126 4; A17)."""

from dataclasses import replace as other_rules
from typing import Any

import pytest
from msgspec.structs import replace

from tests.protocol.samples import NOW, client, digest, params
from valetkey.protocol.errors import InvalidRequest, InvalidRequestUri, OAuthError
from valetkey.protocol.model import PushedRequest, Registration
from valetkey.protocol.params import parse
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.pushed_request import LIFETIME, URN, query, resolve

URI = URN + "x" * 43
PUSHED = PushedRequest(digest(URI), "app", b"client_id=app&state=a%20b&scope=", NOW + 1)
BESIDE = {"client_id": "app", "state": "other", "redirect_uri": "https://evil.test/"}
STRICT = other_rules(OAUTH21, pushing="must")
PUSHES = client(registered=Registration(require_pushed_authorization_requests=True))


def test_less_than_ten_minutes() -> None:
    assert 5 <= LIFETIME < 600


def test_the_pushed_parameters_and_nothing_beside_them() -> None:
    for profile in (OAUTH21, STRICT):
        found = resolve(params(request_uri=URI, **BESIDE), client(), profile, PUSHED, NOW)
        assert dict(found.items()) == {"client_id": "app", "state": "a b", "scope": ""}
        assert found.as_sent("state") == "a%20b"


def test_a_long_value_that_was_pushed_is_read_again() -> None:
    pushed = replace(PUSHED, query=b"client_id=app&request=" + b"x" * 8192)
    assert resolve(params(request_uri=URI), client(), OAUTH21, pushed, NOW).get("request") == "x" * 8192


def test_who_was_asked_in_time_may_take_theirs() -> None:
    late = replace(PUSHED, expires_at=0)
    assert resolve(params(request_uri=URI), client(), STRICT, late, None).get("state") == "a b"


@pytest.mark.parametrize(
    ("uri", "fields", "reason"),
    [
        ("https://evil.test/request", {}, "request_uri_foreign"),
        ("urn:ietf:params:oauth:request_uri", {}, "request_uri_foreign"),
        (" " + URI, {}, "request_uri_foreign"),
        (URI.upper(), {}, "request_uri_foreign"),
        (URI, None, "request_uri_unknown"),
        (URI, {"client_id": "other"}, "request_uri_unknown"),
        (URI, {"client_id": "other", "spent_at": NOW}, "request_uri_unknown"),
        (URI, {"spent_at": NOW, "expires_at": NOW}, "request_uri_spent"),
        (URI, {"spent_at": 0}, "request_uri_spent"),
        (URI, {"expires_at": NOW}, "request_uri_expired"),
    ],
)
def test_what_is_no_request_of_this_client(uri: str, fields: dict[str, Any] | None, reason: str) -> None:
    pushed = None if fields is None else replace(PUSHED, **fields)
    for now in {NOW, NOW if reason == "request_uri_expired" else None}:
        with pytest.raises(InvalidRequestUri) as no:
            resolve(params(request_uri=uri, **BESIDE), client(), OAUTH21, pushed, now)
        assert no.value.reason == reason


@pytest.mark.parametrize(
    ("app", "profile", "needed"),
    [
        (client(), CLASSIC, False),
        (PUSHES, CLASSIC, False),  # it has nowhere to push
        (client(), OAUTH21, False),
        (PUSHES, OAUTH21, True),
        (client(), STRICT, True),
    ],
)
def test_who_must_push(app: Any, profile: Profile, needed: bool) -> None:
    sent = params(**BESIDE)
    for empty in (sent, params(request_uri="", **BESIDE)):
        if needed:
            with pytest.raises(InvalidRequest) as no:
                resolve(empty, app, profile, None, NOW)
            assert no.value.reason == "push_missing"
        else:
            assert resolve(empty, app, profile, None, NOW) is empty


def test_classic_knows_no_request_uri() -> None:
    sent = params(request_uri=URI, **BESIDE)
    assert resolve(sent, client(), CLASSIC, PUSHED, NOW) is sent


def test_what_is_kept_of_a_pushed_request() -> None:
    body = (
        b"state=a+b%2Fc/d&client_secret=s3cret&client_assertion=jwt&client_assertion_type=urn=a&client_id=x"
        b"&empty=&redirect_uri=https%3A%2F%2Frp.test%2Fcb%3Fa%3Db&odd%26n/me=%C3%A9"
    )
    kept = query(parse(body), client(), "")
    assert kept == (
        b"client_id=app&state=a+b%2Fc/d&redirect_uri=https%3A%2F%2Frp.test%2Fcb%3Fa%3Db&odd%26n%2Fme=%C3%A9"
    )
    again = parse(kept)
    assert again.get("redirect_uri") == "https://rp.test/cb?a=b" and again.get("odd&n/me") == "é"
    assert again.as_sent("state") == "a+b%2Fc/d"


def test_a_client_that_is_an_address_with_a_query_is_kept_as_one_value() -> None:
    address = "https://agent.example/a?b=c&redirect_uri=d&e=+%41"
    kept = parse(query(params(redirect_uri="https://rp.test/cb"), client(id=address), ""))
    assert (kept.get("client_id"), kept.get("redirect_uri")) == (address, "https://rp.test/cb")


def test_what_came_as_multipart_is_kept_too() -> None:
    assert query(params(state="a b&c=d\r\n"), client(), "") == b"client_id=app&state=a%20b%26c%3Dd%0D%0A"


def test_the_errors_have_their_registered_code() -> None:
    assert InvalidRequestUri.code == "invalid_request_uri" and issubclass(InvalidRequestUri, OAuthError)


def test_the_key_of_a_proof_beside_it_is_kept_as_dpop_jkt() -> None:
    key = "x" * 43
    for sent in (params(state="S"), params(state="S", dpop_jkt=key)):
        assert parse(query(sent, client(), key)).get("dpop_jkt") == key


def test_what_was_pushed_several_times_is_there_several_times() -> None:
    pushed = replace(PUSHED, query=b"client_id=app&resource=https://a.test&resource=https://b.test")
    found = resolve(params(request_uri=URI), client(), OAUTH21, pushed, NOW)
    assert found.all("resource") == ("https://a.test", "https://b.test")


def test_a_client_that_is_known_by_an_address() -> None:
    kept = query(params(state="S"), client(id="https://app.test/about?a=b"), "")
    assert kept == b"client_id=https%3A%2F%2Fapp.test%2Fabout%3Fa%3Db&state=S"
