"""The token endpoint of the classic profile: what the origin document leaves open (classic.md 3)."""

import base64
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.house import Answer, App, House, multipart

GONE = "Matching code was not found or was already used."
FORM = b"application/x-www-form-urlencoded"


@pytest.fixture
async def app(house: House) -> App:
    return await house.make_app()


@pytest.fixture
async def code(house: House, app: App) -> str:
    return await house.code(await house.logged_in(await house.make_account()), app)


async def post(
    house: House,
    fields: dict[str, str] | Sequence[tuple[str, str]],
    content_type: bytes | None = FORM,
    path: str = "/oauth/access_token",
    query: bytes = b"",
    **headers: str,
) -> Answer:
    """One token request, urlencoded, with exactly these headers."""
    more = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    kind = [] if content_type is None else [(b"content-type", content_type)]
    return await house.raw("POST", path, query, [*kind, *more], urlencode(fields).encode())


def refusal(answer: Answer) -> str:
    """The message of a refusal, which has the one form that there is."""
    assert answer.status == 400
    check_form(answer, 400)
    return str(answer.json()["error_message"])


def check_form(answer: Answer, code: int) -> None:
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "no-store"
    body = answer.json()
    assert list(body) == ["code", "error_type", "error_message"]
    assert (body["code"], body["error_type"]) == (code, "OAuthException")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("path", ["/oauth/access_token", "/oauth/access_token/"])
async def test_both_spellings_of_the_address(house: House, app: App, code: str, path: str) -> None:
    assert (await post(house, house.exchange_fields(app, code), path=path)).status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        b"application/x-www-form-urlencoded",
        b"application/x-www-form-urlencoded;charset=UTF-8",
        b"application/x-www-form-urlencoded; charset=utf-8",
        b'application/x-www-form-urlencoded; charset="utf-8"',
        b'application/x-www-form-urlencoded; charset="UTF-8"',
        b"application/x-www-form-urlencoded; charset=UTF8",
        b"Application/X-WWW-Form-Urlencoded",
    ],
)
async def test_bodies_that_are_urlencoded(
    house: House, app: App, code: str, content_type: bytes | None
) -> None:
    """With any charset parameter that says UTF-8; without Content-Type too, as the best-known client sends it."""
    answer = await post(house, house.exchange_fields(app, code), content_type)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("spelled", [b"multipart/form-data", b"Multipart/Form-Data; charset=utf-8"])
async def test_bodies_that_are_multipart(house: House, app: App, code: str, spelled: bytes) -> None:
    body, content_type = multipart(house.exchange_fields(app, code))
    kind = content_type.replace(b"multipart/form-data", spelled)
    answer = await house.raw("POST", "/oauth/access_token", b"", [(b"content-type", kind)], body)
    assert answer.status == 200, answer.body


async def test_a_body_may_come_in_pieces(house: House, app: App, code: str) -> None:
    body, content_type = multipart(house.exchange_fields(app, code))
    pieces = [body[i : i + 7] for i in range(0, len(body), 7)]
    answer = await house.raw("POST", "/oauth/access_token", b"", [(b"content-type", content_type)], pieces)
    assert answer.status == 200


@pytest.mark.parametrize(
    "content_type", [b"application/json", b"text/plain", b"application/xml", b"nonsense"]
)
async def test_bodies_that_are_no_form(house: House, app: App, code: str, content_type: bytes) -> None:
    answer = await post(house, house.exchange_fields(app, code), content_type)
    assert answer.status == 415
    check_form(answer, 415)


async def test_basic_beside_the_body_if_it_says_the_same(house: House, app: App, code: str) -> None:
    """Two known clients send both."""
    fields = house.exchange_fields(app, code)
    for other in (
        basic(app.id, "wrong"),
        basic("0" * 32, app.secret or ""),
        basic("", ""),
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
    ):
        answer = await post(house, fields, authorization=other)
        assert refusal(answer) in (
            "Invalid Client Secret",
            "the Authorization header is not Basic credentials",
        )
    assert (await post(house, fields, authorization=basic(app.id, app.secret or ""))).status == 200


async def test_a_scheme_other_than_basic_is_ignored(house: House, app: App, code: str) -> None:
    assert (await post(house, house.exchange_fields(app, code), authorization="Negotiate abc")).status == 200


async def test_basic_alone_is_not_this_dialect(house: House, app: App, code: str) -> None:
    for left_out in ({"client_secret": None}, {"client_id": None, "client_secret": None}):
        fields = house.exchange_fields(app, code, **left_out)
        answer = await post(house, fields, authorization=basic(app.id, app.secret or ""))
        assert refusal(answer) == "You must provide a client_secret"


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("name", ["client_id", "client_secret", "grant_type", "redirect_uri", "code"])
async def test_what_is_missing_or_empty_is_named(
    house: House, app: App, code: str, name: str, value: str | None
) -> None:
    """An empty value is no value (RFC 6749 3.2)."""
    answer = await post(house, house.exchange_fields(app, code, **{name: value}))
    assert refusal(answer) == f"You must provide a {name}"
    assert (await house.exchange(app, code)).status_code == 200


async def test_a_failed_client_authentication_does_not_burn_the_code(
    house: House, app: App, code: str
) -> None:
    other = await house.make_app(name="Other")
    tries: list[tuple[dict[str, Any], str]] = [
        ({"client_id": "f" * 32}, "Invalid Client ID"),
        ({"client_id": app.id.upper()}, "Invalid Client ID"),
        ({"client_secret": "wrong"}, "Invalid Client Secret"),
        ({"client_secret": (app.secret or "")[:-1]}, "Invalid Client Secret"),
        ({"client_secret": (app.secret or "") + " "}, "Invalid Client Secret"),
        ({"client_secret": other.secret}, "Invalid Client Secret"),
        ({"client_id": other.id, "client_secret": other.secret}, GONE),
    ]
    for change, message in tries:
        assert refusal(await post(house, house.exchange_fields(app, code, **change))) == message
    assert (await house.exchange(app, code)).status_code == 200


async def test_a_replayed_code_revokes_every_token_that_came_from_it(
    house: House, app: App, code: str
) -> None:
    """On every worker."""
    other = await house.another_worker()
    token = (await house.exchange(app, code)).json()["access_token"]
    assert await house.lives(token) and await other.lives(token)
    assert refusal(await post(other, house.exchange_fields(app, code))) == GONE
    assert not await house.lives(token) and not await other.lives(token)
    assert refusal(await post(house, house.exchange_fields(app, code))) == GONE


async def test_only_who_could_have_used_the_code_can_revoke_by_replaying_it(
    house: House, app: App, code: str
) -> None:
    """A thief of a spent code without the secret ends nothing."""
    token = (await house.exchange(app, code)).json()["access_token"]
    thief = await house.make_app(name="Thief")
    stolen = {"client_id": thief.id, "client_secret": thief.secret}
    assert refusal(await post(house, house.exchange_fields(app, code, **stolen))) == GONE
    assert refusal(await post(house, house.exchange_fields(app, code, client_secret="no"))) != GONE
    await post(house, house.exchange_fields(app, code, redirect_uri=app.redirect_uri + "?x=y"))
    assert await house.lives(token)


async def test_unknown_fields_are_ignored(house: House, app: App, code: str) -> None:
    more = {"scope": "comments", "state": "s", "foo": "bar", "username": "x"}
    answer = await post(house, house.exchange_fields(app, code) | more)
    assert answer.status == 200 and set(answer.json()) == {"access_token", "user"}


@pytest.mark.parametrize("name", ["client_id", "client_secret", "grant_type", "redirect_uri", "code", "foo"])
async def test_a_parameter_that_is_there_twice_is_refused(
    house: House, app: App, code: str, name: str
) -> None:
    fields = house.exchange_fields(app, code)
    value = fields.get(name, "x")
    for second in (value, "other"):
        twice = [*({name: value} | fields).items(), (name, second)]
        assert name in refusal(await post(house, twice))
    assert (await house.exchange(app, code)).status_code == 200


async def test_parameters_of_the_request_do_not_belong_into_the_query(
    house: House, app: App, code: str
) -> None:
    fields = house.exchange_fields(app, code)
    for name, value in fields.items():
        assert refusal(await post(house, fields, query=urlencode({name: value}).encode()))
        rest = {key: v for key, v in fields.items() if key != name}
        assert refusal(await post(house, rest, query=urlencode({name: value}).encode()))
    assert refusal(await post(house, {}, query=urlencode(fields).encode()))
    assert (await post(house, fields, query=b"v=1")).status == 200, "what is no parameter of ours is ignored"


async def test_only_post(house: House, app: App, code: str) -> None:
    query = urlencode(house.exchange_fields(app, code)).encode()
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE"):
        answer = await house.raw(method, "/oauth/access_token", query)
        assert answer.status == 405 and answer.header("allow") == "POST"
        check_form(answer, 405)
    assert (await house.exchange(app, code)).status_code == 200


async def test_how_tokens_codes_and_ids_look(house: House, app: App) -> None:
    """Clients paste a token raw into addresses; a client library takes an id of digits only for another dialect."""
    browser = await house.logged_in(await house.make_account())
    for _ in range(5):
        code = await house.code(browser, app)
        assert re.fullmatch(r"[0-9a-f]{32}", code)
        token = (await house.exchange(app, code)).json()["access_token"]
        assert re.fullmatch(re.escape(app.id[:7]) + r"\.[0-9a-f]{32}", token)
    assert re.fullmatch(r"(?=.*[a-f])[0-9a-f]{32}", app.id)


async def test_each_exchange_mints_another_token_and_all_of_them_live(house: House, app: App) -> None:
    browser = await house.logged_in(await house.make_account())
    tokens = [await house.token(browser, app) for _ in range(3)]
    assert len(set(tokens)) == 3
    assert all([await house.lives(token) for token in tokens])


async def test_an_app_that_was_switched_off_gets_nothing(house: House, app: App, code: str) -> None:
    from msgspec.structs import replace

    from valetkey.protocol.changes import Save

    token = await house.token(await house.logged_in(house.people["snoopdogg"]), app)
    off = replace(app.client, disabled_at=house.clock(), version=2)
    await house.store.apply((Save(off),))
    assert refusal(await post(house, house.exchange_fields(app, code))) == "Invalid Client ID"
    assert not await house.lives(token)
    assert (await house.browser().open(house.authorize_url(app))).status == 400
