"""Documents for everybody: the public keys, kept by whoever asks for as long as we say, read from any page."""

import json

import pytest

from tests.house import ONE_STORE, House
from valetkey.server import key_ring

pytestmark = ONE_STORE
WHERE = ("/oauth/jwks", "/.well-known/jwks.json")


@pytest.mark.parametrize("path", WHERE)
async def test_the_public_keys(house: House, path: str) -> None:
    answer = await house.raw("GET", path)
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "public, max-age=300"
    assert answer.header("access-control-allow-origin") == "*"
    (jwk,) = answer.json()["keys"]
    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


async def test_who_has_it_is_not_sent_it_again(house: House) -> None:
    first = await house.raw("GET", WHERE[0])
    etag = (first.header("etag") or "").encode()
    for known in (etag, b"W/" + etag, b'"x", ' + etag, b"*"):
        again = await house.raw("GET", WHERE[1], headers=[(b"if-none-match", known)])
        assert (again.status, again.body, again.header("etag")) == (304, b"", etag.decode())
        assert again.header("cache-control") == "public, max-age=300"
    assert (await house.raw("GET", WHERE[0], headers=[(b"if-none-match", b'"x"')])).status == 200
    await key_ring.rotate(house.server.keys, "ES256", at_once=False)
    changed = await house.raw("GET", WHERE[0], headers=[(b"if-none-match", etag)])
    assert changed.status == 200 and len(changed.json()["keys"]) == 2


async def test_other_ways_to_ask(house: House) -> None:
    head = await house.raw("HEAD", WHERE[0])
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == str(len((await house.raw("GET", WHERE[0])).body))
    before = await house.raw("OPTIONS", WHERE[0], headers=[(b"origin", b"https://page.example")])
    assert (before.status, before.header("access-control-allow-methods")) == (204, "GET")
    for method in ("POST", "PUT", "DELETE"):
        answer = await house.raw(method, WHERE[0])
        assert (answer.status, answer.header("allow")) == (405, "GET, HEAD")
        assert json.loads(answer.body)["error"] == "invalid_request"
