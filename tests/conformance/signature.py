"""A JWS by a key that the server publishes, checked without the server's own rules (RFC 7515 5.2)."""

import base64
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text: str) -> int:
    return int.from_bytes(decoded(text))


def verified(token: str, jwk: Mapping[str, str], algorithm: str) -> bool:
    """Whether the compact JWS is signed by this key with this algorithm."""
    signed, _, last = token.rpartition(".")
    data, signature = signed.encode(), decoded(last)
    try:
        if algorithm == "ES256":
            halves = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
            point = EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), SECP256R1())
            point.public_key().verify(encode_dss_signature(*halves), data, ECDSA(SHA256()))
        elif algorithm == "PS256":
            public = RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
            public.verify(signature, data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
        else:
            Ed25519PublicKey.from_public_bytes(decoded(jwk["x"])).verify(signature, data)
    except InvalidSignature:
        return False
    return True
