"""What an app registers beyond its name and addresses, in the console (RFC 7591 2)."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.signing import Signer
from tests.web.conftest import CALLBACK, Site, built, settings
from tests.web.person import Page, Person
from valetkey.protocol.grants import GRANTS
from valetkey.protocol.model import Client, Registration
from valetkey.server import clients
from valetkey.server.authorization_server import rulebook
from valetkey.server.clients import ClientForm
from valetkey.web.console.registered import FIELDS, NEEDS, filled, offered

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
HEADERS = {
    "server.trusted_proxies": ["127.0.0.1"],
    "server.client_certificate_header": "X-Client-Cert",
    "server.client_certificate_verified_header": "X-Client-Verify",
}
KEYS = msgspec.json.encode({"keys": [Signer("ES256", kid="a").jwk]}).decode()
# what an app cannot give itself: an operator does, on the command line
OPERATORS = {"authorization_details_types", "introspects", "exchanges_of", "exchanges_for", "impersonates"}
OWN = {
    "registration_token",
    "fresh_until",
    "moved_at",
    "exchanged_after",
    "left_at",
    "logo_uri",
}  # ours, and what is never shown


HEARS = rulebook(settings(**HEADERS))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """One that certificates reach."""
    made = await built(settings(**HEADERS))
    yield made
    await made.server.close()


@pytest.fixture
async def app(site: Site) -> Client:
    form = ClientForm("Slow Postcards", "web", "oauth21", (CALLBACK,))
    return (await clients.register(site.server, site.developer, form)).client


async def save(site: Site, developer: Person, app: Client, **said: str | None) -> Page:
    """Open the app's page, change these fields of its settings, and save."""
    path = f"/developer/apps/{app.id}/"
    stands: dict[str, str | None] = {
        "name": app.name,
        "redirect_uris": "\n".join(app.redirect_uris),
        "profile": app.profile,
        "disable_implicit": "yes",
        **{name: value for name, value in filled(app).items() if value},
    }
    return await developer.send(await developer.open(path), path + "settings/", **stands | said)


async def registered(site: Site, app: Client) -> Registration:
    return (await clients.one(site.server, site.developer, app.id)).registered


async def test_saving_it_unchanged_changes_nothing(site: Site, developer: Person, app: Client) -> None:
    page = await save(site, developer, app)
    assert "Saved." in page.words
    assert await registered(site, app) == Registration()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            {f"grant_types:{DEVICE}": "yes"},
            {"grant_types": ("authorization_code", "refresh_token", DEVICE)},
        ),
        ({"grant_types:refresh_token": None}, {"grant_types": ("authorization_code",)}),
        (
            {"scope": " basic  likes basic ", "optional_scope": "likes"},
            {"scope": ("basic", "likes"), "optional_scope": ("likes",)},
        ),
        (
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS + "\n"},
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS},
        ),
        (
            {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.example"},
            {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.example"},
        ),
        ({"access_token_format": "jwt"}, {"access_token_format": "jwt"}),
        (
            {"dpop_bound_access_tokens": "yes", "require_pushed_authorization_requests": "yes"},
            {"dpop_bound_access_tokens": True, "require_pushed_authorization_requests": True},
        ),
        (
            {
                "introspects": "yes",
                "impersonates": "yes",
                "exchanges_of": "x",
                "fresh_until": "1",
                "moved_at": "1",
            },
            {},
        ),
        (
            {"grant_types:authorization_code": None, "grant_types:nonsense": "yes"},
            {"grant_types": ("refresh_token",)},
        ),
    ],
)
async def test_what_is_said_is_kept(
    site: Site, developer: Person, app: Client, said: dict[str, str | None], kept: dict[str, Any]
) -> None:
    page = await save(site, developer, app, **said)
    assert "Saved." in page.words, page.words
    assert await registered(site, app) == msgspec.structs.replace(Registration(), **kept)
    again = await clients.one(site.server, site.developer, app.id)
    assert "Saved." in (await save(site, developer, again)).words
    assert await registered(site, app) == again.registered, "shown as it is, and so not changed"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"scope": "basic everything"}, "Scopes has 'everything', which is not in the catalogue."),
        (
            {"scope": "basic", "optional_scope": "likes"},
            "Optional scopes has likes, which scope does not name.",
        ),
        (
            {"token_endpoint_auth_method": "private_key_jwt"},
            "Keys or jwks_uri is needed to prove who the client is.",
        ),
        ({"token_endpoint_auth_method": "none"}, "How it proves who it is must not be none here."),
        ({"jwks": "{}"}, "Keys has no list of keys."),
        ({"jwks_uri": "http://app.example/"}, "Address of its keys must start with https://."),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "How it proves who it is needs exactly one of"),
        ({"request_object_signing_alg": "none"}, "It signs requests with must be one of"),
        (
            {"profile": "classic", "optional_scope": "likes"},
            "Optional scopes is nothing that this profile knows.",
        ),
    ],
)
async def test_what_is_wrong_is_said_and_shown_again(
    site: Site, developer: Person, app: Client, said: dict[str, str], words: str
) -> None:
    page = await save(site, developer, app, **said)
    assert page.status == 400 and words in page.words
    assert "<details open>" in page.html, "what is wrong is not folded away"
    assert await registered(site, app) == Registration()
    assert all(value in page.html for value in said.values() if value != "none")


async def test_an_old_form_without_these_fields_leaves_them_as_they_are(
    site: Site, developer: Person, app: Client
) -> None:
    await save(site, developer, app, scope="basic")
    before = await registered(site, app)
    page = await save(site, developer, app, registered=None, scope=None)
    assert "Saved." in page.words and await registered(site, app) == before


def test_every_field_is_offered_to_somebody() -> None:
    names = set(Registration.__struct_fields__)
    assert {field.name for field in FIELDS} == names - OPERATORS - OWN
    assert {name for names in NEEDS.values() for name in names.split()} <= names
    assert {value for value, *_ in FIELDS[0].choices} == set(GRANTS)


def test_what_means_nothing_is_not_offered() -> None:
    classic = Client("app", 1, "App", "web", "classic", (CALLBACK,), 0)
    shown = {field.name: field for field in offered(classic, HEARS)}
    assert not {name for names in NEEDS.values() for name in names.split()} & set(shown)
    assert [value for value, *_ in shown["grant_types"].choices] == ["authorization_code", "refresh_token"]
    methods = [value for value, *_ in shown["token_endpoint_auth_method"].choices]
    assert methods == ["", "client_secret_post"]
    public = msgspec.structs.replace(classic, type="spa", profile="oauth21")
    methods = [value for value, *_ in offered(public, HEARS)[3].choices]
    assert methods == ["", "none"]


@pytest.mark.parametrize(
    ("told", "registered", "offers"),
    [
        ({}, {}, set()),
        ({}, {"token_endpoint_auth_method": "tls_client_auth"}, {"tls_client_auth"}),  # of before
        ({"server.client_certificate_verified_header": ""}, {}, {"self_signed_tls_client_auth"}),
        (HEADERS, {}, {"tls_client_auth", "self_signed_tls_client_auth"}),
    ],
)
def test_certificates_are_spoken_of_where_they_arrive(
    told: dict[str, object], registered: dict[str, Any], offers: set[str]
) -> None:
    book = rulebook(settings(**(HEADERS | told if told else {})))
    plain = Client("app", 1, "App", "web", "oauth21", (CALLBACK,), 0)
    app = msgspec.structs.replace(plain, registered=Registration(**registered))
    shown = {field.name: field for field in offered(app, book)}
    methods = {value for value, *_ in shown["token_endpoint_auth_method"].choices}
    assert {name for name in methods if "tls" in name} == offers
    assert ("tls_client_auth_subject_dn" in shown) is bool(told)
    bound = "tls_client_certificate_bound_access_tokens"
    assert (bound in shown) is bool(told)
    stands = msgspec.structs.replace(plain, registered=Registration(**{bound: True}))
    assert bound in {field.name for field in offered(stands, book)}, "or it could not be taken back"
