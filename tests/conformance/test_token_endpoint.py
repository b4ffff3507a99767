"""The suite's modules about the token endpoint: codes, PKCE, and how a client shows who it is."""

from tests.conformance.client import UNHEARD, VERIFIER, FapiClient, refused
from tests.flows.browser import Browser
from tests.signing import Signer


async def test_fapi2_security_profile_final_ensure_client_id_in_token_endpoint(
    client: FapiClient, client2: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser)
    stranger = client2.assertion(by=client.key)
    answer = await client.redeem(code, assertion=stranger, client_id=client2.id)
    refused(answer, "invalid_client", "invalid_grant")
    answer = await client.redeem(code, client_id=client2.id)
    refused(answer, "invalid_client", "invalid_grant", "invalid_request")


async def test_fapi2_security_profile_final_ensure_holder_of_key_required(
    client: FapiClient, browser: Browser
) -> None:
    answer = await client.redeem(await client.code(browser), proof=None)
    refused(answer, "invalid_request", "invalid_grant", "invalid_dpop_proof")


async def test_fapi2_security_profile_final_ensure_authorization_code_is_bound_to_client(
    client: FapiClient, client2: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser)
    refused(await client2.redeem(code, redirect_uri=client.redirect_uri), "invalid_grant")
    client.granted(await client.redeem(code))


async def test_fapi2_security_profile_final_attempt_reuse_authorization_code_after_one_second(
    client: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser)
    token = client.granted(await client.redeem(code))["access_token"]
    assert await client.lives(token)
    client.house.clock.forward(1)
    refused(await client.redeem(code), "invalid_grant")
    assert not await client.lives(token)


async def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_expired_auth_code(
    client: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser)
    client.house.clock.forward(62)
    refused(await client.redeem(code), "invalid_grant")


async def test_fapi2_security_profile_final_ensure_pkce_code_verifier_required(
    client: FapiClient, browser: Browser
) -> None:
    refused(await client.redeem(await client.code(browser), code_verifier=None), "invalid_grant")


async def test_fapi2_security_profile_final_incorrect_pkce_code_verifier_rejected(
    client: FapiClient, browser: Browser
) -> None:
    refused(await client.redeem(await client.code(browser), code_verifier=VERIFIER[::-1]), "invalid_grant")


# --- the client assertion ---------------------------------------------------------------------------------------------


async def test_fapi2_security_profile_final_ensure_signed_client_assertion_with_RS256_fails(
    client: FapiClient, browser: Browser
) -> None:
    weak = Signer("RS256", kid=client.key.kid, key=client.key.key)
    refused(
        await client.redeem(await client.code(browser), assertion=client.assertion(by=weak)), "invalid_client"
    )


async def test_fapi2_security_profile_final_ensure_client_assertion_in_token_endpoint(
    client: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser)
    refused(await client.redeem(code, proven=False, client_id=client.id), *UNHEARD)


async def test_fapi2_security_profile_final_ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(
    client: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser)
    refused(await client.redeem(code, assertion=client.assertion(exp=client.now - 300)), *UNHEARD)


async def test_fapi2_security_profile_final_ensure_client_assertion_with_wrong_aud_fails(
    client: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser)
    refused(
        await client.redeem(code, assertion=client.assertion(aud="https://other.example/token")), *UNHEARD
    )


async def test_fapi2_security_profile_final_ensure_client_assertion_with_no_sub_fails(
    client: FapiClient, browser: Browser
) -> None:
    code = await client.code(browser)
    refused(await client.redeem(code, assertion=client.assertion(sub=None)), *UNHEARD)
    answer = await client.redeem(code, assertion=client.assertion(sub=None), client_id=client.id)
    refused(answer, *UNHEARD)


async def test_a_request_object_is_no_client_assertion(client: FapiClient, browser: Browser) -> None:
    code = await client.code(browser)
    refused(await client.redeem(code, assertion=client.request_object(client.asked())), *UNHEARD)
