"""Client certificates: read out of a header, and compared with what a client registered (RFC 8705 2.1, RFC 9440)."""

import base64
import contextlib
import hashlib
import re
from urllib.parse import quote

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.certificates import APP, der, escaped, name, pem, rfc9440
from tests.protocol.samples import NOW
from tests.signing import b64
from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.model import Registration
from valetkey.protocol.rules import certificate
from valetkey.protocol.rules.credentials import Credentials

DER = der()
NAMES = [
    ("dns", "App.example"),
    ("dns", "*.wild.example"),
    ("uri", "https://app.example/id"),
    ("ip", "192.0.2.1"),
    ("ip", "2001:db8::1"),
    ("email", "app@mail.example"),
]
NAMED = der(names=NAMES)
TIMES = re.findall(rb"[0-9]{12}Z", DER)


@pytest.mark.parametrize(
    "value",
    [
        rfc9440(DER),
        escaped(DER),
        quote(pem(DER)),
        escaped(DER) + escaped(NAMED),
        base64.b64encode(DER).decode(),
        quote(base64.b64encode(DER).decode(), safe=""),
    ],
)
def test_every_spelling_of_a_header(value: str) -> None:
    assert certificate.from_header(value) == DER


def test_a_certificate_may_end_when_it_begins() -> None:
    assert certificate.from_header(rfc9440(AT_ONCE)) == AT_ONCE != DER


AT_ONCE = DER.replace(TIMES[0], TIMES[1])  # ends when it begins
BACKWARDS = DER.replace(b"270115", b"270117", 1)  # ends before it begins


@pytest.mark.parametrize(
    "value",
    [
        "",
        ":",
        "::",
        "(null)",
        "SUCCESS",
        rfc9440(DER)[:-1],
        rfc9440(DER)[:-9] + ":",
        rfc9440(DER + b"\0"),
        escaped(DER).replace("CERTIFICATE", "PRIVATE%20KEY"),
        "x" + escaped(DER),
        "\u00e9",
        rfc9440(b"\x30\x00"),
        rfc9440(BACKWARDS),
        ":" + base64.b64encode(DER).decode(),
        base64.b64encode(DER).decode() + ":",
    ],
)
def test_what_is_no_certificate(value: str) -> None:
    assert certificate.from_header(value) is None


def test_the_thumbprint_is_that_of_the_whole() -> None:
    assert certificate.thumbprint(DER) == b64(hashlib.sha256(DER).digest())


def test_a_certificate_is_good_in_its_time() -> None:
    shown = Credentials("app", None, "none", None, der(since=NOW - 10, until=NOW + 10))
    assert certificate.shown_by(shown, NOW - 10).subject == APP
    assert certificate.shown_by(shown, NOW + 10).subject == APP
    for now in (NOW - 11, NOW + 11):
        with pytest.raises(InvalidClient) as caught:
            certificate.shown_by(shown, now)
        assert caught.value.reason == "certificate_expired"
    with pytest.raises(InvalidClient) as caught:
        certificate.shown_by(Credentials("app", None, "none"), NOW)
    assert caught.value.reason == "certificate_missing"


def belongs(content: bytes, **registered: str) -> bool:
    said = {f"tls_client_auth_{kind}": value for kind, value in registered.items()}
    return certificate.belongs_to(x509.load_der_x509_certificate(content), Registration(**said))


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ("CN=app,O=Photo Printer,C=DE", True),
        ("cn=app,o=Photo Printer,c=DE", False),  # cryptography's reader knows the names in capitals only
        ("CN=app, O=Photo Printer, C=DE", False),
        ("2.5.4.3=app,O=Photo Printer,C=DE", True),
        ("CN=\\61pp,O=Photo\\20Printer,C=DE", True),
        ("C=DE,O=Photo Printer,CN=app", False),
        ("CN=app,O=Photo Printer", False),
        ("CN=app", False),
        ("CN=App,O=Photo Printer,C=DE", False),
        ("CN=app,O=Photo  Printer,C=DE", False),
        ("CN=app+O=Photo Printer,C=DE", False),
        ("CN=app,O=Photo Printer,C=DE,C=DE", False),
        ("nonsense", False),
        ("CN", False),
        ("X=app", False),
        (" ", False),
        ("CN=app,O=Photo Printer,C=DE\\", False),
    ],
)
def test_the_subject(text: str, ok: bool) -> None:
    assert belongs(DER, subject_dn=text) is ok


def test_a_value_that_looks_like_two_parts_is_one() -> None:
    """A subject of one part whose text reads like the name of another."""
    sly = der(name(("CN", "app,O=Photo Printer,C=DE")))
    assert not belongs(sly, subject_dn="CN=app,O=Photo Printer,C=DE")
    assert belongs(sly, subject_dn="CN=app\\,O\\=Photo Printer\\,C\\=DE")


def test_parts_of_one_place_have_no_order() -> None:
    two = x509.RelativeDistinguishedName([*name(("CN", "app")), *name(("E", "a@mail.example"))])
    content = der(x509.Name([two]))
    assert belongs(content, subject_dn="emailAddress=a@mail.example+CN=app")
    assert belongs(content, subject_dn="CN=app+E=a@mail.example")
    assert not belongs(content, subject_dn="CN=app,E=a@mail.example")


def test_no_name_is_nobodys() -> None:
    nobody = der(x509.Name([]), [("dns", "app.example")])
    assert not belongs(nobody, subject_dn="")
    assert not belongs(nobody, subject_dn=" ")
    assert not certificate.same_name("", x509.Name([]))
    assert belongs(nobody, san_dns="app.example")


@pytest.mark.parametrize(
    ("kind", "value", "ok"),
    [
        ("san_dns", "app.example", True),
        ("san_dns", "APP.EXAMPLE", True),
        ("san_dns", "app.example.", False),
        ("san_dns", "sub.app.example", False),
        ("san_dns", "a.wild.example", False),
        ("san_dns", "*.wild.example", True),
        ("san_dns", "https://app.example/id", False),
        ("san_uri", "https://app.example/id", True),
        ("san_uri", "https://app.example/id/", False),
        ("san_uri", "https://APP.example/id", False),
        ("san_ip", "192.0.2.1", True),
        ("san_ip", "192.0.2.2", False),
        ("san_ip", "2001:DB8:0:0::1", True),
        ("san_ip", "::ffff:192.0.2.1", False),
        ("san_ip", "app.example", False),
        ("san_email", "app@mail.example", True),
        ("san_email", "App@mail.example", False),
    ],
)
def test_other_names(kind: str, value: str, ok: bool) -> None:
    assert belongs(NAMED, **{kind: value}) is ok
    assert not belongs(DER, **{kind: value})


ONE = "needs exactly one of tls_client_auth_subject_dn, _san_dns, _san_uri, _san_ip and _san_email"


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        ({}, ONE),
        ({"san_dns": "a.example", "san_uri": "https://a.example"}, ONE),
        ({"subject_dn": "CN=app,O=Photo Printer"}, None),
        ({"subject_dn": "app"}, "has a tls_client_auth_subject_dn that cannot be read"),
        ({"subject_dn": "emailAddress=a@mail.example,CN=app"}, None),
        ({"subject_dn": "serialNumber=7+E=a@mail.example"}, None),
        ({"san_ip": "2001:db8::1"}, None),
        ({"san_ip": "a.example"}, "has a tls_client_auth_san_ip that cannot be read"),
        ({"san_dns": "a.example"}, None),
        ({"san_uri": "https://a.example"}, None),
        ({"san_email": "a@mail.example"}, None),
    ],
)
def test_which_names_can_be_registered(names: dict[str, str], wrong: str | None) -> None:
    said = {f"tls_client_auth_{kind}": value for kind, value in names.items()}
    assert certificate.why_not_registrable(Registration(**said)) == wrong


def test_exactly_one_name_is_registered() -> None:
    assert not belongs(NAMED)
    assert not belongs(NAMED, san_dns="app.example", san_ip="192.0.2.1")


# what a later version refuses, such as a serial number that is negative, this one only warns of
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(max_examples=500)
@given(st.integers(0, len(NAMED) - 1), st.integers(0, 255))
def test_a_broken_certificate_is_no_error_of_ours(place: int, byte: int) -> None:
    content = NAMED[:place] + bytes([byte]) + NAMED[place + 1 :]
    found = certificate.from_header(rfc9440(content))
    if found is not None:
        assert found == content
        for now in (NOW, 0):
            with contextlib.suppress(InvalidClient):
                certificate.shown_by(Credentials("app", None, "none", None, content), now)
        assert belongs(content, subject_dn="CN=app,O=Photo Printer,C=DE") in (True, False)
        assert belongs(content, san_dns="app.example") in (True, False)
