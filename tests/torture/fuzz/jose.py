"""What is fuzzed of JOSE and TLS: strict JSON, JWTs, keys and certificates of strangers."""

import json
import warnings
from collections.abc import Iterator

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.utils import CryptographyDeprecationWarning

from tests.torture.fuzz.targets import check
from valetkey.protocol.model import Registration
from valetkey.protocol.rules import base64url, certificate, jwk, jwt, strict_json
from valetkey.protocol.rules.jwt import Untrusted

OWN = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(OWN.public_key().public_bytes_raw())}
HEAD, SAID = b'{"alg":"EdDSA","kid":"a"}', b'{"iss":"app","exp":1800000000}'
SIGNED = f"{base64url.encode(HEAD)}.{base64url.encode(SAID)}"
GOOD = f"{SIGNED}.{base64url.encode(OWN.sign(SIGNED.encode()))}"
KEYS = (jwk.read(PUBLIC),)


def strings(value: object) -> Iterator[str]:
    """Every string within."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def names(data: bytes) -> list[list[str]]:
    """The names of every object, as they stand there."""
    found: list[list[str]] = []
    json.loads(data, object_pairs_hook=lambda pairs: found.append([name for name, _ in pairs]))
    return found


def strict(data: bytes) -> None:
    """What is read, two other readers read alike, and every database can keep."""
    try:
        found = strict_json.read_object(data)
    except ValueError:
        return
    assert found == json.loads(data) == msgspec.json.decode(data)
    assert all(len(set(each)) == len(each) for each in names(data))
    for text in strings(found):
        assert "\0" not in text
        text.encode()


def token(data: bytes) -> None:
    """Only what was signed is believed, in its one spelling; all else is refused in words."""
    text = data.decode("latin-1")
    try:
        found = jwt.read(text)
        jwt.signed_by(found, KEYS, jwt.SIGNED)
    except Untrusted as no:
        plain = no.reason.isidentifier() and no.words.isascii() and not set(no.words) & set('"\\')
        return check(plain and text != GOOD)
    assert text == GOOD and found.claims == json.loads(SAID)


def keys(data: bytes) -> None:
    """A key that is taken is public, of a known kind, and named by its thumbprint."""
    text = data.decode("latin-1")
    try:
        found = jwk.read_set(text)
    except jwk.BadKey as no:
        return check(jwk.why_not_registrable(text) == str(no))
    assert len(found) <= jwk.MOST_KEYS
    for key in found:
        assert len(base64url.decode(key.thumbprint)) == 32
        assert key.algorithms <= jwt.SIGNED


NAMED = [
    Registration(tls_client_auth_subject_dn="CN=app"),
    Registration(tls_client_auth_san_dns="app.example"),
    Registration(tls_client_auth_san_ip="192.0.2.1"),
]


def handed_over(data: bytes) -> None:
    """What is taken for a certificate can be asked for its names and times."""
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # what a later version will refuse
    der = certificate.from_header(data.decode("latin-1"))
    if der is not None:
        found = x509.load_der_x509_certificate(der)
        assert found.not_valid_before_utc <= found.not_valid_after_utc
        assert all(certificate.belongs_to(found, named) in (True, False) for named in NAMED)
