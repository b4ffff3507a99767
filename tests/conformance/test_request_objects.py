"""The suite's modules about signed request objects (RFC 9101, FAPI 2.0 Message Signing 5.3)."""

import pytest

from tests.conformance.client import MESSAGE_SIGNING, SIGNED_REQUESTS, FapiClient, Variant, refused
from tests.flows.browser import Browser
from tests.signing import Signer, unsigned

WRONG = "invalid_request_object"
HOUR = 3600


@pytest.fixture(params=[SIGNED_REQUESTS, MESSAGE_SIGNING], ids=lambda variant: variant.name)
def variant(request: pytest.FixtureRequest) -> Variant:
    """Requests are signed in both; the answers in one."""
    found: Variant = request.param
    return found


async def test_fapi2_security_profile_final_ensure_request_object_with_multiple_aud_succeeds(
    client: FapiClient, browser: Browser
) -> None:
    audience = [client.metadata["issuer"], "https://other1.example.com", "invalid"]
    answer = await client.push(sent=client.request_object(client.asked(), aud=audience))
    said = await client.allowed(browser, answer.json()["request_uri"])
    client.granted(await client.redeem(said["code"]))


async def test_fapi2_security_profile_final_ensure_request_object_with_nbf_8_seconds_in_the_future_is_accepted(
    client: FapiClient, browser: Browser
) -> None:
    answer = await client.push(sent=client.request_object(client.asked(), nbf=client.now + 8))
    assert answer.status_code == 201, answer.text
    client.granted(await client.redeem((await client.allowed(browser, answer.json()["request_uri"]))["code"]))


async def test_fapi2_security_profile_final_ensure_request_object_without_exp_fails(
    client: FapiClient,
) -> None:
    refused(await client.push(sent=client.request_object(client.asked(), exp=None)), WRONG)


async def test_fapi2_security_profile_final_ensure_request_object_without_nbf_fails(
    client: FapiClient,
) -> None:
    refused(await client.push(sent=client.request_object(client.asked(), nbf=None)), WRONG)


async def test_fapi2_security_profile_final_ensure_expired_request_object_fails(client: FapiClient) -> None:
    sent = client.request_object(client.asked(), nbf=client.now - 600, exp=client.now - 300)
    refused(await client.push(sent=sent), WRONG)


async def test_fapi2_security_profile_final_ensure_request_object_with_bad_aud_fails(
    client: FapiClient,
) -> None:
    for audience in ("https://other.example", ["https://other.example", "invalid"], None):
        refused(await client.push(sent=client.request_object(client.asked(), aud=audience)), WRONG)


async def test_fapi2_security_profile_final_ensure_request_object_with_exp_over_60_fails(
    client: FapiClient,
) -> None:
    sent = client.request_object(client.asked(), exp=client.now + 70 * 60)
    refused(await client.push(sent=sent), WRONG)


async def test_fapi2_security_profile_final_ensure_request_object_with_nbf_over_60_fails(
    client: FapiClient,
) -> None:
    sent = client.request_object(client.asked(), nbf=client.now - 70 * 60)
    refused(await client.push(sent=sent), WRONG)


async def test_fapi2_security_profile_final_ensure_signed_request_object_with_RS256_fails(
    client: FapiClient,
) -> None:
    weak = Signer("RS256", kid=client.key.kid, key=client.key.key)
    refused(await client.push(sent=client.request_object(client.asked(), by=weak)), WRONG)


async def test_fapi2_security_profile_final_ensure_request_object_signature_algorithm_is_not_none(
    client: FapiClient,
) -> None:
    now = client.now
    claims = client.asked() | {
        "aud": client.metadata["issuer"],
        "iss": client.id,
        "nbf": now,
        "exp": now + 300,
    }
    refused(await client.push(sent=unsigned(claims)), WRONG)


async def test_fapi2_security_profile_final_ensure_request_object_with_invalid_signature_fails(
    client: FapiClient,
) -> None:
    head, claims, signature = client.request_object(client.asked()).split(".")
    broken = ("B" if signature[0] == "A" else "A") + signature[1:]
    refused(await client.push(sent=f"{head}.{claims}.{broken}"), WRONG)


async def test_fapi2_security_profile_final_ensure_matching_key_in_authorization_request(
    client: FapiClient, client2: FapiClient
) -> None:
    sent = client.request_object(client.asked(), by=client2.key)
    refused(await client.push(sent=sent), WRONG, "invalid_request")


async def test_fapi2_security_profile_final_ensure_unsigned_request_at_par_endpoint_fails(
    client: FapiClient,
) -> None:
    fields = {name: value for name, value in client.asked().items() if isinstance(value, str)}
    refused(await client.push_fields(fields), "invalid_request")


async def test_fapi2_security_profile_final_par_authorization_request_containing_request_uri(
    client: FapiClient,
) -> None:
    inside = {"request_uri": "urn:example:bwc4JK-ESC0w8acc191e-Y1LTC2"}
    refused(await client.push(sent=client.request_object(client.asked() | inside)), WRONG)


async def test_what_is_sent_beside_a_request_object_does_not_count(
    client: FapiClient, browser: Browser
) -> None:
    fields = {"request": client.request_object(client.asked()), "state": "beside", "scope": "basic likes"}
    answer = await client.push_fields(fields)
    assert answer.status_code == 201, answer.text
    said = await client.allowed(browser, answer.json()["request_uri"])
    assert said["state"] == client.state
    assert client.granted(await client.redeem(said["code"]))["scope"] == "basic"
