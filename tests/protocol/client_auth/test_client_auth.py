"""The client authentication methods (RFC 6749 2.3; D3)."""

import pytest

from tests.protocol.samples import NOW, SECRET, client, public, secret
from valetkey.protocol.client_auth import METHODS
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.model import Client
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.rules.credentials import Credentials

WITH_SECRET = ("client_secret_basic", "client_secret_post")


@pytest.mark.parametrize("method", WITH_SECRET)
@pytest.mark.parametrize("app", [client(), client(type="service"), client(secrets=(secret("a"), secret()))])
def test_the_secret_proves_who_it_is(method: str, app: Client) -> None:
    assert METHODS[method].check(app, Credentials("app", SECRET, method), NOW) is None


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
        METHODS[method].check(app, Credentials("app", shown, method), NOW)
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
        assert METHODS["none"].check(app, shown, NOW) is None
        return
    with pytest.raises(InvalidClient) as caught:
        METHODS["none"].check(app, shown, NOW)
    assert caught.value.reason == "secret_missing"


def test_every_profile_names_known_methods() -> None:
    assert {name: method.name for name, method in METHODS.items()} == {name: name for name in METHODS}
    named = frozenset().union(*(profile.client_auth for profile in PROFILES.values()))
    assert named == set(METHODS)
