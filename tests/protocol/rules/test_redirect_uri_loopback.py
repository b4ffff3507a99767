"""A native app gets its port when it starts (RFC 8252 7.3, 8.3; A1, A3, A4, A7): any port, and nothing else."""

import pytest

from tests.protocol.samples import client, public
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.redirect_uri import matches, on_another_port

FOUR, SIX, NAME = "http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost/cb"


@pytest.mark.parametrize(
    ("registered", "given"),
    [
        (FOUR, "http://127.0.0.1:1/cb"),
        (FOUR, "http://127.0.0.1:51004/cb"),
        (FOUR, "http://127.0.0.1:65535/cb"),
        (SIX, "http://[::1]:51004/cb"),
        (NAME, "http://localhost:51004/cb"),
        ("http://localhost:8000/cb", "http://localhost:51004/cb"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:51004/cb"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:51004"),
        ("http://127.0.0.1/cb?a=b", "http://127.0.0.1:51004/cb?a=b"),
        ("http://127.0.0.1?a=b", "http://127.0.0.1:51004?a=b"),
    ],
)
def test_any_port(registered: str, given: str) -> None:
    assert on_another_port(registered, given)
    assert on_another_port(given, registered)


@pytest.mark.parametrize(
    "given",
    [
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:8a/cb",
        "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:51004:2/cb",
        "http://127.0.0.1:\N{ARABIC-INDIC DIGIT ONE}/cb",
        "http://127.0.0.1:51004/",
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004/CB",
        "http://127.0.0.1:51004/cb?x=y",
        "http://127.0.0.1:51004/cb#x",
        "http://127.0.0.1:51004/../cb",
        "http://127.0.0.1:51004/cb\n",
        "https://127.0.0.1:51004/cb",
        "HTTP://127.0.0.1:51004/cb",
        "http://127.0.0.2:51004/cb",
        "http://127.0.0.1.evil.example:51004/cb",
        "http://127.0.0.1:51004.evil.example/cb",
        "http://127.0.0.1:51004@evil.example/cb",
        "http://user@127.0.0.1:51004/cb",
        "http://127.0.0.1:51004\\@evil.example/cb",
        "http://2130706433:51004/cb",
        "http://127.1:51004/cb",
        "http://0x7f.0.0.1:51004/cb",
        "http://localhost:51004/cb",
        "http://[::1]:51004/cb",
        "http://[::ffff:127.0.0.1]:51004/cb",
        "http://0.0.0.0:51004/cb",
        "",
    ],
)
def test_nothing_else(given: str) -> None:
    assert not on_another_port(FOUR, given)


@pytest.mark.parametrize(
    "registered",
    [
        "https://127.0.0.1/cb",
        "https://localhost/cb",
        "http://Localhost/cb",
        "http://localhost./cb",
        "http://localhost.evil.example/cb",
        "http://app.example/cb",
        "http://192.168.0.1/cb",
        "app:/cb",
        "",
    ],
)
def test_no_other_host_has_ports_to_choose(registered: str) -> None:
    for given in (registered.replace("/cb", ":51004/cb"), "http://127.0.0.1:51004/cb"):
        assert not on_another_port(registered, given)


@pytest.mark.parametrize(
    "given",
    [
        "http://127.0.0.1:51004/cb",
        "http://[::1]:51004/cb",
        "http://LOCALHOST:51004/cb",
        "http://localhost.:51004/cb",
        "http://localhost.evil.example:51004/cb",
        "http://localhost:51004.evil.example/cb",
        "http://localhost:51004@evil.example/cb",
        "http://localhost:51004/",
        "https://localhost:51004/cb",
    ],
)
def test_a_name_stays_that_name(given: str) -> None:
    """Agents of today register `localhost` without a port and come back to any (RFC 9700 2.1)."""
    assert not on_another_port(NAME, given)


def test_only_native_apps_of_today() -> None:
    native, given = public(type="native"), "http://127.0.0.1:51004/cb"
    assert all(matches(native, profile, FOUR, given) for profile in (OAUTH20, OAUTH21))
    assert not matches(native, CLASSIC, FOUR, given)
    for app in (client(), public(), client(type="service")):
        assert not matches(app, OAUTH21, FOUR, given)
        assert matches(app, OAUTH21, FOUR, FOUR)
    assert matches(native, CLASSIC, FOUR, FOUR + "?this=that") and not matches(
        native, OAUTH21, FOUR, FOUR + "?a=b"
    )
