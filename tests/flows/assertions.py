"""Apps that sign who they are, step by step (RFC 7523 2.2), or whose certificate a proxy hands over."""

from typing import Any

import httpx2

from tests.house import SITE, App, House
from valetkey.protocol.rules.client_assertion import JWT_BEARER
from valetkey.settings import ServerSettings

MTLS = ServerSettings(
    trusted_proxies=("10.0.0.1",),
    client_certificate_header="X-Client-Cert",
    client_certificate_verified_header="X-Client-Verify",
)


def claims(house: House, app: App, **more: Any) -> dict[str, Any]:
    """What an assertion says; more: to add, or to replace."""
    now = house.clock()
    plain = {"iss": app.id, "sub": app.id, "aud": SITE, "iat": now, "exp": now + 60, "jti": f"j{now}"}
    return plain | more


async def ask(house: House, assertion: str, **more: str | None) -> httpx2.Response:
    """A token request with this assertion."""
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion,
    }
    return await house.form("/oauth/token", **(fields | more))
