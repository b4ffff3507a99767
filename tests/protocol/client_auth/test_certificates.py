"""tls_client_auth and self_signed_tls_client_auth: the certificate that came with the connection (RFC 8705 2)."""

import base64
import json

import pytest

from tests.certificates import der, name
from tests.protocol.samples import BOOK, NOW, SECRET, client
from tests.signing import Signer
from valetkey.protocol.client_auth import authenticate
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client, Registration
from valetkey.protocol.rules import certificate
from valetkey.protocol.rules.credentials import Credentials

DER, OTHER = der(), der(name(("CN", "other")))


def app(method: str, **more: str) -> Client:
    return client(profile="oauth20", registered=Registration(token_endpoint_auth_method=method, **more))


BY_NAME = app("tls_client_auth", tls_client_auth_subject_dn="CN=app,O=Photo Printer,C=DE")
SELF_SIGNED = app("self_signed_tls_client_auth")


def outcome(
    who: Client,
    content: bytes | None,
    verified: bool = True,
    keys: str = "",
    method: str = "none",
    now: int = NOW,
) -> str:
    shown = Credentials("app", SECRET if method != "none" else None, method, None, content, verified)
    try:
        found = authenticate(who, shown, Known(keys), BOOK, now)
    except InvalidClient as error:
        return error.reason
    assert found == (who, ())
    return "proven"


def test_a_verified_certificate_of_the_registered_name() -> None:
    assert outcome(BY_NAME, DER) == "proven"
    assert outcome(BY_NAME, DER, verified=False) == "certificate_unverified"
    assert outcome(BY_NAME, OTHER) == "certificate_other"
    assert outcome(BY_NAME, None) == "certificate_missing"
    assert outcome(BY_NAME, DER, now=NOW + 101) == "certificate_expired"
    assert outcome(app("tls_client_auth"), DER) == "certificate_other"


def keys(*certificates: bytes) -> str:
    chain = [base64.b64encode(content).decode() for content in certificates]
    return json.dumps({"keys": [Signer("EdDSA").jwk, Signer(more={"x5c": chain}).jwk]})


def test_a_certificate_among_the_registered_keys() -> None:
    assert outcome(SELF_SIGNED, DER, verified=False, keys=keys(DER)) == "proven"
    thumbprint = Signer(more={"x5t#S256": certificate.thumbprint(DER)}).jwks
    assert outcome(SELF_SIGNED, DER, verified=False, keys=thumbprint) == "proven"
    for others in (keys(OTHER), keys(OTHER, DER), keys(), Signer().jwks):
        assert outcome(SELF_SIGNED, DER, keys=others) == "certificate_other"
    assert outcome(SELF_SIGNED, DER, keys="") == "keys_unreadable"
    assert outcome(SELF_SIGNED, None, keys=keys(DER)) == "certificate_missing"
    assert outcome(SELF_SIGNED, DER, keys=keys(DER), now=NOW - 101) == "certificate_expired"


@pytest.mark.parametrize("who", [BY_NAME, SELF_SIGNED])
def test_a_secret_does_not_do_instead(who: Client) -> None:
    for method in ("client_secret_post", "client_secret_basic"):
        assert outcome(who, DER, keys=keys(DER), method=method) == "method_unknown"


def test_a_certificate_alone_says_nothing_for_a_client_of_another_method() -> None:
    assert outcome(client(profile="oauth20"), DER, keys=keys(DER)) == "secret_missing"
    assert outcome(app("client_secret_post"), DER) == "method_unknown"
    classic = client(registered=BY_NAME.registered)
    assert outcome(classic, DER) == "method_unknown"
