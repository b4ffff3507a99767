"""`valetkey apps authenticate`: what is registered is checked, kept, and then asked for."""

from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.signing import Signer
from valetkey.cli.app_authentication import METHODS
from valetkey.protocol import client_auth

KEY = Signer()
HEARS = {
    "VALETKEY_SERVER_TRUSTED_PROXIES": "127.0.0.1",
    "VALETKEY_SERVER_CLIENT_CERTIFICATE_HEADER": "X-Client-Cert",
    "VALETKEY_SERVER_CLIENT_CERTIFICATE_VERIFIED_HEADER": "X-Client-Verify",
}


@pytest.fixture
def app(shell: Shell) -> str:
    shell.account("alice")
    client_id: str = shell.app("alice", "--profile", "oauth21")["client_id"]
    return client_id


def test_the_methods_are_those_there_are() -> None:
    assert set(METHODS) == set(client_auth.METHODS)


def test_keys_in_a_file_or_published(shell: Shell, app: str, tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(KEY.jwks)
    said = shell("apps", "authenticate", app, "private_key_jwt", "--jwks", str(file))
    assert (said.code, said.out) == (0, "An app proves who it is by private_key_jwt\n"), said.err
    said = shell("apps", "authenticate", app, "private_key_jwt", "--jwks", "-", "--json", stdin=KEY.jwks)
    assert said.json["token_endpoint_auth_method"] == "private_key_jwt"
    link = "https://app.example/jwks"
    said = shell("apps", "authenticate", app, "private_key_jwt", "--jwks-uri", link, "--alg", "PS256")
    assert said.code == 0, said.err
    shown = shell("apps", "show", app, "--json").json
    assert (shown["token_endpoint_auth_method"], shown["jwks_uri"]) == ("private_key_jwt", link)
    assert shown["redirect_uris"] == ["https://app.example/cb"], "and nothing else has changed"


def test_a_certificate_by_its_name(shell: Shell, app: str) -> None:
    named = ("apps", "authenticate", app, "tls_client_auth", "--subject-dn", "CN=app,O=Photo Printer")
    said = shell(*named)
    assert (said.code, "no certificate reaches this server" in said.err) == (1, True), said.err
    assert shell(*named, **HEARS).code == 0
    said = shell("apps", "authenticate", app, "client_secret_post")
    assert said.code == 0 and shell("apps", "show", app, "--json").json["jwks_uri"] == ""


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("private_key_jwt",), "jwks: or jwks_uri is needed to prove who the client is"),
        (("private_key_jwt", "--jwks", "-"), "jwks: is not a JSON object that all read alike"),
        (("private_key_jwt", "--jwks-uri", "http://app.example/"), "jwks_uri: must start with https://"),
        (
            ("private_key_jwt", "--jwks-uri", "https://app.example/", "--alg", "none"),
            "token_endpoint_auth_signing_alg: must be one of ES256, Ed25519, EdDSA, PS256, RS256",
        ),
        (
            ("tls_client_auth",),
            "token_endpoint_auth_method: needs exactly one of tls_client_auth_subject_dn, _san_dns, _san_uri, _san_ip"
            " and _san_email",
        ),
        (("none",), "token_endpoint_auth_method: must not be none here"),
    ],
)
def test_what_cannot_be_is_said(shell: Shell, app: str, words: tuple[str, ...], wrong: str) -> None:
    said = shell("apps", "authenticate", app, *words, stdin="nonsense", **HEARS)
    assert (said.code, said.out, said.err) == (1, "", wrong + "\n")


def test_an_app_that_is_not_there(shell: Shell, app: str) -> None:
    said = shell("apps", "authenticate", "0" * 32, "client_secret_post")
    assert said.code == 1 and "there is no app" in said.err
    assert shell("apps", "authenticate", app, "magic").code == 2
