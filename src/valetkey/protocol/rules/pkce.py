"""PKCE: does the verifier belong to the challenge? S256 only (RFC 7636 4, RFC 9700 2.1.1, OAuth 2.1 7.5)."""

import base64
import hashlib
import hmac
import re

from valetkey.protocol.errors import InvalidGrant, InvalidRequest
from valetkey.protocol.model import AuthorizationCode
from valetkey.protocol.params import Params

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def read_challenge(params: Params, required: bool) -> str | None:
    """The challenge of an authorization request (RFC 7636 4.3). Raises InvalidRequest."""
    challenge, method = params.get("code_challenge"), params.get("code_challenge_method")
    if challenge is None:
        if required or method is not None:
            raise InvalidRequest("challenge_missing", "code_challenge is missing (RFC 7636 4.3)")
        return None
    if method != "S256":
        raise InvalidRequest("challenge_method", "code_challenge_method must be S256")
    if not CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("challenge_malformed", "code_challenge is not 43 characters of base64url")
    return challenge


def check_verifier(code: AuthorizationCode, verifier: str | None) -> None:
    """RFC 7636 4.6. A verifier without a challenge is a downgrade (RFC 9700 4.8.2). Raises InvalidGrant."""
    if code.challenge is None:
        if verifier is not None:
            raise InvalidGrant("verifier_unasked", "code_verifier was sent, but there was no code_challenge")
        return
    if verifier is None:
        raise InvalidGrant("verifier_missing", "code_verifier is missing")
    if not VERIFIER.fullmatch(verifier) or not hmac.compare_digest(s256(verifier), code.challenge):
        raise InvalidGrant("verifier_wrong", "code_verifier does not belong to the code_challenge")


def s256(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
