"""Apache's mod_oauth2 (Debian's package) as the resource server: it asks about opaque tokens, and reads signed ones."""

import base64
import hashlib
import json
import secrets
import urllib.request
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.interop.apache import Apache, Gate
from tests.interop.browser import Browser
from tests.interop.conftest import AddApp, Stage
from tests.interop.valetkey_server import Account, App

Token = Callable[[str, str], str]
Revoke = Callable[[str], None]


@pytest.fixture(scope="module")
def apache(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apache]:
    base, asking = stage.server.base, stage.resources["asking"]
    shown = "introspect.auth=client_secret_basic"
    shown += f"&client_id={asking.client_id}&client_secret={asking.client_secret}"
    ask = f"introspect {base}/oauth/introspect {shown}"
    read = f"jwks_uri {base}/oauth/jwks verify.exp=required"
    discover = f"metadata {base}/.well-known/oauth-authorization-server {shown}"
    ours = f"Require oauth2_claim iss:{base}\nRequire oauth2_claim aud:{stage.resources['reading'].uri}"
    gates = [
        Gate("asking", ask, "username"),
        Gate("asking-likes", ask, "username", 'Require oauth2_claim "scope:basic likes"'),
        Gate("reading", read, "sub", f"<RequireAll>\n{ours}\n</RequireAll>"),
        Gate("discovering", discover, "sub", f"Require oauth2_claim iss:{base}"),
    ]
    running = Apache(tmp_path_factory.mktemp("apache"), gates)
    yield running
    running.stop()


@pytest.fixture
def app(add_app: AddApp) -> App:
    return add_app(kind="native", profile="oauth21")


@pytest.fixture
def token(stage: Stage, browser: Browser, app: App) -> Token:
    """An access token for one of the resource servers: the code flow, by hand."""

    def get(resource: str, scope: str) -> str:
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "client_id": app.client_id,
            "redirect_uri": app.redirect_uri,
            "response_type": "code",
            "scope": scope,
            "resource": stage.resources[resource].uri,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        url = f"{stage.server.base}/oauth/authorize?{urlencode(asked)}"
        landed = browser.follow(url, app.redirect_uri)
        form = {
            "grant_type": "authorization_code",
            "client_id": app.client_id,
            "code": parse_qs(urlsplit(landed).query)["code"][0],
            "code_verifier": verifier,
            "redirect_uri": app.redirect_uri,
        }
        told = json.loads(posted(f"{stage.server.base}/oauth/token", form))
        assert isinstance(told["access_token"], str)
        return told["access_token"]

    return get


@pytest.fixture
def revoke(stage: Stage, app: App) -> Revoke:
    """The app gives a token back (RFC 7009)."""
    where = f"{stage.server.base}/oauth/revoke"

    def give_back(token: str) -> None:
        posted(where, {"token": token, "client_id": app.client_id})

    return give_back


def posted(url: str, form: dict[str, str]) -> bytes:
    with urllib.request.urlopen(url, urlencode(form).encode(), 20) as answer:
        body: bytes = answer.read()
    return body


def test_introspection_lets_in_and_names_the_person(account: Account, apache: Apache, token: Token) -> None:
    status, claims, _ = apache.get("asking", shown := token("asking", "basic likes"))
    assert status == 200, apache.said()
    assert claims["username"] == account.username
    assert (claims["active"], claims["scope"]) == ("true", "basic likes")
    assert apache.get("asking-likes", shown)[0] == 200


def test_a_token_of_less_scope_is_kept_out(apache: Apache, token: Token) -> None:
    shown = token("asking", "basic")
    assert apache.get("asking", shown)[0] == 200
    assert apache.get("asking-likes", shown)[0] == 401, "this module says 401 for it"


def test_a_token_that_was_taken_back_is_kept_out(apache: Apache, token: Token, revoke: Revoke) -> None:
    revoke(shown := token("asking", "basic"))
    assert apache.get("asking", shown)[0] == 401


def test_a_token_for_another_resource_is_kept_out(apache: Apache, token: Token) -> None:
    assert apache.get("asking", token("mcp", "basic"))[0] == 401


def test_a_signed_token_is_read_without_asking(account: Account, apache: Apache, token: Token) -> None:
    """RFC 9068: the keys are at the JWKS, the type is at+jwt, the audience is this resource."""
    status, claims, _ = apache.get("reading", token("reading", "basic likes"))
    assert status == 200, apache.said()
    assert (claims["sub"], claims["scope"]) == (account.id, "basic likes")


def test_a_signed_token_for_another_resource_is_kept_out(apache: Apache, token: Token) -> None:
    assert apache.get("reading", token("listening", "basic"))[0] == 401


def test_either_kind_by_what_the_metadata_says(account: Account, apache: Apache, token: Token) -> None:
    """RFC 8414: the module finds the keys and the introspection endpoint, and which of them a token wants."""
    for resource in ("reading", "asking"):
        status, claims, _ = apache.get("discovering", token(resource, "basic"))
        assert status == 200, apache.said()
        assert claims["sub"] == account.id


def test_a_signed_token_that_was_changed_is_kept_out(apache: Apache, token: Token) -> None:
    head, payload, signature = token("reading", "basic").split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    more = base64.urlsafe_b64encode(json.dumps(claims | {"scope": "basic likes"}).encode()).decode()
    assert apache.get("reading", f"{head}.{more.rstrip('=')}.{signature}")[0] == 401


def test_no_token_and_garbage_are_kept_out(apache: Apache) -> None:
    status, _, challenge = apache.get("asking", None)
    assert status == 401
    assert 'error="invalid_request"' in challenge
    status, _, challenge = apache.get("asking", "vk_at_garbage")
    assert status == 401
    assert 'error="invalid_token"' in challenge
