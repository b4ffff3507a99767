"""Headers: what a protocol request says beside its parameters (RFC 6749 2.3.1, RFC 9449 4.3, RFC 8705 2)."""

from msgspec import Struct


class Headers(Struct, frozen=True):
    """The value of Authorization, that of DPoP, the DER certificate that a trusted proxy hands over, and Accept.

    certificate_verified: the proxy found that an authority it believes has issued the certificate.
    """

    authorization: str | None = None
    dpop: str | None = None
    certificate: bytes | None = None
    certificate_verified: bool = False
    accept: str = ""


NO_HEADERS = Headers()
