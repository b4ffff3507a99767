"""Clients without a secret of their own: a signed assertion, or a certificate that a proxy hands over."""

import json

import httpx2

from tests.certificates import der, escaped
from tests.flows.assertions import MTLS, ask, claims
from tests.flows.today import check_refused
from tests.house import App, Build, House
from tests.publisher import Publisher, document
from tests.signing import Signer, key_set, keyed
from valetkey.protocol.rules.certificate import thumbprint
from valetkey.settings import FetchSettings

KEY = Signer()


async def service(house: House, **registered: str) -> App:
    app = await house.make_app("https://printer.example/cb", type="service", profile="oauth21")
    return await house.registered(app, **registered)


async def test_a_key_is_registered_and_proves_who_it_is(house: House) -> None:
    app = await service(house, token_endpoint_auth_method="private_key_jwt", jwks=KEY.jwks)
    assertion = KEY.jwt(claims(house, app))
    answer = await ask(house, assertion)
    assert answer.status_code == 200 and answer.json()["access_token"].startswith("vk_at_")
    check_refused(await ask(house, assertion), "invalid_client")
    assert (await ask(house, KEY.jwt(claims(house, app, jti="next")), client_id=app.id)).status_code == 200
    check_refused(
        await ask(house, KEY.jwt(claims(house, app, jti="n")), client_id="other"), "invalid_request"
    )
    assert app.secret is not None
    check_refused(
        await house.form(
            "/oauth/token", grant_type="client_credentials", client_id=app.id, client_secret=app.secret
        ),
        "invalid_client",
    )
    check_refused(
        await ask(house, KEY.jwt(claims(house, app, jti="s")), client_secret=app.secret), "invalid_request"
    )


async def test_a_secret_proves_it_without_being_sent(house: House) -> None:
    app = await service(house, token_endpoint_auth_method="client_secret_jwt")
    assert app.secret is not None
    assertion = keyed(claims(house, app), app.secret.encode())
    assert (await ask(house, assertion)).status_code == 200
    check_refused(await ask(house, assertion), "invalid_client")
    check_refused(await ask(house, keyed(claims(house, app, jti="x"), b"guess")), "invalid_client")


async def test_keys_are_published_and_change(build: Build, site: Publisher) -> None:
    house = await build(fetch=FetchSettings(("localhost",), site.ca))
    app = await service(house, token_endpoint_auth_method="private_key_jwt", jwks_uri=site.url("/jwks"))
    new = Signer(kid="b")
    site.say("/jwks", document(KEY.jwks.encode()), document(key_set(KEY, new).encode()))
    assert (await ask(house, KEY.jwt(claims(house, app)))).status_code == 200
    check_refused(await ask(house, new.jwt(claims(house, app, jti="soon"))), "invalid_client")
    house.clock.forward(61)
    assert (await ask(house, new.jwt(claims(house, app)))).status_code == 200
    assert len(site.heads) == 2


async def test_keys_that_cannot_be_had_are_said_so_and_no_more(build: Build, site: Publisher) -> None:
    """Whether there is something at an address inside is nobody's business (R20)."""
    house = await build()
    words = set()
    for uri in (
        site.url("/jwks"),
        "https://nowhere.invalid/jwks",
        "https://169.254.169.254/latest/meta-data",
    ):
        app = await service(house, token_endpoint_auth_method="private_key_jwt", jwks_uri=uri)
        answer = await ask(house, KEY.jwt(claims(house, app)))
        check_refused(answer, "invalid_client")
        words.add(answer.json()["error_description"])
    assert len(words) == 1 and site.heads == []


async def behind(
    house: House, app: App, proxy: str, verified: str, content: bytes | None = None
) -> httpx2.Response:
    headers = {"x-client-verify": verified} | ({"x-client-cert": escaped(content)} if content else {})
    fields = {"grant_type": "client_credentials", "client_id": app.id}
    return await house.http(proxy).post("/oauth/token", data=fields, headers=headers)


async def test_a_certificate_proves_who_it_is(build: Build) -> None:
    house = await build(server=MTLS)
    named = await service(
        house,
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_subject_dn="CN=app,O=Photo Printer,C=DE",
    )
    content = der()
    assert (await behind(house, named, "10.0.0.1", "SUCCESS", content)).status_code == 200
    check_refused(await behind(house, named, "10.0.0.1", "FAILED:self-signed", content), "invalid_client")
    check_refused(await behind(house, named, "10.0.0.2", "SUCCESS", content), "invalid_client")
    check_refused(await behind(house, named, "10.0.0.1", "SUCCESS"), "invalid_client")
    keys = json.dumps({"keys": [KEY.jwk | {"x5t#S256": thumbprint(content)}]})
    own = await service(house, token_endpoint_auth_method="self_signed_tls_client_auth", jwks=keys)
    assert (await behind(house, own, "10.0.0.1", "FAILED:self-signed", content)).status_code == 200
    check_refused(await behind(house, own, "10.0.0.2", "SUCCESS", content), "invalid_client")
