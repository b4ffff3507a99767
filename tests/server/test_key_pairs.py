"""Key pairs sign what others can check with nothing but the public half, and are named by its thumbprint."""

import json

import pytest
from cryptography.exceptions import InvalidSignature

from tests.reading import check, number
from valetkey.server import key_pairs


@pytest.mark.parametrize("alg", key_pairs.ALGORITHMS)
def test_the_public_half_is_all_that_checking_needs(alg: str):
    kid, public, private = key_pairs.make(alg)
    jwk = json.loads(public)
    assert (jwk["kid"], jwk["alg"], jwk["use"]) == (kid, alg, "sig")
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(jwk)
    for data in (b"", b"something to sign"):
        signature = key_pairs.signer(alg, private)(data)
        check(jwk, signature, data)
        with pytest.raises(InvalidSignature):
            check(jwk, signature, data + b"!")


def test_rsa_keys_are_long_enough():
    jwk = json.loads(key_pairs.make("RS256")[1])
    assert number(jwk["n"]).bit_length() == 2048 and jwk["e"] == "AQAB"


def test_coordinates_have_the_length_of_the_curve():
    lengths = {len(json.loads(key_pairs.make("ES256")[1])[name]) for name in "xy" for _ in range(300)}
    assert lengths == {43}  # one in 256 begins with a zero octet, which stays


def test_the_thumbprint_is_that_of_the_standards_example():
    """RFC 7638 3.1 and RFC 8037 A.3."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )
    assert key_pairs.thumbprint({"kty": "RSA", "n": n, "e": "AQAB"}) == (
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    )
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key_pairs.thumbprint({"crv": "Ed25519", "kty": "OKP", "x": x}) == (
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )


def test_no_kid_looks_like_an_option_of_a_command():
    assert not any(key_pairs.make("ES256")[0].startswith("-") for _ in range(300))
