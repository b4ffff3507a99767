"""The suite's modules about DPoP (RFC 9449): proofs at PAR, the token endpoint and the resource."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.client import (
    RESOURCE,
    SECURITY_PROFILE,
    FapiClient,
    Variant,
    bare,
    refused,
    shut_out,
    thumbprint,
)
from tests.flows.browser import Browser
from tests.signing import Signer, b64, number, unsigned

MISMATCH = ("invalid_request", "invalid_grant", "invalid_dpop_proof")


def at_par(client: FapiClient, by: Signer | None = None, **claims: Any) -> str:
    """A proof for PAR."""
    return client.proof("POST", client.metadata["pushed_authorization_request_endpoint"], by=by, **claims)


def at_token(client: FapiClient, by: Signer | None = None, **claims: Any) -> str:
    """A proof for the token endpoint."""
    return client.proof("POST", client.metadata["token_endpoint"], by=by, **claims)


async def everywhere(client: FapiClient, browser: Browser, **claims: Any) -> None:
    """Proofs like this are good at all three places."""
    code = await client.code(browser, proof=at_par(client, **claims))
    token = client.granted(await client.redeem(code, proof=at_token(client, **claims)))["access_token"]
    answer = await client.call(token, client.proof("GET", RESOURCE, token, **claims))
    assert answer.status_code == 200, answer.text


async def test_fapi2_security_profile_final_check_dpop_proof_nbf_exp(
    client: FapiClient, browser: Browser
) -> None:
    await everywhere(client, browser, nbf=client.now, exp=client.now + 300)


async def test_fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_before_succeeds(
    client: FapiClient, browser: Browser
) -> None:
    await everywhere(client, browser, iat=client.now - 10)


async def test_fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_after_succeeds(
    client: FapiClient, browser: Browser
) -> None:
    await everywhere(client, browser, iat=client.now + 10)


async def test_fapi2_security_profile_final_ensure_mismatched_dpop_jkt_fails(client: FapiClient) -> None:
    other = thumbprint(Signer("ES256"))
    answer = await client.push(proof=at_par(client), dpop_jkt=other)
    refused(answer, "invalid_dpop_proof", "invalid_request")


async def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(
    client: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser, proof=at_par(client))
    refused(await client.redeem(code, proof=at_token(client, by=Signer("ES256"))), *MISMATCH)


async def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(
    client: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser, dpop_jkt=thumbprint(Signer("ES256")))
    refused(await client.redeem(code), *MISMATCH)


async def test_fapi2_security_profile_final_ensure_dpopproof_at_par_endpoint_binding_success(
    client: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser, proof=at_par(client))
    client.granted(await client.redeem(code))


async def test_fapi2_security_profile_final_ensure_dpop_auth_code_binding_success(
    client: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser, proof=at_par(client), dpop_jkt=thumbprint(client.dpop))
    client.granted(await client.redeem(code))


# --- fapi2-security-profile-final-dpop-negative-tests, one line each --------------------------------------------------

Forge = Callable[[FapiClient, str], str]


def proof(**more: Any) -> Forge:
    """A proof for the resource with this about it."""
    return lambda client, token: client.proof("GET", RESOURCE, token, **more)


def without_alg(client: FapiClient, token: str) -> str:
    return client.proof("GET", RESOURCE, token, header={"alg": None, "alg2": client.dpop.algorithm})


def without_third_part(client: FapiClient, token: str) -> str:
    return client.proof("GET", RESOURCE, token).rpartition(".")[0]


def never_signed(client: FapiClient, token: str) -> str:
    return unsigned({"htm": "GET", "htu": RESOURCE, "jti": "a", "iat": client.now, "ath": "b"})


def broken(client: FapiClient, token: str) -> str:
    signed, _, signature = client.proof("GET", RESOURCE, token).rpartition(".")
    return f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def private(client: FapiClient, token: str) -> str:
    d = number(client.dpop.key.private_numbers().private_value, 32)
    return client.proof("GET", RESOURCE, token, header={"jwk": bare(client.dpop) | {"d": d}})


def weak(client: FapiClient, token: str) -> str:
    return client.proof("GET", RESOURCE, token, by=Signer("RS256"))


def of_another_key(client: FapiClient, token: str) -> str:
    return client.proof("GET", RESOURCE, token, by=Signer("ES256"))


def an_hour(off: int) -> Forge:
    return lambda client, token: client.proof("GET", RESOURCE, token, iat=client.now + off)


BAD: dict[str, Forge] = {
    "no JWT": without_third_part,
    "no typ": proof(header={"typ": None}),
    "no alg": without_alg,
    "no jwk": proof(header={"jwk": None}),
    **{f"no {claim}": proof(**{claim: None}) for claim in ("jti", "htm", "htu", "iat", "ath")},
    "another typ": proof(header={"typ": "dpop+jwt+other"}),
    "RS256": weak,
    "none": never_signed,
    "a broken signature": broken,
    "a private key": private,
    "another method": proof(htm="PUT"),
    "another address": proof(htu=RESOURCE + "elsewhere"),
    "an hour ahead": an_hour(3600),
    "an hour ago": an_hour(-3600),
    "another ath": proof(ath=b64(bytes(32))),
    "another key": of_another_key,
}
GOOD: dict[str, Forge] = {
    "a query and a fragment": proof(htu=RESOURCE + "?all=doors#that"),
    "members that nobody knows": proof(header={"tx_id": 1}, tx_id_key=2),
    "capitals": proof(htu=RESOURCE.replace("https://id.example", "HTTPS://ID.EXAMPLE")),
    "the port of https": proof(htu=RESOURCE.replace("id.example", "id.example:443")),
}


@pytest.fixture
def variant() -> Variant:
    """How requests and answers are signed makes no difference to a proof."""
    return SECURITY_PROFILE


async def test_fapi2_security_profile_final_dpop_negative_tests(client: FapiClient, browser: Browser) -> None:
    token = (await client.token(browser))["access_token"]
    for name, forge in BAD.items():
        answer = await client.call(token, forge(client, token))
        assert answer.status_code in (400, 401), f"{name}: {answer.text}"
    shut_out(await client.call(token, None))
    shut_out(await client.call(token, None, scheme="Bearer"))
    shut_out(await client.call(token, scheme="Bearer"))
    for name, forge in GOOD.items():
        answer = await client.call(token, forge(client, token))
        assert answer.status_code == 200, f"{name}: {answer.text}"
    assert await client.lives(token)


async def test_two_proofs_are_none(client: FapiClient, browser: Browser) -> None:
    token = (await client.token(browser))["access_token"]
    proofs = [(b"dpop", client.proof("GET", RESOURCE, token).encode()) for _ in range(2)]
    answer = await client.house.raw(
        "GET", "/v1/users/self", headers=[(b"authorization", f"DPoP {token}".encode()), *proofs]
    )
    assert answer.status in (400, 401)


async def test_a_proof_is_good_once_and_its_name_is_read_in_any_case(
    client: FapiClient, browser: Browser
) -> None:
    token = (await client.token(browser))["access_token"]
    once = client.proof("GET", RESOURCE, token)
    headers = [(b"authorization", f"DPoP {token}".encode()), (b"DPOP".lower(), once.encode())]
    assert (await client.house.raw("GET", "/v1/users/self", headers=headers)).status == 200
    shut_out(await client.call(token, once))
    other = await client.house.another_worker()
    client.house = other
    shut_out(await client.call(token, once))
    assert await client.lives(token)


async def test_rsa_proofs_are_good(client: FapiClient, browser: Browser) -> None:
    client.dpop = Signer("PS256")
    assert await client.lives((await client.token(browser))["access_token"])
