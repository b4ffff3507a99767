"""fapi2: what FAPI 2.0 asks of an authorization server beyond oauth21, each rule a field (FAPI 2.0 5.3.2)."""

from dataclasses import fields

import pytest

from valetkey.protocol.profile import Assertions, Profile
from valetkey.protocol.profiles.fapi2 import FAPI2
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules import jwt

RULES = {
    "grants": {"authorization_code", "refresh_token", "client_credentials"},  # 5.3.2.1: no password, ever
    "response_types": {"code"},  # 5.3.2.2
    "pushing": "must",  # 5.3.2.2: and no request without
    "pkce_required": True,  # 5.3.2.2: S256 is the only method there is
    "client_auth": {"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"},  # 5.3.2.1
    "assertions": Assertions(300, jwt.STRONG, issuer_only=True, dated=True),  # 5.3.2.1, 5.4.1
    "sender": "must",  # 5.3.2.1
    "refresh_rotates": False,  # 5.3.2.1
    "redirect_named": True,  # 5.3.2.2
    "code_lifetime": 60,  # 5.3.2.2
    "issuer_in_answer": True,  # 5.3.2.2
    "errors_redirected": True,
    "token_in_query": False,  # 5.3.3
    "plain_http": False,  # 5.3.2.2
    "loopback_ports": False,
    "token_path": "/oauth/token",
}


@pytest.mark.parametrize("name", RULES)
def test_what_fapi_asks_for(name: str) -> None:
    assert getattr(FAPI2, name) == RULES[name]


def test_in_all_else_it_is_oauth21() -> None:
    beyond = {field.name for field in fields(Profile)} - set(RULES) - {"name"}
    assert all(getattr(FAPI2, name) == getattr(OAUTH21, name) for name in beyond)
