"""DPoP proofs: every check of RFC 9449 4.3, each by a proof that differs in it alone (C15, C16)."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proofs import Prover
from tests.protocol.samples import ISSUER, NOW
from tests.signing import Signer, b64, keyed, rsa, unsigned
from valetkey.protocol.errors import InvalidDpopProof, InvalidRequest, UseDpopNonce
from valetkey.protocol.facts import NOTHING_KNOWN, Known
from valetkey.protocol.rules import dpop, jwt
from valetkey.protocol.rules.dpop import Call, check, normal, read_thumbprint

URL = f"{ISSUER}/oauth/token"
CALL = Call("POST", URL, jwt.STRONG)
KEY = Prover()


def reason(proof: str, call: Call = CALL, known: Known = NOTHING_KNOWN, now: int = NOW) -> str:
    with pytest.raises(InvalidDpopProof) as no:
        check(proof, call, known, now)
    assert no.value.description.startswith("the DPoP proof ") and no.value.description.isascii()
    assert '"' not in no.value.description and "\\" not in no.value.description
    return no.value.reason.removeprefix("dpop_")


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA", "Ed25519"])
def test_a_proof_that_holds(algorithm: str) -> None:
    key = Prover(algorithm)
    found = check(key.proof(URL, NOW, jti="one"), CALL, NOTHING_KNOWN, NOW)
    assert found.jkt == key.jkt
    assert found.once == jwt.once("dpop", key.jkt, "one", NOW + dpop.OLDEST + 1)


def test_the_thumbprint_is_that_of_the_public_members() -> None:
    """RFC 7638 3.2; what else stands in the jwk does not matter."""
    jwk = KEY.signer.jwk
    canonical = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    proof = KEY.proof(URL, NOW, header={"jwk": jwk | {"alg": "ES256", "use": "sig", "kid": "n", "more": 1}})
    assert check(proof, CALL, NOTHING_KNOWN, NOW).jkt == b64(hashlib.sha256(canonical.encode()).digest())


@pytest.mark.parametrize(
    ("age", "fine"),
    [(0, True), (60, True), (61, False), (3600, False), (-10, True), (-30, True), (-31, False)],
)
def test_its_time(age: int, fine: bool) -> None:
    """FAPI 2.0 5.3.2.1: 10 seconds ahead are borne, 60 are not."""
    proof = KEY.proof(URL, NOW - age)
    if fine:
        assert check(proof, CALL, NOTHING_KNOWN, NOW).once.until > NOW
    else:
        assert reason(proof) == "iat"


def test_a_proof_is_remembered_for_as_long_as_it_would_hold() -> None:
    for since in (NOW - 60, NOW, NOW + 30, NOW + 0.5):
        proof = KEY.proof(URL, since, jti="j")
        until = check(proof, CALL, NOTHING_KNOWN, NOW).once.until
        assert reason(proof, now=until) == "iat", "nothing is forgotten before its time"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"jti": None}, "malformed"),
        ({"jti": ""}, "jti"),
        ({"jti": 5}, "jti"),
        ({"jti": "x" * 257}, "jti"),
        ({"iat": None}, "malformed"),
        ({"iat": "now"}, "iat"),
        ({"iat": True}, "iat"),
        ({"htm": None}, "htm"),
        ({"htm": "GET"}, "htm"),
        ({"htm": "post"}, "htm"),
        ({"htm": ["POST"]}, "htm"),
        ({"htu": None}, "htu"),
        ({"htu": ISSUER}, "htu"),
        ({"htu": f"{ISSUER}/oauth/token/"}, "htu"),
        ({"htu": f"{ISSUER}/oauth/TOKEN"}, "htu"),
        ({"htu": "https://other.test/oauth/token"}, "htu"),
        ({"htu": "https://id.test.evil.test/oauth/token"}, "htu"),
        ({"htu": "https://user@id.test/oauth/token"}, "htu"),
        ({"htu": "http://id.test/oauth/token"}, "htu"),
        ({"htu": "https://id.test:8443/oauth/token"}, "htu"),
        ({"htu": "https://id.test:80/oauth/token"}, "htu"),
        ({"htu": "/oauth/token"}, "htu"),
        ({"htu": "https:\\\\id.test/oauth/token"}, "htu"),
        ({"htu": ""}, "htu"),
    ],
)
def test_claims_that_are_wrong(claims: dict[str, Any], expected: str) -> None:
    assert reason(KEY.proof(URL, NOW, **claims)) == expected


@pytest.mark.parametrize(
    "url",
    [
        "HTTPS://ID.TEST/oauth/token",
        "https://id.test:443/oauth/token",
        "https://id.test/oauth/token?a=b",
        "https://id.test/oauth/token?a=b#c",
        "https://id.test/oauth/token#c",
        "https://id.test/%6fauth/tok%65n",
    ],
)
def test_addresses_that_are_the_same(url: str) -> None:
    """RFC 9449 4.3: without query and fragment, after normalisation by syntax and scheme."""
    check(KEY.proof(url, NOW), CALL, NOTHING_KNOWN, NOW)


def test_an_encoded_slash_is_none_and_one_in_small_letters_is_the_same() -> None:
    call = Call("POST", f"{ISSUER}/a%2Fb/2F", CALL.algorithms)
    check(KEY.proof(f"{ISSUER}/a%2fb/2F", NOW), call, NOTHING_KNOWN, NOW)
    for other in ("/a/b/2F", "/a2Fb/2F", "/a%2Fb/%2F"):
        with pytest.raises(InvalidDpopProof):
            check(KEY.proof(ISSUER + other, NOW), call, NOTHING_KNOWN, NOW)


def test_a_long_address() -> None:
    long = ISSUER + "/" + "a" * 2000
    check(KEY.proof(long, NOW), Call("POST", long, CALL.algorithms), NOTHING_KNOWN, NOW)


def test_more_claims_do_no_harm() -> None:
    check(KEY.proof(URL, NOW, nbf=NOW, exp=NOW + 300, nonce="n", more={"a": 1}), CALL, NOTHING_KNOWN, NOW)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"typ": None}, "typ"),
        ({"typ": "JWT"}, "typ"),
        ({"typ": "at+jwt"}, "typ"),
        ({"jwk": None}, "jwk"),
        ({"jwk": "key"}, "jwk"),
        ({"jwk": {}}, "jwk"),
        ({"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, "jwk"),
        ({"jwk": KEY.signer.jwk | {"d": "c2VjcmV0"}}, "jwk"),
        ({"jwk": Prover().signer.jwk}, "signature"),
        ({"jwk": Prover("EdDSA").signer.jwk}, "key_unknown"),
        ({"alg": None}, "malformed"),
        ({"alg": "none"}, "alg"),
        ({"alg": "HS256"}, "alg"),
        ({"alg": "RS256"}, "alg"),
        ({"alg": "PS256"}, "key_unknown"),
        ({"crit": ["b64"]}, "critical"),
    ],
)
def test_headers_that_are_wrong(header: dict[str, Any], expected: str) -> None:
    assert reason(KEY.proof(URL, NOW, header=header)) == expected


def test_what_is_no_signed_jwt() -> None:
    claims = {"htm": "POST", "htu": URL, "iat": NOW, "jti": "j"}
    header = {"typ": "dpop+jwt", "jwk": KEY.signer.jwk}
    good = KEY.proof(URL, NOW)
    assert reason("") == reason("DPoP") == reason(good + ".") == reason(f" {good}") == "malformed"
    assert reason("a" * 9000) == "long"
    assert reason(unsigned(claims)) == "typ"
    assert reason(keyed(claims, json.dumps(KEY.signer.jwk).encode(), header)) == "alg"
    last = "A" if good[-2] != "A" else "B"
    assert reason(good[:-2] + last + good[-1]) in ("signature", "malformed")


def test_which_algorithms_is_for_the_profile_to_say() -> None:
    proof = Prover("RS256").proof(URL, NOW)
    assert reason(proof) == "alg"
    check(proof, Call("POST", URL, jwt.SIGNED), NOTHING_KNOWN, NOW)


def test_a_short_rsa_key_is_none() -> None:
    weak = Prover.__new__(Prover)
    weak.signer = Signer("PS256", None, rsa(1024))
    assert reason(weak.proof(URL, NOW)) == "jwk"


# --- at resources -----------------------------------------------------------------------------------------------------

TOKEN = "vk_at_token"
RESOURCE = Call("GET", f"{ISSUER}/v1/users/self", jwt.STRONG, TOKEN)


def test_a_proof_for_a_token() -> None:
    check(KEY.proof(RESOURCE.url, NOW, "GET", TOKEN), RESOURCE, NOTHING_KNOWN, NOW)
    for other in ("", "vk_at_tokem", TOKEN + " "):
        assert reason(KEY.proof(RESOURCE.url, NOW, "GET", other), RESOURCE) == "ath"
    for ath in ("", 5, TOKEN, b64(hashlib.sha256(TOKEN.encode()).digest()) + "="):
        assert reason(KEY.proof(RESOURCE.url, NOW, "GET", TOKEN, ath=ath), RESOURCE) == "ath"


# --- once -------------------------------------------------------------------------------------------------------------


def test_a_proof_is_used_once() -> None:
    proof = KEY.proof(URL, NOW, jti="j")
    once = check(proof, CALL, NOTHING_KNOWN, NOW).once
    assert reason(proof, known=Known(used=frozenset({once.key}))) == "replayed"
    assert reason(KEY.proof(URL, NOW - 5, jti="j"), known=Known(used=frozenset({once.key}))) == "replayed"
    check(KEY.proof(URL, NOW, jti="k"), CALL, Known(used=frozenset({once.key})), NOW)
    other = check(Prover().proof(URL, NOW, jti="j"), CALL, Known(used=frozenset({once.key})), NOW)
    assert other.once.key != once.key, "nobody uses up the jti of somebody else's key"


# --- nonces -----------------------------------------------------------------------------------------------------------


def test_nonces() -> None:
    known = Known(nonces=("now", "before"))
    for good in known.nonces:
        check(KEY.proof(URL, NOW, nonce=good), CALL, known, NOW)
    for bad in (None, "", "old", 5, ["now"]):
        with pytest.raises(UseDpopNonce) as no:
            check(KEY.proof(URL, NOW, nonce=bad), CALL, known, NOW)
        assert (no.value.code, no.value.reason) == ("use_dpop_nonce", "dpop_nonce")
    assert reason(KEY.proof(URL, NOW, nonce="old", htm="GET"), known=known) == "htm"


# --- dpop_jkt ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "found"), [(None, ""), ("x" * 43, "x" * 43), (KEY.jkt, KEY.jkt)])
def test_a_thumbprint_that_can_be_one(asked: str | None, found: str) -> None:
    assert read_thumbprint(asked) == found


@pytest.mark.parametrize("asked", ["x", "x" * 42, "x" * 44, "x" * 42 + "=", "x" * 42 + "\n", "ü" * 43])
def test_a_thumbprint_that_cannot(asked: str) -> None:
    with pytest.raises(InvalidRequest, match="dpop_jkt is not"):
        read_thumbprint(asked)


# --- spelling ---------------------------------------------------------------------------------------------------------


@given(st.text(max_size=60))
def test_any_address_has_one_spelling(text: str) -> None:
    found = normal(f"https://a.test/{text}")
    if not isinstance(found, str):
        scheme, host, path = found
        assert normal(f"{scheme}://{host}{path}") == found
    normal(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.test", "https://a.test/", True),
        ("http://a.test:80/x", "http://a.test/x", True),
        ("http://a.test:443/x", "http://a.test/x", False),
        ("https://a.test/%2f", "https://a.test/%2F", True),
        ("https://a.test/%2f", "https://a.test//", False),
        ("https://a.test/%7Ea", "https://a.test/~a", True),
        ("https://a.test/a%2Eb", "https://a.test/a.b", True),
        ("https://a.test/%zz", "https://a.test/%ZZ", False),
        ("ftp://a.test/", "FTP://a.test/", False),
    ],
)
def test_spellings(one: str, other: str, same: bool) -> None:
    assert (normal(one) == normal(other)) is same


def test_its_parts_in_small_letters() -> None:
    assert normal("HTTPS://A.test:443/X") == ("https", "a.test", "/X")


def test_the_one_spelling_itself() -> None:
    """RFC 3986 6.2.2.1: capitals in percent-encodings, small letters in scheme and host."""
    assert normal("HTTPS://A.Test:443/%c3%7e?x#y") == ("https", "a.test", "/%C3~")
