"""Who may register a client or change one, and what is answered (RFC 7591 3, RFC 7592 2)."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.protocol.samples import BOOK, ISSUER, NOW, SECRET, digest, secret
from valetkey.protocol.changes import Draw
from valetkey.protocol.endpoints import register
from valetkey.protocol.errors import InvalidClientMetadata, InvalidToken
from valetkey.protocol.model import NOBODY, Client, Registration
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.rules.headers import Headers

OWN = Registration(("authorization_code",), "client_secret_basic", registration_token=digest("vk_ra_x"))
CLIENT = Client(
    "app", NOBODY, "App", "web", "oauth21", ("https://a.test/cb",), NOW, (secret(),), registered=OWN
)
INITIAL = RegistrationToken(digest("vk_ia_x"), "ia_x", NOW, NOW + 60, 1)
SAID: dict[str, Any] = {"client_id": "app", "redirect_uris": ["https://a.test/cb"]}


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("Bearer vk_ra_x", "vk_ra_x"),
        ("bearer  vk_ra_x", "vk_ra_x"),
        ("Bearer abc==", "abc=="),
    ],
)
def test_a_token_that_is_shown(header: str | None, token: str | None) -> None:
    assert register.shown(Headers(header)) == token


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer a b", "Bearer\ta", "Basic abc", 'Bearer "a"']
)
def test_what_is_no_token(header: str) -> None:
    with pytest.raises(InvalidToken):
        register.shown(Headers(header))


def test_where_not_everybody_may_come_a_token_is_needed() -> None:
    register.check_asked(None, everybody=True)
    register.check_asked("vk_ia_x", everybody=False)
    with pytest.raises(InvalidToken) as refused:
        register.check_asked(None, everybody=False)
    assert refused.value.reason == "initial_token_missing"


def test_an_initial_access_token_is_used_up() -> None:
    assert register.admit(INITIAL, NOW + 59) == (Draw(INITIAL.digest, NOW + 59),)
    for token, now in ((None, NOW), (INITIAL, NOW + 60), (replace(INITIAL, uses=0), NOW)):
        with pytest.raises(InvalidToken):
            register.admit(token, now)


def test_a_request_is_read() -> None:
    found = register.read(json.dumps(SAID).encode(), BOOK.profiles["oauth21"], BOOK)
    assert found.registered == Registration(("authorization_code",), "client_secret_basic")
    asked = json.dumps(SAID | {"scope": "basic fly"}).encode()
    assert register.read(asked, BOOK.profiles["oauth21"], BOOK).registered.scope == ("basic",)
    with pytest.raises(InvalidClientMetadata):
        register.read(b'{"a":1,"a":2}', BOOK.profiles["oauth21"], BOOK)


@pytest.mark.parametrize("said", [{}, {"client_secret": SECRET}, {"scope": "basic"}])
def test_an_update_is_read(said: dict[str, Any]) -> None:
    found = register.read_change(json.dumps(SAID | said).encode(), CLIENT, BOOK, NOW)
    assert found.redirect_uris == CLIENT.redirect_uris
    assert found.registered.token_endpoint_auth_method == "client_secret_basic"


def test_a_secret_that_has_ended_proves_nothing() -> None:
    ended = replace(CLIENT, secrets=(secret(expires_at=NOW),))
    said = json.dumps(SAID | {"client_secret": SECRET}).encode()
    assert register.read_change(said, ended, BOOK, NOW - 1).redirect_uris == CLIENT.redirect_uris
    with pytest.raises(InvalidClientMetadata):
        register.read_change(said, ended, BOOK, NOW)


@pytest.mark.parametrize(
    "said",
    [
        {"client_id": None},
        {"client_id": "other"},
        {"client_secret": "other"},
        {"client_secret": 1},
        *({name: "x"} for name in register.OURS),
    ],
)
def test_what_no_update_may_say(said: dict[str, Any]) -> None:
    with pytest.raises(InvalidClientMetadata):
        register.read_change(json.dumps(SAID | said).encode(), CLIENT, BOOK, NOW)


def test_only_the_holder_may_change_it() -> None:
    assert register.check_holder(CLIENT, "vk_ra_x") is CLIENT
    tokenless = replace(CLIENT, registered=Registration())
    for client, token in (
        (None, "vk_ra_x"),
        (None, None),
        (CLIENT, None),
        (CLIENT, "vk_ra_y"),
        (tokenless, None),
        (tokenless, ""),
        (replace(CLIENT, owner_id=9), "vk_ra_x"),
        (replace(CLIENT, disabled_at=NOW), "vk_ra_x"),
    ):
        with pytest.raises(InvalidToken) as refused:
            register.check_holder(client, token)
        kind = "missing" if token is None else "bad"
        assert refused.value.reason == f"registration_token_{kind}"


@pytest.mark.parametrize("left_at", [0, NOW - 1, NOW])
def test_one_that_was_on_its_way_may_go(left_at: int) -> None:
    """And nothing else; nor may one that an operator shut out."""
    registered = replace(CLIENT.registered, left_at=left_at)
    leaving = replace(CLIENT, disabled_at=NOW, registered=registered)
    with pytest.raises(InvalidToken):
        register.check_holder(leaving, "vk_ra_x")
    if left_at == NOW:
        assert register.check_holder(leaving, "vk_ra_x", going=True) is leaving
        return
    with pytest.raises(InvalidToken):
        register.check_holder(leaving, "vk_ra_x", going=True)


@pytest.mark.parametrize(
    ("method", "yes"),
    [
        ("client_secret_basic", True),
        ("client_secret_post", True),
        ("client_secret_jwt", True),
        ("private_key_jwt", False),
        ("tls_client_auth", False),
        ("none", False),
    ],
)
def test_who_needs_a_secret(method: str, yes: bool) -> None:
    said = SAID | {"token_endpoint_auth_method": method}
    found = register.read(json.dumps(said).encode(), BOOK.profiles["oauth21"], BOOK)
    assert register.needs_secret(found) is yes


def test_a_secret_is_told_when_it_is_made() -> None:
    first, later = register.told(CLIENT, BOOK, "vk_ra_x", "s"), register.told(CLIENT, BOOK, "vk_ra_x", None)
    assert (first["client_secret"], first["client_secret_expires_at"]) == ("s", 0)
    assert {name: value for name, value in first.items() if not name.startswith("client_secret")} == later
    assert later["registration_client_uri"] == f"{ISSUER}/oauth/register/app"
    assert later["registration_access_token"] == "vk_ra_x"
