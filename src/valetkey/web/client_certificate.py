"""The TLS client's certificate, as a proxy that the operator trusts hands it over (RFC 8705 2, RFC 9440, J13)."""

from starlette.types import Scope

from valetkey.protocol.rules import certificate
from valetkey.settings import ServerSettings
from valetkey.web.address import within
from valetkey.web.body import Rejected

VERIFIED = (b"SUCCESS", b"0")  # nginx and Apache, HAProxy


def handed_over(scope: Scope, settings: ServerSettings) -> tuple[bytes | None, bool]:
    """The certificate, and whether the proxy has verified it. From others than trusted proxies nothing is read.

    Raises Rejected for a header that is there twice: one of the two is not the proxy's.
    """
    name = settings.client_certificate_header
    if not name or not within((scope.get("client") or ("",))[0], settings.trusted_proxies):
        return None, False
    value = header(scope, name)
    if not value:
        return None, False
    verified = settings.client_certificate_verified_header
    return certificate.from_header(value.decode("latin-1")), bool(verified) and header(
        scope, verified
    ) in VERIFIED


def header(scope: Scope, name: str) -> bytes | None:
    """The value of a header. Raises Rejected."""
    found = [value for key, value in scope["headers"] if key == name.lower().encode()]
    if len(found) > 1:
        raise Rejected(400, "header_twice", "a header is there twice")
    return found[0] if found else None
