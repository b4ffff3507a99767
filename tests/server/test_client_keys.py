"""The keys of clients: as registered, or as published, and what is done while they cannot be had."""

import pytest
from msgspec.structs import replace

from tests.house import VirtualClock
from tests.protocol.samples import client
from tests.publisher import Publisher, document
from tests.signing import Signer, key_set
from valetkey.protocol.facts import NOTHING_KNOWN, Known
from valetkey.protocol.model import NOBODY, Client, Registration
from valetkey.protocol.rules import jwt
from valetkey.protocol.rules.credentials import Credentials
from valetkey.server import client_keys
from valetkey.server.client_keys import AGAIN, LAST_GOOD, ClientKeys
from valetkey.server.fetch import Fetch, way_out
from valetkey.settings import FetchSettings

OLD, NEW = Signer(kid="old"), Signer(kid="new")
KIND = "application/jwk-set+json"


@pytest.fixture
def keys(site: Publisher, clock: VirtualClock) -> ClientKeys:
    way = way_out(FetchSettings(("localhost",), site.ca))
    return ClientKeys(Fetch(way, clock), Fetch(way_out(FetchSettings((), site.ca)), clock), clock)


def app(**registered: str) -> Client:
    return client(profile="oauth20", registered=Registration(**registered))


def shown(signer: Signer) -> Credentials:
    return Credentials("app", None, "private_key_jwt", jwt.read(signer.jwt({})))


async def text(keys: ClientKeys, who: Client, signer: Signer = OLD) -> str:
    return await keys.text(who, jwt.read(signer.jwt({})))


async def test_nothing_is_looked_for_where_no_keys_are_needed(keys: ClientKeys, site: Publisher) -> None:
    plain = Credentials("app", "s", "client_secret_post")
    who = app(jwks_uri=site.url("/jwks"))
    used = frozenset({b"u"})
    assert await keys.known(None, shown(OLD), frozenset()) is NOTHING_KNOWN
    assert await keys.known(who, plain, frozenset()) is NOTHING_KNOWN
    assert await keys.known(who, plain, used) == Known("", used)
    assert site.heads == []


async def test_registered_keys_are_at_hand(keys: ClientKeys) -> None:
    who, used = app(jwks=OLD.jwks), frozenset({b"u"})
    assert await keys.known(who, shown(OLD), used) == Known(OLD.jwks, used)
    self_signed = app(jwks=OLD.jwks, token_endpoint_auth_method="self_signed_tls_client_auth")
    assert (await keys.known(self_signed, Credentials("app", None, "none"), used)).keys == OLD.jwks
    assert (await keys.known(app(), shown(OLD), used)).keys == ""


async def test_a_request_object_needs_keys_too(
    keys: ClientKeys, site: Publisher, clock: VirtualClock
) -> None:
    """Of whichever of the two tokens a key is missing, it is looked for again."""
    who, plain = app(jwks_uri=site.url("/jwks")), Credentials("app", "s", "client_secret_post")
    site.say("/jwks", document(OLD.jwks.encode()), document(key_set(OLD, NEW).encode()))
    asked = jwt.read(NEW.jwt({}))
    assert (await keys.known(who, plain, frozenset(), asked)).keys == OLD.jwks
    clock.forward(AGAIN + 1)
    assert (await keys.known(who, shown(OLD), frozenset())).keys == OLD.jwks
    assert (await keys.known(who, shown(OLD), frozenset(), asked)).keys == key_set(OLD, NEW)


async def test_published_keys_are_fetched_once(keys: ClientKeys, site: Publisher) -> None:
    site.say("/jwks", document(OLD.jwks.encode(), KIND))
    who = app(jwks_uri=site.url("/jwks"))
    for _ in range(3):
        assert await text(keys, who) == OLD.jwks
    assert await keys.text(who) == OLD.jwks
    assert len(site.heads) == 1


async def test_a_key_that_is_not_there_is_looked_for_again_once_a_minute(
    keys: ClientKeys, site: Publisher, clock: VirtualClock
) -> None:
    both = key_set(OLD, NEW)
    site.say("/empty", document(b'{"keys":[]}'), document(OLD.jwks.encode()))
    site.say("/jwks", document(OLD.jwks.encode()), document(both.encode()))
    empty = app(jwks_uri=site.url("/empty"))
    assert await text(keys, empty) == '{"keys":[]}'
    who = app(jwks_uri=site.url("/jwks"))
    for _ in range(3):
        assert await text(keys, who, NEW) == OLD.jwks
    assert len(site.heads) == 2
    clock.forward(AGAIN + 1)
    assert await text(keys, empty) == OLD.jwks and len(site.heads) == 3
    assert await text(keys, who, OLD) == OLD.jwks and len(site.heads) == 3
    assert await text(keys, who, NEW) == both and len(site.heads) == 4
    assert await text(keys, who, Signer(kid="other")) == both and len(site.heads) == 4


@pytest.mark.parametrize(
    "broken",
    [
        document(b"", status="500 Down"),
        document(b"{}", KIND),
        document(b"\xff", KIND),
        document(b"[" * 5000, KIND),
        document(b'{"keys":[]}' + b" " * 20_000, KIND),
        document(NEW.jwks.encode(), "text/html"),
    ],
)
async def test_the_last_good_keys_serve_while_there_are_none(
    keys: ClientKeys, site: Publisher, clock: VirtualClock, broken: bytes
) -> None:
    site.say("/jwks", document(OLD.jwks.encode(), KIND), broken)
    who = app(jwks_uri=site.url("/jwks"))
    assert await text(keys, who) == OLD.jwks
    clock.forward(LAST_GOOD - 1)
    assert await text(keys, who) == OLD.jwks and len(site.heads) == 2
    assert await text(keys, who, NEW) == OLD.jwks
    clock.forward(1)
    assert await text(keys, who) == ""


async def test_keys_that_never_could_be_had(keys: ClientKeys, site: Publisher) -> None:
    assert await text(keys, app(jwks_uri=site.url("/jwks"))) == ""
    assert await text(keys, app(jwks_uri="http://localhost/jwks")) == ""


async def test_an_app_that_nobody_vouches_for_has_a_way_and_a_memory_of_its_own(
    keys: ClientKeys, site: Publisher
) -> None:
    """L1: what one app of the house may reach and has fetched, no stranger gets by naming it."""
    site.say("/jwks", document(OLD.jwks.encode()))
    who = app(jwks_uri=site.url("/jwks"))
    assert await text(keys, who) == OLD.jwks
    stranger = replace(who, owner_id=NOBODY)
    assert await text(keys, stranger) == "" and len(site.heads) == 1
    assert await text(keys, replace(stranger, registered=Registration(jwks=OLD.jwks))) == OLD.jwks


async def test_the_sets_remembered_are_bounded(
    keys: ClientKeys, site: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_keys, "MOST_SETS", 2)
    for path in ("/a", "/b", "/a", "/c"):
        site.say(path, document(OLD.jwks.encode()))
        await text(keys, app(jwks_uri=site.url(path)))
    assert [uri[-1] for uri in keys.vouched.good] == ["a", "c"]
