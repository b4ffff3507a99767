"""The suite's modules about the pushed authorization request endpoint (RFC 9126)."""

from tests.conformance.client import UNHEARD, FapiClient, challenge, refused
from tests.flows.browser import Browser


async def test_fapi2_security_profile_final_par_authorization_request_containing_request_uri_form_param(
    client: FapiClient,
) -> None:
    pushed = await client.pushed()
    for request_uri in ("urn:example:bwc4JK-ESC0w8acc191e-Y1LTC2", pushed):
        fields = {name: value for name, value in client.asked().items() if isinstance(value, str)}
        answer = await client.push_fields({"request_uri": request_uri} | fields)
        refused(answer, "invalid_request", "invalid_request_object", "request_uri_not_supported")


async def test_fapi2_security_profile_final_par_attempt_invalid_http_method(client: FapiClient) -> None:
    url = client.metadata["pushed_authorization_request_endpoint"]
    for method in ("PUT", "GET", "DELETE"):
        answer = await client.house.http().request(method, url)
        assert answer.status_code == 405 and answer.headers["allow"] == "POST", answer.text


async def test_fapi2_security_profile_final_par_ensure_pkce_required(client: FapiClient) -> None:
    refused(await client.push(code_challenge=None, code_challenge_method=None), "invalid_request")


async def test_fapi2_security_profile_final_par_plain_pkce_rejected(client: FapiClient) -> None:
    verifier = "plain-as-it-is-and-long-enough-to-be-a-code-verifier"
    refused(await client.push(code_challenge=verifier, code_challenge_method="plain"), "invalid_request")
    refused(await client.push(code_challenge=verifier, code_challenge_method=None), "invalid_request")
    refused(
        await client.push(code_challenge=challenge(verifier), code_challenge_method="s256"), "invalid_request"
    )


# --- the client assertion ---------------------------------------------------------------------------------------------


async def test_fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(
    client: FapiClient,
) -> None:
    soon = client.now + 8
    answer = await client.push(assertion=client.assertion(iat=soon, nbf=soon))
    assert answer.status_code == 201, answer.text


async def test_fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails(
    client: FapiClient,
) -> None:
    later = client.now + 62
    for ahead in ({"iat": later, "nbf": later, "exp": later + 60}, {"iat": later, "exp": later + 60}):
        refused(await client.push(assertion=client.assertion(**ahead)), *UNHEARD)


async def test_fapi2_security_profile_final_par_test_array_as_audience_fails(client: FapiClient) -> None:
    issuer = client.metadata["issuer"]
    for audience in ([issuer, "https://other.example"], [issuer]):
        refused(await client.push(assertion=client.assertion(aud=audience)), *UNHEARD)


async def test_fapi2_security_profile_final_par_test_par_endpoint_url_as_audience_fails(
    client: FapiClient,
) -> None:
    address = client.metadata["pushed_authorization_request_endpoint"]
    refused(await client.push(assertion=client.assertion(aud=address)), *UNHEARD)


async def test_fapi2_security_profile_final_par_test_token_endpoint_url_as_audience_fails(
    client: FapiClient,
) -> None:
    refused(await client.push(assertion=client.assertion(aud=client.metadata["token_endpoint"])), *UNHEARD)


async def test_an_assertion_is_good_for_one_request(client: FapiClient, browser: Browser) -> None:
    assertion = client.assertion()
    assert (await client.push(assertion=assertion)).status_code == 201
    refused(await client.push(assertion=assertion), *UNHEARD)
    refused(await client.redeem(await client.code(browser), assertion=assertion), *UNHEARD)
