"""Apps make themselves known (RFC 7591), look after what they said (RFC 7592), and go on like anybody's app."""

import re
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from tests.flows.assertions import MTLS
from tests.flows.browser import Browser
from tests.flows.today import PKCE, VERIFIER, basic
from tests.house import SITE, App, Build, House
from tests.signing import Signer
from valetkey.protocol.changes import Save
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.rules.digest import digest
from valetkey.server import housekeeping
from valetkey.settings import RegistrationSettings, ServerSettings
from valetkey.store.base import Unavailable

CALLBACK = "https://agent.example/callback"
SAID: dict[str, Any] = {"client_name": "Agent", "redirect_uris": [CALLBACK]}
PUBLIC = SAID | {"token_endpoint_auth_method": "none"}


@pytest.fixture
async def house(build: Build) -> House:
    made: House = await build(registration=RegistrationSettings(mode="open"))
    return made


async def register(
    house: House, said: dict[str, Any], token: str | None = None, **more: Any
) -> httpx2.Response:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return await house.http(**more).post("/oauth/register", json=said, headers=headers)


async def manage(
    house: House, made: dict[str, Any], method: str, said: Any = None, **more: Any
) -> httpx2.Response:
    headers = {"authorization": f"Bearer {more.get('token', made['registration_access_token'])}"}
    sent = {} if said is None else {"json": said}
    return await house.http().request(method, made["registration_client_uri"], headers=headers, **sent)


async def get_token(house: House, browser: Browser, made: dict[str, Any]) -> httpx2.Response:
    """The whole code flow of an app that has just registered."""
    client = await house.store.client(made["client_id"])
    assert client is not None
    code = await house.code(browser, App(client, None), redirect_uri=CALLBACK, scope="basic", **PKCE)
    fields = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    headers = {}
    if "client_secret" in made:
        headers = {"authorization": basic(made["client_id"], made["client_secret"])}
    else:
        fields["client_id"] = made["client_id"]
    return await house.http().post("/oauth/token", data=fields, headers=headers)


async def test_nothing_is_there_unless_the_operator_wants_it(build: Build) -> None:
    house = await build()
    assert (await register(house, PUBLIC)).status_code == 404
    assert (await house.http().get("/oauth/register/x")).status_code == 404


async def test_a_public_app_registers_and_goes_through_the_code_flow(house: House, browser: Browser) -> None:
    answer = await register(
        house, PUBLIC | {"scope": "basic likes openid", "client_uri": "https://agent.example/"}
    )
    assert answer.status_code == 201
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    made = answer.json()
    assert re.fullmatch(r"vk_ra_[A-Za-z0-9_-]{49}", made.pop("registration_access_token"))
    client_id = made.pop("client_id")
    assert made == {
        "client_id_issued_at": house.clock.now,
        "client_name": "Agent",
        "client_uri": "https://agent.example/",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "basic likes",
        "registration_client_uri": f"{SITE}/oauth/register/{client_id}",
    }
    token = await get_token(house, browser, {"client_id": client_id})
    assert token.status_code == 200 and await house.lives(token.json()["access_token"])


async def test_an_app_that_names_no_method_gets_a_secret_and_needs_it(house: House, browser: Browser) -> None:
    """RFC 7591 2: client_secret_basic is the default."""
    made = (await register(house, SAID)).json()
    assert made["token_endpoint_auth_method"] == "client_secret_basic"
    assert made["client_secret"].startswith("vk_cs_") and made["client_secret_expires_at"] == 0
    without = await get_token(house, browser, {"client_id": made["client_id"]})
    assert (without.status_code, without.json()["error"]) == (401, "invalid_client")
    assert (await get_token(house, browser, made)).status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.example"},
        {"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": {"keys": [Signer().jwk]}},
        {"tls_client_certificate_bound_access_tokens": True},
    ],
)
async def test_a_certificate_is_registered_where_it_can_arrive(build: Build, said: dict[str, Any]) -> None:
    """RFC 8705: who registers what nobody will ever see, cannot come in with it."""
    for server, status in ((ServerSettings(), 400), (MTLS, 201)):
        house = await build(registration=RegistrationSettings(mode="open"), server=server)
        answer = await register(house, SAID | {"token_endpoint_auth_method": "client_secret_post"} | said)
        assert answer.status_code == status, answer.text
        assert status == 201 or answer.json()["error"] == "invalid_client_metadata"


async def test_the_confirmation_screen_says_that_nobody_has_looked_at_it(
    house: House, browser: Browser
) -> None:
    made = (await register(house, PUBLIC)).json()
    client = await house.store.client(made["client_id"])
    assert client is not None
    page = await browser.open(house.authorize_url(App(client, None), **PKCE))
    assert page.asks_consent
    assert "Not reviewed" in page.text and "An app by" not in page.text
    apps = await browser.open(
        ((await browser.consent(page, "allow")).left and "/accounts/manage_access/") or ""
    )
    assert "Not reviewed" in apps.text


async def test_an_app_reads_changes_and_removes_its_registration(house: House, browser: Browser) -> None:
    made = (await register(house, SAID)).json()
    read = await manage(house, made, "GET")
    assert read.status_code == 200
    assert read.json() == {k: v for k, v in made.items() if not k.startswith("client_secret")}
    said = PUBLIC | {"client_id": made["client_id"], "client_name": "Better agent"}
    changed = await manage(house, made, "PUT", said | {"client_secret": made["client_secret"]})
    assert changed.status_code == 200
    assert (changed.json()["client_name"], changed.json()["token_endpoint_auth_method"]) == (
        "Better agent",
        "none",
    )
    assert "client_secret" not in changed.json()
    before = await house.store.client(made["client_id"])
    assert (await manage(house, made, "PUT", said)).json() == changed.json()
    assert before is not None and await house.store.client(made["client_id"]) == before, "said nothing new"
    now_public = {"client_id": made["client_id"]}
    assert (await get_token(house, browser, made)).status_code == 401, "its secret is gone with its need"
    token = (await get_token(house, browser, now_public)).json()["access_token"]
    back = await manage(house, made, "PUT", SAID | {"client_id": made["client_id"]})
    assert back.json()["client_secret"] not in (None, made["client_secret"])
    gone = await manage(house, made, "DELETE")
    assert (gone.status_code, gone.content) == (204, b"")
    assert not await house.lives(token)
    for method in ("GET", "DELETE"):
        again = await manage(house, made, method)
        assert (again.status_code, again.json()["error"]) == (401, "invalid_token")
        assert again.headers["www-authenticate"] == 'Bearer realm="valetkey", error="invalid_token"'


async def test_a_removal_that_was_interrupted_can_be_asked_for_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = (await register(house, PUBLIC)).json()

    async def interrupted(client_id: str, limit: int) -> int:
        raise Unavailable("gone in the middle of it")

    with monkeypatch.context() as patch:
        patch.setattr(house.store, "empty", interrupted)
        assert (await manage(house, made, "DELETE")).status_code == 503
    assert (await manage(house, made, "GET")).status_code == 401
    assert (await manage(house, made, "DELETE")).status_code == 204
    assert await house.store.client(made["client_id"]) is None


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"redirect_uris": ["http://agent.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://agent.example/#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [1]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://agent.example/cb"}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"client_name": "n" * 65}, "invalid_client_metadata"),
        ({"client_name": 1}, "invalid_client_metadata"),
        ({"client_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"logo_uri": "http://agent.example/logo.png"}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["password", "implicit"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "magic"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": 5}, "invalid_client_metadata"),
        ({"jwks": "keys"}, "invalid_client_metadata"),
        ({"jwks": {"keys": []}}, "invalid_client_metadata"),
        ({"jwks_uri": "http://agent.example/jwks"}, "invalid_client_metadata"),
        ({"scope": "fly"}, "invalid_client_metadata"),
        ({"scope": ["basic"]}, "invalid_client_metadata"),
        ({"software_statement": "x"}, "invalid_software_statement"),
        ({"software_statement": "e30.e30.e30"}, "unapproved_software_statement"),
    ],
)
async def test_what_cannot_be_registered(house: House, said: dict[str, Any], error: str) -> None:
    answer = await register(house, PUBLIC | said)
    assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]{10,}", answer.json()["error_description"])
    assert await house.store.self_made() == (0, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b"\xff",
        b'{"client_name":"\\ud800"}',
        b"[" * 9999,
    ],
)
async def test_what_is_no_clean_json_object(house: House, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await house.http().post("/oauth/register", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


async def test_what_is_no_request_for_it(house: House) -> None:
    http = house.http()
    assert (await http.post("/oauth/register", data={"client_name": "x"})).status_code == 415
    headers = {"content-type": "application/json"}
    large = await http.post("/oauth/register", content=b" " * 65537, headers=headers)
    assert (large.status_code, large.headers["connection"]) == (413, "close")
    got = await http.get("/oauth/register")
    assert (got.status_code, got.headers["allow"]) == (405, "POST")
    posted = await http.post("/oauth/register/x", json={})
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, PUT, DELETE")
    asked = await http.options("/oauth/register")
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "*")


async def test_an_initial_access_token_lets_in_as_often_as_it_says(build: Build) -> None:
    house = await build(registration=RegistrationSettings(mode="token"))
    none = await register(house, PUBLIC)
    assert (none.status_code, none.headers["www-authenticate"]) == (401, 'Bearer realm="valetkey"')
    now = house.clock.now
    await house.store.apply((Save(RegistrationToken(digest("vk_ia_x"), "x", now, now + 60, 2)),))
    wrong = await register(house, PUBLIC | {"redirect_uris": []}, "vk_ia_x")
    assert wrong.status_code == 400, "what is refused has used nothing up"
    ends = [
        (await register(house, PUBLIC, token)).status_code
        for token in ("vk_ia_x", "vk_ia_y", "vk_ia_x", "vk_ia_x")
    ]
    assert ends == [201, 401, 201, 401]
    await house.store.apply((Save(RegistrationToken(digest("vk_ia_z"), "z", now, now + 60, 2)),))
    house.clock.forward(60)
    assert (await register(house, PUBLIC, "vk_ia_z")).status_code == 401


async def test_who_comes_unasked_has_a_quota(build: Build) -> None:
    house = await build(registration=RegistrationSettings(mode="open", per_network=2, per_hour=4, most=5))
    ends = [(await register(house, PUBLIC)).status_code for _ in range(3)]
    assert ends == [201, 201, 429]
    others = [(await register(house, PUBLIC, address=f"198.51.100.{n}")).status_code for n in range(3)]
    assert others == [201, 429, 429], "and all of them together have one"
    late = await register(house, PUBLIC, address="203.0.113.9")
    assert (late.status_code, late.headers["retry-after"]) == (429, "3600")
    assert late.json()["error"] == "temporarily_unavailable"
    house.clock.forward(3600)
    ends = [(await register(house, PUBLIC, address=f"198.51.100.{n}")).status_code for n in range(4)]
    assert ends == [201, 201, 429, 429], "five may live at a time"


async def test_an_app_can_say_everything_anew_so_many_times_an_hour(build: Build) -> None:
    """Each change makes all workers read clients anew; nobody else can use up an app's turns."""
    house = await build(registration=RegistrationSettings(mode="open", changes_per_app=2))
    made, other = [(await register(house, PUBLIC)).json() for _ in range(2)]

    async def say(name: str, app: dict[str, Any] = made, **more: Any) -> int:
        said = PUBLIC | {"client_id": app["client_id"], "client_name": name}
        return (await manage(house, app, "PUT", said, **more)).status_code

    assert [await say("Thief", token="vk_ra_x") for _ in range(5)] == [401] * 5
    assert [await say(name) for name in ("One", "Two", "Three")] == [200, 200, 429]
    assert (await manage(house, made, "GET")).json()["client_name"] == "Two"
    assert await say("One", other) == 200
    house.clock.forward(3600)
    assert await say("Three") == 200


async def test_an_app_that_nobody_allows_anything_goes_again(house: House, browser: Browser) -> None:
    made = [(await register(house, PUBLIC)).json() for _ in range(2)]
    assert (await get_token(house, browser, made[1])).status_code == 200
    house.clock.forward(24 * 3600 + housekeeping.SKEW)
    await housekeeping.clean(house.server, "test")
    assert [await house.store.client(each["client_id"]) is not None for each in made] == [False, True]
    assert (await manage(house, made[0], "GET")).status_code == 401


async def test_what_is_unknown_is_passed_over_and_what_is_empty_is_absent(house: House) -> None:
    """What SDKs send beside what they mean: null, empty strings, members of other standards."""
    more = {
        "client_uri": "",
        "logo_uri": None,
        "tos_uri": None,
        "software_id": "x",
        "x": {"y": [1]},
        "contacts": [],
    }
    asked = {
        "grant_types": ["authorization_code", "implicit", "refresh_token"],
        "response_types": ["code", "token"],
    }
    made = (await register(house, PUBLIC | more | asked)).json()
    assert not {"client_uri", "logo_uri", "tos_uri", "software_id", "x", "contacts"} & set(made)
    assert "implicit" not in made["grant_types"] and made["response_types"] == ["code"]
    assert all(value not in (None, "") for value in made.values())


async def test_an_update_says_everything_anew(house: House) -> None:
    made = (await register(house, PUBLIC | {"logo_uri": "https://agent.example/l.png"})).json()
    own = {"client_id": made["client_id"]}
    for said in (
        PUBLIC,
        PUBLIC | {"client_id": "other"},
        PUBLIC | own | {"client_id_issued_at": 1},
        PUBLIC | own | {"registration_access_token": made["registration_access_token"]},
        PUBLIC | own | {"client_secret": "x"},
        own,
    ):
        answer = await manage(house, made, "PUT", said)
        assert answer.status_code == 400, said
    assert (await manage(house, made, "GET")).json() == made
    answer = await manage(house, made, "PUT", PUBLIC | own)
    assert "logo_uri" not in answer.json()


async def test_what_was_taken_back_stays_so_when_everything_is_said_anew(house: House) -> None:
    """`valetkey tokens revoke --app`: what it got by exchange is over."""
    made = (await register(house, PUBLIC)).json()
    client = await house.store.client(made["client_id"])
    assert client is not None
    over = replace(client.registered, exchanged_after=house.clock())
    await house.store.apply((Save(replace(client, version=2, registered=over)),))
    said = PUBLIC | {"client_id": made["client_id"], "client_name": "Another"}
    assert (await manage(house, made, "PUT", said)).status_code == 200
    anew = await house.store.client(made["client_id"])
    assert anew is not None and anew.name == "Another"
    assert anew.registered.exchanged_after == house.clock()


async def test_who_shows_no_token_is_told_to_and_nothing_is_wrong_with_it(house: House) -> None:
    """RFC 6750 3.1: the challenge has no error then; the same for a client that is not there."""
    made = (
        await house.http().post("/oauth/register", json={"redirect_uris": ["https://a.example/cb"]})
    ).json()
    for place in (made["registration_client_uri"], "/oauth/register/nobody"):
        none = await house.http().get(place)
        assert (none.status_code, none.headers["www-authenticate"]) == (401, 'Bearer realm="valetkey"')
        assert none.json()["error_description"] == "the registration access token is missing"
