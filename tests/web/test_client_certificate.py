"""The certificate that a proxy hands over: from a trusted one only, and one header each (J13, RFC 9440)."""

from typing import Any

import pytest

from tests.certificates import der, escaped, rfc9440
from valetkey.settings import ServerSettings
from valetkey.web.body import Rejected
from valetkey.web.client_certificate import handed_over

DER = der()
PROXY = "10.0.0.1"
BEHIND = ServerSettings(
    trusted_proxies=("10.0.0.0/8",),
    client_certificate_header="X-Client-Cert",
    client_certificate_verified_header="X-Client-Verify",
)


def scope(*headers: tuple[str, str], client: str | None = PROXY) -> dict[str, Any]:
    return {
        "type": "http",
        "client": None if client is None else (client, 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }


CERTIFICATE, GOOD = ("x-client-cert", escaped(DER)), ("x-client-verify", "SUCCESS")


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ((CERTIFICATE, GOOD), (DER, True)),
        ((CERTIFICATE, ("x-client-verify", "0")), (DER, True)),
        ((CERTIFICATE, ("x-client-verify", "FAILED:self-signed certificate")), (DER, False)),
        ((CERTIFICATE, ("x-client-verify", "NONE")), (DER, False)),
        ((CERTIFICATE, ("x-client-verify", "")), (DER, False)),
        ((CERTIFICATE,), (DER, False)),
        ((("x-client-cert", rfc9440(DER)), GOOD), (DER, True)),
        ((("x-client-cert", ""), GOOD), (None, False)),
        ((GOOD,), (None, False)),
        ((("client-cert", rfc9440(DER)), GOOD), (None, False)),
    ],
)
def test_from_a_trusted_proxy(headers: Any, found: tuple[bytes | None, bool]) -> None:
    assert handed_over(scope(*headers), BEHIND) == found


@pytest.mark.parametrize("client", ["192.0.2.1", "::1", "", None, "10.0.0.1.example"])
def test_from_nobody_else(client: str | None) -> None:
    assert handed_over(scope(CERTIFICATE, GOOD, client=client), BEHIND) == (None, False)


def test_only_where_the_operator_said_so() -> None:
    assert handed_over(scope(CERTIFICATE, GOOD), ServerSettings(trusted_proxies=("10.0.0.0/8",))) == (
        None,
        False,
    )
    unsaid = ServerSettings(trusted_proxies=("10.0.0.0/8",), client_certificate_header="X-Client-Cert")
    assert handed_over(scope(CERTIFICATE, GOOD), unsaid) == (DER, False)


@pytest.mark.parametrize("twice", [CERTIFICATE, GOOD])
def test_a_header_that_is_there_twice(twice: tuple[str, str]) -> None:
    with pytest.raises(Rejected) as caught:
        handed_over(scope(CERTIFICATE, GOOD, twice), BEHIND)
    assert (caught.value.status, caught.value.reason) == (400, "header_twice")
