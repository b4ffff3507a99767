"""Certificates of TLS clients, as a client holds them and as proxies hand them over."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding

KIND = {"dns": x509.DNSName, "uri": x509.UniformResourceIdentifier, "email": x509.RFC822Name}
NOW = 1_800_000_000


@cache
def key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def name(*pairs: tuple[str, str]) -> x509.Name:
    """Parts in the order of the certificate: name("C", "DE"), ("CN", "app")."""
    oids = {
        "CN": x509.NameOID.COMMON_NAME,
        "O": x509.NameOID.ORGANIZATION_NAME,
        "OU": x509.NameOID.ORGANIZATIONAL_UNIT_NAME,
        "C": x509.NameOID.COUNTRY_NAME,
        "E": x509.NameOID.EMAIL_ADDRESS,
    }
    return x509.Name([x509.NameAttribute(oids[kind], value) for kind, value in pairs])


APP = name(("C", "DE"), ("O", "Photo Printer"), ("CN", "app"))


def der(
    subject: x509.Name = APP,
    names: Sequence[tuple[str, str]] = (),
    since: int = NOW - 100,
    until: int = NOW + 100,
) -> bytes:
    """A certificate that vouches for itself. names: such as ("dns", "app.example")."""
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key().public_key())
        .serial_number(7)
        .not_valid_before(datetime.fromtimestamp(since, UTC))
        .not_valid_after(datetime.fromtimestamp(until, UTC))
    )
    if names:
        known = [
            x509.IPAddress(ip_address(value)) if kind == "ip" else KIND[kind](value) for kind, value in names
        ]
        made = made.add_extension(x509.SubjectAlternativeName(known), critical=False)
    return made.sign(key(), hashes.SHA256()).public_bytes(Encoding.DER)


def pem(content: bytes) -> str:
    return x509.load_der_x509_certificate(content).public_bytes(Encoding.PEM).decode()


def escaped(content: bytes) -> str:
    """As nginx writes $ssl_client_escaped_cert."""
    return quote(pem(content), safe="")


def rfc9440(content: bytes) -> str:
    return f":{base64.b64encode(content).decode()}:"
