"""fapi2: as oauth21, for what must not go wrong: pushed requests, clients that sign, bound tokens (FAPI 2.0 5.3.2)."""

from dataclasses import replace

from valetkey.protocol.profile import Assertions
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules import jwt

FAPI2 = replace(
    OAUTH21,
    name="fapi2",
    grants=frozenset({"authorization_code", "refresh_token", "client_credentials"}),
    pushing="must",
    sender="must",
    loopback_ports=False,
    redirect_named=True,
    client_auth=frozenset({"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"}),
    assertions=Assertions(300, jwt.STRONG, issuer_only=True, dated=True),
    refresh_rotates=False,
)
