"""Who a token request says it is from: one method, whatever the header and the body say (classic.md 3, R9, D1-D3)."""

import base64
from dataclasses import replace
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.samples import params
from valetkey.protocol.errors import InvalidClient, InvalidRequest, OAuthError
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.credentials import Credentials, named, read, read_basic
from valetkey.protocol.rules.headers import Headers

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def b64(data: bytes | str) -> str:
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def basic(name: str, secret: str) -> str:
    return f"Basic {b64(f'{quote_plus(name)}:{quote_plus(secret)}')}"


# --- the header -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("", None),
        ("Bearer abc", None),
        ("Digest username=a", None),
        ("Basically abc", None),
        ("Basic " + b64("app:s"), ("app", "s")),
        ("basic " + b64("app:s"), ("app", "s")),
        ("BASIC  " + b64("app:s") + " ", ("app", "s")),
        ("Basic " + b64("app:s:t"), ("app", "s:t")),
        ("Basic " + b64("app%3A1:s%25+t%2B"), ("app:1", "s% t+")),
        ("Basic " + b64("app:"), ("app", "")),
        ("Basic " + b64(":s"), ("", "s")),
        ("Basic " + b64("é:ü"), ("é", "ü")),
    ],
)
def test_a_basic_header_is_read(header: str | None, found: tuple[str, str] | None) -> None:
    assert read_basic(header) == found


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !",
        "Basic a",
        "Basic " + b64("app"),
        "Basic " + b64("app:s").rstrip("=") + "$",
        "Basic " + b64("app:s") + " " + b64("app:s"),
        "Basic é",
        "Basic " + b64(b"\xff:s"),
        "Basic " + b64("app\0:s"),
        "Basic " + b64("app:s\0"),
        "Basic " + b64("app%00:s"),
        "Basic " + b64("app:%00"),
        "Basic " + b64("app:%ff"),
        "Basic " + b64("%c0%af:s"),
    ],
)
def test_a_broken_basic_header_is_refused(header: str) -> None:
    for profile in (CLASSIC, OAUTH20):
        with pytest.raises(InvalidClient) as caught:
            read(params(client_id="app", client_secret="s"), Headers(header), profile)
        assert caught.value.reason == "basic_malformed"


@given(TEXT, TEXT)
def test_what_a_client_encodes_is_read_back(name: str, secret: str) -> None:
    assert read_basic(basic(name, secret)) == (name, secret)
    shown = (secret, "client_secret_basic") if secret else (None, "none")
    assert read(params(), Headers(basic(name, secret)), OAUTH20) == Credentials(name, *shown)


@given(st.text(max_size=30) | st.binary(max_size=30).map(lambda data: f"Basic {b64(data)}"))
def test_no_header_is_more_than_refused(header: str) -> None:
    try:
        found = read_basic(header)
    except InvalidClient:
        return
    assert found is None or "\0" not in "".join(found)


# --- header and body --------------------------------------------------------------------------------------------------

BOTH = {"client_id": "app", "client_secret": "s"}
POST = Credentials("app", "s", "client_secret_post")
BASIC = Credentials("app", "s", "client_secret_basic")
NONE = Credentials("app", None, "none")
SAME = basic("app", "s")

CASES = [
    # what is in the body, the header, what classic says, what today's profiles say
    ("nothing", {}, None, "client_id_missing", "client_id_missing"),
    ("empty", {"client_id": "", "client_secret": ""}, None, "client_id_missing", "client_id_missing"),
    ("body", BOTH, None, POST, POST),
    ("id alone", {"client_id": "app"}, None, "secret_missing", NONE),
    ("id, empty secret", {"client_id": "app", "client_secret": ""}, None, "secret_missing", NONE),
    ("secret alone", {"client_secret": "s"}, None, "client_id_missing", "client_id_missing"),
    ("Basic alone", {}, SAME, "secret_missing", BASIC),
    ("Basic and id", {"client_id": "app"}, SAME, "secret_missing", BASIC),
    ("Basic and another id", {"client_id": "b"}, SAME, "secret_missing", "client_id_differs"),
    ("Basic and secret", {"client_secret": "s"}, SAME, "client_id_missing", "credentials_twice"),
    ("Basic and the same", BOTH, SAME, POST, "credentials_twice"),
    ("Basic, another id", BOTH, basic("b", "s"), "secret_wrong", "credentials_twice"),
    ("Basic, another secret", BOTH, basic("app", "t"), "secret_wrong", "credentials_twice"),
    ("Basic, empty secret", BOTH, basic("app", ""), "secret_wrong", "credentials_twice"),
    ("Basic, id in capitals", BOTH, basic("APP", "s"), "secret_wrong", "credentials_twice"),
    ("Basic, nothing", BOTH, basic("", ""), "secret_wrong", "credentials_twice"),
    ("Bearer beside", BOTH, "Bearer abc", POST, POST),
    ("Digest beside", {"client_id": "app"}, "Digest a=b", "secret_missing", NONE),
]


def check(profile: Profile, body: dict[str, str], header: str | None, expected: Credentials | str) -> None:
    if isinstance(expected, Credentials):
        assert read(params(**body), Headers(header), profile) == expected
        return
    with pytest.raises(OAuthError) as caught:
        read(params(**body), Headers(header), profile)
    assert caught.value.reason == expected
    two = expected in ("credentials_twice", "client_id_differs")
    assert type(caught.value) is (InvalidRequest if two else InvalidClient)


@pytest.mark.parametrize(
    ("body", "header", "classic", "today"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_who_a_request_is_from(
    body: dict[str, str], header: str | None, classic: Credentials | str, today: Credentials | str
) -> None:
    check(CLASSIC, body, header, classic)
    check(replace(OAUTH20, credentials_twice=True), body, header, classic)
    check(OAUTH20, body, header, today)
    check(OAUTH21, body, header, today)


@pytest.mark.parametrize("profile", [CLASSIC, OAUTH21])
@pytest.mark.parametrize(
    ("body", "header", "who"),
    [
        ({"client_id": "app", "client_secret": "s"}, None, "app"),
        ({"client_id": "app"}, "Basic broken", "app"),
        ({}, "Basic broken", ""),
        ({}, None, ""),
    ],
)
def test_whom_a_request_names(profile: Profile, body: dict[str, str], header: str | None, who: str) -> None:
    assert named(params(**body), Headers(header), profile) == who


def test_whom_a_header_names() -> None:
    assert named(params(), Headers(basic("app", "s")), OAUTH21) == "app"
