"""Who sends: what a token is bound to when it is asked for, and with what it must be shown (C15)."""

from dataclasses import replace as other_rules
from typing import Any

import pytest
from msgspec.structs import replace

from tests.proofs import Prover
from tests.protocol.samples import BOOK, ISSUER, NOW, client, headers, params
from valetkey.protocol.changes import Once
from valetkey.protocol.errors import InvalidDpopProof, InvalidGrant, InvalidRequest, InvalidToken, OAuthError
from valetkey.protocol.facts import NOTHING_KNOWN, ExchangeFacts, Known
from valetkey.protocol.model import REGISTRATION, TERMS, Registration, Terms
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules import certificate, jwt
from valetkey.protocol.rules.dpop import Call
from valetkey.protocol.rules.grant import Proven
from valetkey.protocol.rules.headers import NO_HEADERS, Headers
from valetkey.protocol.rules.sender import Shown, check_code, check_token, prove

STRICT = other_rules(OAUTH21, sender="must")
PATH, KEY, OTHER = "/oauth/token", Prover(), Prover()
DER, X5T = b"certificate", certificate.thumbprint(b"certificate")
WITH_KEY = Registration(dpop_bound_access_tokens=True)
WITH_CERTIFICATE = Registration(tls_client_certificate_bound_access_tokens=True)


def asked(profile: Profile = OAUTH21, registered: Registration = REGISTRATION, **known: Any) -> Proven:
    app = client(registered=registered)
    return Proven(params(), app, profile, ExchangeFacts(app, known=Known(**known)), BOOK, NOW)


def with_proof(der: bytes | None = None) -> Headers:
    return headers(dpop=KEY.proof(ISSUER + PATH, NOW), certificate=der)


# --- when a token is asked for ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "registered", "shown", "bound"),
    [
        (OAUTH21, Registration(), NO_HEADERS, TERMS),
        (OAUTH21, Registration(), with_proof(), Terms(jkt=KEY.jkt)),
        (OAUTH21, Registration(), headers(certificate=DER), TERMS),
        (OAUTH21, WITH_KEY, with_proof(), Terms(jkt=KEY.jkt)),
        (OAUTH21, WITH_CERTIFICATE, headers(certificate=DER), Terms(x5t=X5T)),
        (OAUTH21, WITH_CERTIFICATE, with_proof(DER), Terms(jkt=KEY.jkt, x5t=X5T)),
        (STRICT, Registration(), with_proof(), Terms(jkt=KEY.jkt)),
        (STRICT, WITH_CERTIFICATE, headers(certificate=DER), Terms(x5t=X5T)),
        (CLASSIC, WITH_KEY, NO_HEADERS, TERMS),
        (CLASSIC, WITH_CERTIFICATE, headers(dpop="x", certificate=DER), TERMS),
    ],
)
def test_what_a_token_is_bound_to(
    profile: Profile, registered: Registration, shown: Headers, bound: Terms
) -> None:
    found, changes = prove(asked(profile, registered), shown, PATH)
    assert found == bound
    assert [type(each) for each in changes] == [Once] * bool(bound.jkt)


@pytest.mark.parametrize(
    ("profile", "registered", "shown", "reason"),
    [
        (OAUTH21, WITH_KEY, NO_HEADERS, "dpop_missing"),
        (OAUTH21, WITH_CERTIFICATE, NO_HEADERS, "certificate_missing"),
        (OAUTH21, WITH_CERTIFICATE, with_proof(), "certificate_missing"),
        (STRICT, Registration(), NO_HEADERS, "dpop_missing"),
        (STRICT, Registration(), headers(certificate=DER), "dpop_missing"),
        (STRICT, WITH_CERTIFICATE, NO_HEADERS, "certificate_missing"),
    ],
)
def test_what_must_be_there(profile: Profile, registered: Registration, shown: Headers, reason: str) -> None:
    with pytest.raises(InvalidRequest) as no:
        prove(asked(profile, registered), shown, PATH)
    assert no.value.reason == reason


def test_a_bad_proof_is_never_passed_over() -> None:
    for proof in ("", "x", KEY.proof(ISSUER + "/oauth/par", NOW), Prover("RS256").proof(ISSUER + PATH, 0)):
        with pytest.raises(InvalidDpopProof):
            prove(asked(), headers(dpop=proof), PATH)
    proof = with_proof()
    _, (once,) = prove(asked(), proof, PATH)
    assert isinstance(once, Once)
    with pytest.raises(InvalidDpopProof, match="used before"):
        prove(asked(used=frozenset({once.key})), proof, PATH)


def test_a_proof_for_where_certificates_are_asked_for() -> None:
    """RFC 8705 5: the same endpoint has two addresses, if the operator says so."""
    there = "https://mtls.id.test"
    heard = replace(asked(), book=other_rules(BOOK, certificate_url=there))
    for base in (there, ISSUER):
        found, _ = prove(heard, headers(dpop=KEY.proof(base + PATH, NOW)), PATH)
        assert found == Terms(jkt=KEY.jkt)
    for known, base in ((asked(), there), (heard, "https://other.test"), (heard, there + "/x")):
        with pytest.raises(InvalidDpopProof):
            prove(known, headers(dpop=KEY.proof(base + PATH, NOW)), PATH)


def test_a_code_bound_to_a_key() -> None:
    for bound in (TERMS, Terms(jkt="a")):
        check_code(bound, Terms(jkt="a"))
    check_code(TERMS, TERMS)
    for sender in (TERMS, Terms(jkt="b"), Terms(x5t="a")):
        with pytest.raises(InvalidGrant, match="bound to another DPoP key"):
            check_code(Terms(jkt="a"), sender)


# --- when it is shown -------------------------------------------------------------------------------------------------

TOKEN = "vk_at_token"
CALL = Call("GET", f"{ISSUER}/v1/users/self", jwt.STRONG, TOKEN)


def at_resource(key: Prover = KEY) -> str:
    return key.proof(CALL.url, NOW, "GET", TOKEN)


BOUND = Terms(jkt=KEY.jkt)


@pytest.mark.parametrize(
    ("scheme", "shown", "bound", "used"),
    [
        ("bearer", NO_HEADERS, TERMS, 0),
        ("", NO_HEADERS, TERMS, 0),
        ("bearer", headers(dpop="whatever", certificate=DER), TERMS, 0),
        ("dpop", headers(dpop=at_resource()), BOUND, 1),
        ("bearer", headers(certificate=DER), Terms(x5t=X5T), 0),
        ("dpop", headers(dpop=at_resource(), certificate=DER), Terms(jkt=KEY.jkt, x5t=X5T), 1),
    ],
)
def test_shown_as_it_is_bound(scheme: str, shown: Headers, bound: Terms, used: int) -> None:
    assert len(check_token(Shown(scheme, TOKEN, shown), bound, CALL, NOTHING_KNOWN, NOW)) == used


@pytest.mark.parametrize(
    ("scheme", "shown", "bound", "error", "reason"),
    [
        ("dpop", headers(dpop=at_resource()), TERMS, InvalidToken, "token_unbound"),
        ("dpop", NO_HEADERS, TERMS, InvalidToken, "token_unbound"),
        ("bearer", NO_HEADERS, BOUND, InvalidToken, "token_bound"),
        ("bearer", headers(dpop=at_resource()), BOUND, InvalidToken, "token_bound"),
        ("", headers(dpop=at_resource()), BOUND, InvalidToken, "token_bound"),
        ("dpop", NO_HEADERS, BOUND, InvalidDpopProof, "dpop_missing"),
        ("dpop", headers(dpop="x"), BOUND, InvalidDpopProof, "dpop_malformed"),
        ("dpop", headers(dpop=at_resource(OTHER)), BOUND, InvalidToken, "jkt_differs"),
        ("dpop", headers(dpop=KEY.proof(CALL.url, NOW, "GET", "vk_at_other")), BOUND, InvalidDpopProof, "dpop_ath"),
        ("dpop", headers(dpop=KEY.proof(CALL.url, NOW, "GET")), BOUND, InvalidDpopProof, "dpop_ath"),
        ("bearer", NO_HEADERS, Terms(x5t=X5T), InvalidToken, "x5t_differs"),
        ("bearer", headers(certificate=b"other"), Terms(x5t=X5T), InvalidToken, "x5t_differs"),
        ("dpop", headers(dpop=at_resource()), Terms(jkt=KEY.jkt, x5t=X5T), InvalidToken, "x5t_differs"),
    ],
)  # fmt: skip
def test_shown_otherwise(
    scheme: str, shown: Headers, bound: Terms, error: type[OAuthError], reason: str
) -> None:
    with pytest.raises(error) as no:
        check_token(Shown(scheme, TOKEN, shown), bound, CALL, NOTHING_KNOWN, NOW)
    assert no.value.reason == reason


def test_a_proof_at_a_resource_is_used_once() -> None:
    proof = Shown("dpop", TOKEN, headers(dpop=at_resource()))
    (once,) = check_token(proof, BOUND, CALL, NOTHING_KNOWN, NOW)
    assert isinstance(once, Once)
    with pytest.raises(InvalidDpopProof, match="used before"):
        check_token(proof, BOUND, CALL, Known(used=frozenset({once.key})), NOW)
