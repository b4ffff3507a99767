"""DPoP proofs (RFC 9449 4.2): as they should be, or wrong in one way.

key = Prover()
key.proof(url, now)                             for POST
key.proof(url, now, "GET", token="vk_at_...")   with ath
key.proof(url, now, iat=0, jti=None)            claims to add, to replace, or (None) to leave out
key.proof(url, now, header={"typ": "JWT"})      the same for the header
"""

import hashlib
import itertools
from typing import Any

import pytest

from tests.signing import Signer, b64
from valetkey.protocol.rules import jwk

NUMBERS = itertools.count(1)


class Prover:
    """Somebody with a DPoP key."""

    def __init__(self, algorithm: str = "ES256") -> None:
        self.signer = Signer(algorithm, kid=None)

    @property
    def jkt(self) -> str:
        return jwk.read(self.signer.jwk).thumbprint

    def proof(
        self,
        url: str,
        now: float,
        method: str = "POST",
        token: str = "",
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """One more proof, with a jti of its own."""
        said: dict[str, Any] = {"htm": method, "htu": url, "iat": now, "jti": f"proof-{next(NUMBERS)}"}
        if token:
            said["ath"] = b64(hashlib.sha256(token.encode()).digest())
        kept = {name: value for name, value in (said | claims).items() if value is not None}
        return self.signer.jwt(kept, {"typ": "dpop+jwt", "jwk": self.signer.jwk} | (header or {}))


@pytest.fixture
def key() -> Prover:
    """Somebody's DPoP key."""
    return Prover()
