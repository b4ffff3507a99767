"""The suite's modules about a flow that goes well, or that a person ends."""

from typing import Any

import httpx2
import pytest

from tests.conformance.client import (
    RESOURCE,
    SECURITY_PROFILE,
    SECURITY_PROFILE_RAR,
    SIGNED_REQUESTS,
    FapiClient,
    refused,
    shut_out,
    thumbprint,
)
from tests.flows.browser import Browser
from tests.house import House

OTHERS = pytest.mark.parametrize(
    "variant", [SECURITY_PROFILE_RAR, SIGNED_REQUESTS], ids=lambda variant: variant.name
)


async def metadata(house: House) -> httpx2.Response:
    return await house.http().get("/.well-known/oauth-authorization-server")


async def test_fapi2_security_profile_final_discovery_end_point_verification(house: House) -> None:
    answer = await metadata(house)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    told: dict[str, Any] = answer.json()
    assert told["issuer"] == "https://id.example"
    assert "code" in told["response_types_supported"]
    assert {"query", "jwt"} <= set(told["response_modes_supported"])
    assert told["authorization_response_iss_parameter_supported"] is True
    assert isinstance(told.get("require_pushed_authorization_requests", False), bool)
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    assert "S256" in told["code_challenge_methods_supported"]
    assert {"refresh_token", "authorization_code"} <= set(told["grant_types_supported"])
    assert "basic" in told["scopes_supported"]
    for name in ("dpop", "token_endpoint_auth", "request_object", "authorization"):
        listed = told[f"{name}_signing_alg_values_supported"]
        assert {"PS256", "ES256", "EdDSA"} & set(listed) and "none" not in listed, name
    ends = ("authorization", "token", "pushed_authorization_request", "introspection", "revocation")
    for address in [*(told[f"{end}_endpoint"] for end in ends), told["jwks_uri"]]:
        assert address.startswith("https://id.example/"), address


async def test_the_keys_that_answers_are_signed_with_are_published(house: House) -> None:
    keys = (await house.http().get((await metadata(house)).json()["jwks_uri"])).json()["keys"]
    assert keys and len({key["kid"] for key in keys}) == len(keys)
    assert not any({"d", "p", "q", "k"} & set(key) for key in keys)


async def test_fapi2_security_profile_final_happy_flow(
    client: FapiClient, client2: FapiClient, browser: Browser
) -> None:
    await walk(client, browser)
    client2.state = "s" * 128
    bound = {"dpop_jkt": thumbprint(client2.dpop)}
    if client2.variant.signed:
        header = {"typ": "oauth-authz-req+jwt"}
        sent = client2.request_object(client2.asked(**bound), header=header, iat=client2.now)
        answer = await client2.push(sent=sent)
        said = await client2.allowed(browser, answer.json()["request_uri"])
        token = client2.granted(await client2.redeem(said["code"]))["access_token"]
    else:
        token = (await client2.token(browser, **bound))["access_token"]
    assert await client2.lives(token)
    shut_out(await client2.call(token, client.proof("GET", RESOURCE, token)))


async def walk(client: FapiClient, browser: Browser) -> None:
    """The first client's way, and what it tries at the resource."""
    token = (await client.token(browser))["access_token"]
    answer = await client.call(token)
    assert answer.status_code == 200
    for accept in ("application/json; charset=UTF-8", "application/json, application/*+json, */*"):
        assert (await client.call(token, accept=accept)).status_code == 200
    proof = client.proof("GET", RESOURCE, token)
    in_query = await client.house.http().get(
        RESOURCE, params={"access_token": token}, headers={"dpop": proof}
    )
    shut_out(in_query)


@OTHERS
async def test_the_same_with_requests_signed_or_with_details_alone(
    client: FapiClient, browser: Browser
) -> None:
    await walk(client, browser)


async def test_fapi2_security_profile_final_user_rejects_authentication(
    client: FapiClient, client2: FapiClient, browser: Browser
) -> None:
    for who in (client, client2):
        who.state = "t" * 128
        page = await who.decided(browser, who.address(await who.pushed()), "deny")
        assert page.left is not None, page.text
        said = await who.told(page.left)
        assert (said["error"], said["state"]) == ("access_denied", who.state)
        assert set(said) <= {"error", "error_description", "error_uri", "state", "iss"}


async def test_fapi2_security_profile_final_ensure_other_scope_order_succeeds(
    client: FapiClient, browser: Browser
) -> None:
    for scope in ("basic likes", "likes basic"):
        token = await client.token(browser, scope=scope)
        assert set(token["scope"].split()) == {"basic", "likes"}


async def test_fapi2_security_profile_final_access_token_type_header_case_sensitivity(
    client: FapiClient, browser: Browser
) -> None:
    token = (await client.token(browser))["access_token"]
    for scheme in ("dpop", "DPOP", "dPOP"):
        assert (await client.call(token, scheme=scheme)).status_code == 200


async def test_fapi2_security_profile_final_refresh_token(
    client: FapiClient, client2: FapiClient, browser: Browser
) -> None:
    renewing = [await keeps(who, browser) for who in (client, client2)]
    refused(await client.refresh(renewing[0], scope="basic", proof=None), "invalid_request", "invalid_grant")
    refused(await client.refresh(renewing[1], scope="basic"), "invalid_grant")
    assert (await client2.refresh(renewing[1])).status_code == 200, "the stranger did not end it"


async def keeps(client: FapiClient, browser: Browser) -> str:
    """Refreshed under another key each time, and again with the token before: the answer may have been lost."""
    first = await client.token(browser)
    renewing = first["refresh_token"]
    assert len(renewing) >= 22
    scope = {"scope": "basic"} if client.redirect_uri.endswith("callback") else {}
    fresh = await FapiClient.made(client.house, SECURITY_PROFILE)
    client.dpop = fresh.dpop
    second = client.granted(await client.refresh(renewing, **scope))
    assert second["access_token"] != first["access_token"] and await client.lives(second["access_token"])
    later = second.get("refresh_token", renewing)
    if later != renewing:
        client.house.clock.forward(30)
        client.granted(await client.refresh(renewing, **scope))
    return str(later)
