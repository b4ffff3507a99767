"""The client authentication methods (RFC 6749 2.3; D3)."""

import pytest

from tests.protocol.samples import BOOK, NOW, SECRET, client, public, secret
from valetkey.protocol.client_auth import METHODS, authenticate
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.facts import NOTHING_KNOWN
from valetkey.protocol.model import Client, Registration
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.rules.credentials import Credentials

WITH_SECRET = ("client_secret_basic", "client_secret_post")


@pytest.mark.parametrize("method", WITH_SECRET)
@pytest.mark.parametrize("app", [client(), client(type="service"), client(secrets=(secret("a"), secret()))])
def test_the_secret_proves_who_it_is(method: str, app: Client) -> None:
    assert METHODS[method].check(app, Credentials("app", SECRET, method), NOTHING_KNOWN, BOOK, NOW) == ()


@pytest.mark.parametrize("method", WITH_SECRET)
@pytest.mark.parametrize(
    ("app", "shown"),
    [
        (client(), "wrong"),
        (client(), ""),
        (client(), None),
        (client(secrets=()), SECRET),
        (client(secrets=(secret(SECRET, NOW),)), SECRET),
        (public(), SECRET),
        (public(), ""),
        (public(), None),
    ],
)
def test_nothing_else_does(method: str, app: Client, shown: str | None) -> None:
    with pytest.raises(InvalidClient) as caught:
        METHODS[method].check(app, Credentials("app", shown, method), NOTHING_KNOWN, BOOK, NOW)
    assert (caught.value.reason, caught.value.changes) == ("secret_wrong", ())


@pytest.mark.parametrize(
    ("app", "ok"),
    [
        (public(), True),
        (public(type="native"), True),
        (client(), False),
        (client(type="service"), False),
        (client(secrets=()), False),
    ],
)
def test_only_a_public_client_need_not_prove_it(app: Client, ok: bool) -> None:
    shown = Credentials("app", None, "none")
    if ok:
        assert METHODS["none"].check(app, shown, NOTHING_KNOWN, BOOK, NOW) == ()
        return
    with pytest.raises(InvalidClient) as caught:
        METHODS["none"].check(app, shown, NOTHING_KNOWN, BOOK, NOW)
    assert caught.value.reason == "secret_missing"


@pytest.mark.parametrize("registered", ["", "client_secret_post", "client_secret_basic", "private_key_jwt"])
def test_a_client_that_registered_a_method_has_no_other(registered: str) -> None:
    app = client(profile="oauth20", registered=Registration(token_endpoint_auth_method=registered))
    shown = Credentials("app", SECRET, "client_secret_post")
    if registered in ("", "client_secret_post"):
        assert authenticate(app, shown, NOTHING_KNOWN, BOOK, NOW) == (app, ())
        return
    with pytest.raises(InvalidClient) as caught:
        authenticate(app, shown, NOTHING_KNOWN, BOOK, NOW)
    assert caught.value.reason == "method_unknown"


def test_every_profile_names_known_methods() -> None:
    assert {name: method.name for name, method in METHODS.items()} == {name: name for name in METHODS}
    named = frozenset().union(*(profile.client_auth for profile in PROFILES.values()))
    assert named == set(METHODS)
