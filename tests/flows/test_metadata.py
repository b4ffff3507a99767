"""Clients set themselves up: the metadata document is where they look, and all that it names is there (RFC 8414)."""

from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.house import ONE_STORE, SITE, Build, House
from valetkey.settings import ServerSettings

pytestmark = ONE_STORE
PLACE = "/.well-known/oauth-authorization-server"


async def test_the_document(house: House) -> None:
    answer = await house.raw("GET", PLACE)
    assert answer.status == 200 and answer.header("access-control-allow-origin") == "*"
    assert answer.header("cache-control") == "public, max-age=300" and answer.header("etag")
    told = answer.json()
    assert told["issuer"] == SITE
    assert told["introspection_signing_alg_values_supported"] == ["ES256"]
    assert all(value not in ("", [], None) for value in told.values())


async def test_every_address_in_it_answers(build: Build) -> None:
    house: House = await build(mcp=True)
    told = (await house.raw("GET", PLACE)).json()
    addresses = [value for name, value in told.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) >= 6
    for address in addresses:
        assert address.startswith(f"{SITE}/")
        found = [(await house.raw(method, urlsplit(address).path)).status for method in ("GET", "POST")]
        assert 404 not in found and 500 not in found, (address, found)
        assert set(found) != {405}, (address, found)


@pytest.mark.parametrize(
    "path",
    [PLACE, f"{PLACE}/tenant/one", f"/tenant/one{PLACE}"],
)
async def test_an_issuer_with_a_path(build: Build, path: str) -> None:
    house: House = await build(issuer=f"{SITE}/tenant/one/")
    told = (await house.raw("GET", path)).json()
    assert told["issuer"] == f"{SITE}/tenant/one"
    assert told["token_endpoint"] == f"{SITE}/tenant/one/oauth/token"
    assert (await house.raw("GET", f"/tenant{PLACE}")).status == 404
    house.app = Starlette(routes=[Mount("/tenant/one", house.app)])
    assert (await house.raw("GET", f"/tenant/one{PLACE}")).json() == told
    assert (await house.raw("GET", "/tenant/one/oauth/jwks")).json()["keys"]
    assert (await house.raw("GET", "/tenant/one/v1/users/self")).json()["meta"]["code"] == 400
    assert (await house.raw("GET", "/tenant/one/robots.txt")).status == 200


async def test_without_a_master_key_no_signature_is_promised(build: Build) -> None:
    house: House = await build()
    house.server.keys.master = None
    assert "introspection_signing_alg_values_supported" not in (await house.raw("GET", PLACE)).json()


@pytest.mark.parametrize(
    ("header", "verified", "proxies", "methods"),
    [
        ("", "", (), set()),
        ("X-Client-Cert", "X-Client-Verify", (), set()),
        ("X-Client-Cert", "", ("127.0.0.1",), {"self_signed_tls_client_auth"}),
        (
            "X-Client-Cert",
            "X-Client-Verify",
            ("127.0.0.1",),
            {"self_signed_tls_client_auth", "tls_client_auth"},
        ),
    ],
)
async def test_certificates_are_promised_where_a_proxy_hands_them_over(
    build: Build, header: str, verified: str, proxies: tuple[str, ...], methods: set[str]
) -> None:
    said = ServerSettings(
        trusted_proxies=proxies, client_certificate_header=header, client_certificate_verified_header=verified
    )
    told = (await (await build(server=said)).raw("GET", PLACE)).json()
    for endpoint in ("token", "introspection", "revocation"):
        found = told[f"{endpoint}_endpoint_auth_methods_supported"]
        assert {name for name in found if "tls" in name} == methods
    assert told.get("tls_client_certificate_bound_access_tokens", False) is bool(methods)
    assert "mtls_endpoint_aliases" not in told
    elsewhere = replace(said, client_certificate_url="https://mtls.id.example/")
    told = (await (await build(server=elsewhere)).raw("GET", PLACE)).json()
    aliases = told.get("mtls_endpoint_aliases", {})
    assert bool(aliases) is bool(methods) and set(aliases) <= set(told)
    assert all(
        told[name] == SITE + place.removeprefix("https://mtls.id.example") for name, place in aliases.items()
    )
