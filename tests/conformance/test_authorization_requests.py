"""The suite's modules about what an authorization request may hold, and what counts of it."""

import pytest

from tests.conformance.client import FapiClient, refused
from tests.flows.browser import Browser, Page


async def turned_away(client: FapiClient, page: Page, *errors: str) -> None:
    """An error page that leads nowhere, or an error at the redirect URI; never a code."""
    if page.left is None:
        assert page.status == 400 and not page.asks_consent and not page.asks_login, page.text
        return
    said = await client.told(page.left)
    assert said["error"] in errors and "code" not in said


async def test_fapi2_security_profile_final_ensure_authorization_request_without_state_success(
    client: FapiClient, browser: Browser
) -> None:
    said = await client.allowed(browser, await client.pushed(state=None))
    assert set(said) == {"code", "iss"}
    assert await client.lives(client.granted(await client.redeem(said["code"]))["access_token"])


async def test_fapi2_security_profile_final_ensure_different_state_inside_and_outside_request_object(
    client: FapiClient, browser: Browser
) -> None:
    said = await client.allowed(browser, await client.pushed(), state="another")
    assert said["state"] == client.state
    client.granted(await client.redeem(said["code"]))


async def test_fapi2_security_profile_final_state_only_outside_request_object_not_used(
    client: FapiClient, browser: Browser
) -> None:
    said = await client.allowed(browser, await client.pushed(state=None), state=client.state)
    assert set(said) == {"code", "iss"}


async def test_fapi2_security_profile_final_ensure_authorization_request_with_long_state(
    client: FapiClient, browser: Browser
) -> None:
    client.state = "0123456789" * 100
    client.granted(await client.redeem(await client.code(browser)))


async def test_fapi2_security_profile_final_plain_fapi_tolerate_unregistered_redirect_uri(
    client: FapiClient,
) -> None:
    refused(
        await client.push(redirect_uri="https://suite.example/test/a/valetkey/callback/other"),
        "invalid_request",
        "invalid_request_object",
    )


async def test_fapi2_security_profile_final_ensure_redirect_uri_in_authorization_request(
    client: FapiClient,
) -> None:
    refused(await client.push(redirect_uri=None), "invalid_request", "invalid_request_object")


async def test_fapi2_security_profile_final_ensure_request_object_without_redirect_uri_fails(
    client: FapiClient,
) -> None:
    refused(await client.push(redirect_uri=None), "invalid_request", "invalid_request_object")


async def test_fapi2_security_profile_final_ensure_unsigned_authorization_request_without_using_par_fails(
    client: FapiClient, browser: Browser
) -> None:
    asked = {name: value for name, value in client.asked().items() if isinstance(value, str)}
    address = client.address("unused", **asked).replace("request_uri=unused&", "")
    page = await browser.open(address)
    if page.left is not None:
        assert "error=invalid_request&" in page.left or "response=" in page.left
    await turned_away(client, page, "invalid_request")


@pytest.mark.parametrize("response_type", ["code id_token", "token", "none", "Code"])
async def test_fapi2_security_profile_final_ensure_response_type_code_idtoken_fails(
    client: FapiClient, response_type: str
) -> None:
    refused(
        await client.push(response_type=response_type),
        "unsupported_response_type",
        "invalid_request",
        "unauthorized_client",
    )


async def test_fapi2_security_profile_final_ensure_response_type_token_fails(client: FapiClient) -> None:
    refused(
        await client.push(response_type="token"),
        "unsupported_response_type",
        "invalid_request",
        "unauthorized_client",
    )


# --- request_uri ------------------------------------------------------------------------------------------------------


async def test_fapi2_security_profile_final_par_without_duplicate_parameters(
    client: FapiClient, browser: Browser
) -> None:
    page = await client.decided(browser, client.address(await client.pushed(), bare=True))
    assert page.left is not None, page.text
    said = await client.told(page.left)
    client.granted(await client.redeem(said["code"]))


async def test_fapi2_security_profile_final_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(
    client: FapiClient,
) -> None:
    house = client.house
    person, stranger = await house.make_account(), house.browser()
    request_uri = await client.pushed()
    assert (await stranger.open(client.address(request_uri))).asks_login
    page = await stranger.open(client.address(request_uri))
    page = await stranger.login(page, person.username, person.password)
    page = await stranger.consent(page, "allow")
    assert page.left is not None, page.text
    client.granted(await client.redeem((await client.told(page.left))["code"]))


async def test_fapi2_security_profile_final_par_attempt_reuse_request_uri(
    client: FapiClient, browser: Browser
) -> None:
    request_uri = await client.pushed()
    client.granted(await client.redeem((await client.allowed(browser, request_uri))["code"]))
    page = await client.decided(browser, client.address(request_uri))
    await turned_away(client, page, "invalid_request_uri")


async def test_fapi2_security_profile_final_par_attempt_to_use_expired_request_uri(
    client: FapiClient, browser: Browser
) -> None:
    answer = await client.push()
    client.house.clock.forward(answer.json()["expires_in"])
    page = await client.decided(browser, client.address(answer.json()["request_uri"]))
    await turned_away(client, page, "invalid_request_uri")


async def test_fapi2_security_profile_final_par_attempt_to_use_request_uri_for_different_client(
    client: FapiClient, client2: FapiClient, browser: Browser
) -> None:
    request_uri = await client.pushed()
    page = await client2.decided(browser, client2.address(request_uri))
    await turned_away(client2, page, "invalid_request_uri", "invalid_request", "invalid_request_object")
    client.granted(await client.redeem((await client.allowed(browser, request_uri))["code"]))
