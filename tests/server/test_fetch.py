"""The outgoing door: what it keeps, for how long, and how often it asks."""

import asyncio

import pytest

from tests.house import VirtualClock
from tests.publisher import Publisher, document
from valetkey.server import fetch as door
from valetkey.server.fetch import Fetch, FetchFailed, for_strangers, freshness, way_out
from valetkey.server.pinned_request import PinnedRequest
from valetkey.settings import FetchSettings, RegistrationSettings, Settings

JSON = ("application/json",)


async def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


@pytest.fixture
def fetch(site: Publisher, clock: VirtualClock) -> Fetch:
    return Fetch(PinnedRequest(here, ("localhost", "keys.example"), site.ca), clock)


async def failure(fetch: Fetch, url: str, accept: tuple[str, ...] = JSON) -> str:
    with pytest.raises(FetchFailed) as caught:
        await fetch(url, accept)
    return caught.value.reason


async def test_a_document_comes_with_its_times(fetch: Fetch, site: Publisher, clock: VirtualClock) -> None:
    site.say("/a", document(b'{"a":1}', "Application/JSON; charset=utf-8", "Cache-Control: max-age=600"))
    got = await fetch(site.url("/a"), JSON)
    assert (got.body, got.at, got.until) == (b'{"a":1}', clock(), clock() + 600)


async def test_the_request_is_as_plain_as_can_be(fetch: Fetch, site: Publisher) -> None:
    site.say("/a?b=c%20d", document(b"{}"))
    await fetch(site.url("/a?b=c%20d", "keys.example"), ("application/jwk-set+json", "application/json"))
    lines = site.heads[0].rstrip().split("\r\n")
    assert lines[0] == "GET /a?b=c%20d HTTP/1.1"
    assert sorted(line.lower() for line in lines[1:]) == [
        "accept-encoding: identity",
        "accept: application/jwk-set+json, application/json",
        "connection: close",
        f"host: keys.example:{site.port}",
        "user-agent: valetkey",
    ]
    assert site.served == ["keys.example"]


async def test_the_operators_settings_lead_the_way(site: Publisher, clock: VirtualClock) -> None:
    site.say("/", document(b"{}"))
    assert (
        await Fetch(way_out(FetchSettings(("localhost",), site.ca)), clock)(site.url("/"), JSON)
    ).body == b"{}"
    assert (
        await failure(Fetch(way_out(FetchSettings((), site.ca)), clock), site.url("/"))
        == "address_not_public"
    )
    assert await failure(Fetch(way_out(FetchSettings(("localhost",))), clock), site.url("/")) == "certificate"


async def test_an_address_may_be_allowed_too(site: Publisher, clock: VirtualClock) -> None:
    site.say("/", document(b"{}"))
    assert (
        await Fetch(way_out(FetchSettings(("127.0.0.1",), site.ca)), clock)(site.url("/", "127.0.0.1"), JSON)
    ).body


async def test_kept_while_fresh_and_asked_for_again_then(
    fetch: Fetch, site: Publisher, clock: VirtualClock
) -> None:
    site.say("/a", document(b"1"), document(b"2"), document(b"3"))
    assert (await fetch(site.url("/a"), JSON)).body == b"1"
    clock.forward(door.USUAL - 1)
    assert (await fetch(site.url("/a"), JSON)).body == b"1"
    clock.forward(1)
    assert (await fetch(site.url("/a"), JSON)).body == b"2"
    assert (await fetch(site.url("/a"), JSON, age=0)).body == b"2"
    clock.forward(1)
    assert (await fetch(site.url("/a"), JSON, age=0)).body == b"3"
    assert len(site.heads) == 3


async def test_a_failure_is_remembered_briefly(fetch: Fetch, site: Publisher, clock: VirtualClock) -> None:
    site.say("/a", document(b"", status="500 Broken"), document(b"1"))
    assert await failure(fetch, site.url("/a")) == "status_500"
    clock.forward(door.FAILED - 1)
    assert await failure(fetch, site.url("/a")) == "status_500"
    assert len(site.heads) == 1
    clock.forward(1)
    assert (await fetch(site.url("/a"), JSON)).body == b"1"


async def test_all_who_ask_at_once_share_one_request(fetch: Fetch, site: Publisher) -> None:
    site.say("/a", document(b"1"))
    site.held.clear()
    asking = [asyncio.create_task(fetch(site.url("/a"), JSON)) for _ in range(20)]
    await site.asked.acquire()
    asking[0].cancel()
    site.held.set()
    got = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(got[0], asyncio.CancelledError)
    assert [page.body for page in got[1:] if not isinstance(page, BaseException)] == [b"1"] * 19
    assert len(site.heads) == 1 and not fetch.under_way


@pytest.mark.parametrize("number", ["MOST_AT_ONCE", "MOST_AT_ONCE_PER_HOST"])
async def test_only_so_many_at_once(
    fetch: Fetch, site: Publisher, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    monkeypatch.setattr(door, number, 2)
    site.say("/a", document(b"1"))
    site.say("/b", document(b"1"))
    site.held.clear()
    asking = [asyncio.create_task(fetch(site.url(path), JSON)) for path in ("/a", "/b")]
    await site.asked.acquire()
    await site.asked.acquire()
    assert await failure(fetch, site.url("/c")) == "busy"
    elsewhere = asyncio.create_task(failure(fetch, site.url("/c", "keys.example")))
    if number == "MOST_AT_ONCE_PER_HOST":
        await site.asked.acquire()
    site.held.set()
    assert await elsewhere == ("busy" if number == "MOST_AT_ONCE" else "status_404")
    await asyncio.gather(*asking)


async def test_nobody_can_aim_us_at_a_host(
    fetch: Fetch, site: Publisher, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MOST_PER_HOST", 5)
    for turn in range(door.MOST_PER_HOST):
        assert await failure(fetch, site.url(f"/{turn}")) == "status_404"
    assert await failure(fetch, site.url("/more")) == "too_often"
    assert await failure(fetch, site.url("/", "keys.example")) == "status_404"
    clock.forward(60)
    assert await failure(fetch, site.url("/more")) == "status_404"


async def test_the_hosts_counted_are_bounded(
    fetch: Fetch, site: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MOST_HOSTS", 1)
    site.say("/", document(b"1"))
    await fetch(site.url("/"), JSON)
    assert await failure(fetch, site.url("/", "keys.example")) == "too_often"
    assert len(fetch.asked) == 1


@pytest.mark.parametrize(("number", "most"), [("MOST_KEPT", 2), ("MOST_BYTES", 2000)])
async def test_what_is_kept_is_bounded(
    fetch: Fetch, site: Publisher, monkeypatch: pytest.MonkeyPatch, number: str, most: int
) -> None:
    monkeypatch.setattr(door, number, most)
    for path in "abc":
        site.say(f"/{path}", document(path.encode() * 1000))
    await fetch(site.url("/a"), JSON)
    await fetch(site.url("/b"), JSON)
    await fetch(site.url("/a"), JSON)
    await fetch(site.url("/c"), JSON)
    assert [url[-1] for url, _ in fetch.kept] == ["a", "c"]
    assert fetch.bytes == 2000
    await fetch(site.url("/c"), JSON, age=-1)
    assert fetch.bytes == 2000 and len(site.heads) == 4


async def test_one_media_type_does_not_stand_for_another(fetch: Fetch, site: Publisher) -> None:
    site.say("/a", document(b"{}"))
    await fetch(site.url("/a"), JSON)
    assert await failure(fetch, site.url("/a"), ("application/jwk-set+json",)) == "content_type"


async def test_closing_ends_what_is_under_way(fetch: Fetch, site: Publisher) -> None:
    site.held.clear()
    asking = asyncio.create_task(fetch(site.url("/a"), JSON))
    await site.asked.acquire()
    await fetch.close()
    assert isinstance((await asyncio.gather(asking, return_exceptions=True))[0], asyncio.CancelledError)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", door.USUAL),
        ("public", door.USUAL),
        ("max-age=90", 90),
        ("public, MAX-AGE=90, immutable", 90),
        ('max-age="90"', 90),
        ("s-maxage=900", door.USUAL),
        ("max-age=0", door.SHORTEST),
        ("max-age=999999999", door.LONGEST),
        ("max-age=9999999999", door.USUAL),
        ("max-age=-1", door.USUAL),
        ("no-store, max-age=600", door.SHORTEST),
        ("no-cache", door.SHORTEST),
    ],
)
def test_how_long_an_answer_is_kept(said: str, seconds: int) -> None:
    assert freshness(said) == seconds


@pytest.mark.parametrize("host", ["10.0.0.1", "::1", "[::1]", "Keys.Internal"])
def test_strangers_reach_a_private_host_that_is_let_in_twice(host: str) -> None:
    """In [fetch] for everybody, and in [registration] for them (L1); what is no host lets nobody in."""
    twice = RegistrationSettings(allow_hosts=(host.strip("[]"),))
    let_in = FetchSettings(allow=(host, "other.internal", "[half"))
    assert for_strangers(Settings(fetch=let_in, registration=twice)).allow == (host,)
    assert for_strangers(Settings(fetch=let_in)).allow == ()
