"""Client certificates: as a proxy hands them over, and whose they are (RFC 8705 2, RFC 9440, RFC 4514)."""

import base64
import hashlib
import ipaddress
import re
from urllib.parse import unquote

from cryptography import x509
from cryptography.x509.oid import NameOID

from valetkey.protocol.errors import InvalidClient
from valetkey.protocol.model import Registration
from valetkey.protocol.rules import base64url
from valetkey.protocol.rules.credentials import Credentials

METHODS = frozenset({"tls_client_auth", "self_signed_tls_client_auth"})
FIELD = re.compile(":([A-Za-z0-9+/=]+):")
PEM = re.compile(r"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
# beyond RFC 4514 3: what openssl and browsers write
MORE_NAMES = {
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "E": NameOID.EMAIL_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
}
# all that the library raises for certificates that somebody has bent
NOT_READ = (
    TypeError,
    ValueError,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
NAMED_BY = ("subject_dn", "san_dns", "san_uri", "san_ip", "san_email")


def from_header(value: str) -> bytes | None:
    """The DER of a certificate out of a header; None for what is none.

    Three spellings: `:base64:` (RFC 9440 2.1), percent-encoded PEM (nginx), base64 alone, percent-encoded or not
    (HAProxy, Traefik).
    """
    field, text = FIELD.fullmatch(value), unquote(value)
    found = field or PEM.match(text)
    try:
        der = base64.b64decode("".join(found[1].split()) if found else text, validate=True)
        certificate = x509.load_der_x509_certificate(der)
        lives = certificate.not_valid_before_utc <= certificate.not_valid_after_utc
    except NOT_READ:
        return None
    return der if lives else None


def thumbprint(der: bytes) -> str:
    """x5t#S256 of a certificate (RFC 8705 3.1)."""
    return base64url.encode(hashlib.sha256(der).digest())


def shown_by(shown: Credentials, now: int) -> x509.Certificate:
    """The certificate that came with the request, in its time. Raises InvalidClient."""
    if shown.certificate is None:
        raise InvalidClient("certificate_missing", "this client must authenticate with a certificate")
    found = x509.load_der_x509_certificate(shown.certificate)
    if not found.not_valid_before_utc.timestamp() <= now <= found.not_valid_after_utc.timestamp():
        raise InvalidClient("certificate_expired", "the certificate is not valid at this time")
    return found


def registered_names(registered: Registration) -> list[tuple[str, str]]:
    """The names a client registered for its certificate: kind and value."""
    said = [(name, str(getattr(registered, f"tls_client_auth_{name}"))) for name in NAMED_BY]
    return [(name, value) for name, value in said if value]


def why_not_registrable(registered: Registration) -> str | None:
    """What is wrong with these names for tls_client_auth, in words that go on after that; None when nothing is."""
    wanted = registered_names(registered)
    if len(wanted) != 1:
        return "needs exactly one of tls_client_auth_subject_dn, _san_dns, _san_uri, _san_ip and _san_email"
    name, value = wanted[0]
    try:
        if name == "subject_dn":
            x509.Name.from_rfc4514_string(value, MORE_NAMES)
        if name == "san_ip":
            ipaddress.ip_address(value)
    except ValueError:
        return f"has a tls_client_auth_{name} that cannot be read"
    return None


def belongs_to(certificate: x509.Certificate, registered: Registration) -> bool:
    """Whether it names the client as the client registered: in exactly one way (RFC 8705 2.1.2)."""
    wanted = registered_names(registered)
    if len(wanted) != 1:
        return False
    name, value = wanted[0]
    try:
        if name == "subject_dn":
            return same_name(value, certificate.subject)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return value_in(names, name, value)
    except NOT_READ:
        return False


def same_name(text: str, name: x509.Name) -> bool:
    """Whether a distinguished name is the one written so (RFC 4514): part by part, since one name has many spellings.

    Values are compared as they are: no case folded, no space taken away. Raises ValueError for text that is no name.
    """
    wanted = x509.Name.from_rfc4514_string(text, MORE_NAMES)
    return bool(wanted.rdns) and parts(wanted) == parts(name)


def parts(name: x509.Name) -> list[frozenset[tuple[str, str | bytes]]]:
    """The name as sets of (type, value), in order."""
    return [frozenset((each.oid.dotted_string, each.value) for each in rdn) for rdn in name.rdns]


def value_in(names: x509.SubjectAlternativeName, kind: str, value: str) -> bool:
    """Whether the certificate has this name of this kind; a * in it is a star and nothing else. Raises ValueError."""
    if kind == "san_dns":
        return value.lower() in (each.lower() for each in names.get_values_for_type(x509.DNSName))
    if kind == "san_uri":
        return value in names.get_values_for_type(x509.UniformResourceIdentifier)
    if kind == "san_email":
        return value in names.get_values_for_type(x509.RFC822Name)
    return ipaddress.ip_address(value) in names.get_values_for_type(x509.IPAddress)
