"""L. Server-side fetch: what others publish must not become a way into our network (R20; CVE-2020-10770,
CVE-2026-1180, CVE-2026-4366, CVE-2026-1518, CVE-2025-67494, CVE-2026-27945, CVE-2026-55671, CVE-2024-49753)."""

import asyncio
import gzip

import pytest

from tests.house import VirtualClock
from tests.publisher import Publisher, document
from valetkey.server import pinned_request
from valetkey.server.fetch import Fetch, FetchFailed
from valetkey.server.pinned_request import PinnedRequest
from valetkey.server.resolver import Resolver

JSON = ("application/json",)


class Names:
    """A name server of the attacker's: each answer once, the last one from then on."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def site(site: Publisher) -> Publisher:
    """What must not be reached, or only in the ways tried here."""
    site.say("/", document(b"{}"))
    return site


def door(site: Publisher, names: Names | Resolver, *allow: str, patience: float = 5.0) -> Fetch:
    return Fetch(PinnedRequest(names, allow, site.ca), VirtualClock(), patience)


async def reason(fetch: Fetch, url: str, accept: tuple[str, ...] = JSON) -> str:
    with pytest.raises(FetchFailed) as caught:
        await fetch(url, accept)
    return caught.value.reason


INNER = (
    "127.0.0.1 10.1.2.3 172.16.9.9 192.168.0.1 100.64.0.1 169.254.169.254 0.0.0.0 224.0.0.1 ::1 ::ffff:127.0.0.1"
    " ::ffff:169.254.169.254 64:ff9b::7f00:1 2002:7f00:1:: fe80::1%eth0 fd00:ec2::254"
)


@pytest.mark.parametrize("address", INNER.split())
async def test_L1_a_name_that_leads_inside(site: Publisher, address: str) -> None:
    assert await reason(door(site, Names([address])), site.url("/", "evil.example")) == "address_not_public"
    assert site.served == []


async def test_L1_one_inner_address_among_outer_ones(site: Publisher) -> None:
    for found in (["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "2606:4700::1111"]):
        assert await reason(door(site, Names(found)), site.url("/", "evil.example")) == "address_not_public"
    assert site.served == []


async def test_L1_a_name_that_leads_nowhere(site: Publisher) -> None:
    assert await reason(door(site, Names([])), site.url("/", "evil.example")) == "host_unknown"

    async def broken(host: str, port: int) -> list[str]:
        raise OSError

    assert (
        await reason(Fetch(PinnedRequest(broken), VirtualClock()), "https://evil.example/") == "host_unknown"
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/",
        "HTTPS://evil.example/",
        "file:///etc/passwd",
        "gopher://evil.example:443/",
        "ftp://evil.example/",
        "//evil.example/",
        "https:/evil.example/",
        "https:///evil.example/",
        "https://",
        "https://user@evil.example/",
        "https://evil.example@127.0.0.1/",
        "https://evil.example#@127.0.0.1/",
        "https://evil.example/#fragment",
        "https://evil.example\\@127.0.0.1/",
        "https://evil.example:99999/",
        "https://evil.example:/",
        "https://evil.example /",
        "https://evil.example/\r\nHost: inner",
        "https://evil.example/\x00",
        "https://evil.example/" + "a" * 2000,
        "https://127.0.0.1.:8443/",
        "https://localhost./",
        "https://localhost.:8443/",
        "https://évil.example/",
        "https://evil%2eexample/",
        "https://①②⑦.⓪.⓪.①/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://[v1.x]/",
    ],
)
async def test_L1_L3_what_is_not_plainly_an_https_url_is_not_even_looked_up(
    site: Publisher, url: str
) -> None:
    names = Names(["127.0.0.1"])
    fetch = door(site, names, "127.0.0.1", "localhost", "::1", "evil.example")
    assert await reason(fetch, url) in ("url", "port", "address_not_public", "host_unknown", "unreachable")
    assert site.heads == [] and names.asked in ([], ["0x7f000001"])


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "169.254.169.254", "93.184.216.34", "[::1]", "[::ffff:7f00:1]", "[::ffff:127.0.0.1]"],
)
async def test_L3_an_address_is_no_name(site: Publisher, host: str) -> None:
    names = Names(["93.184.216.34"])
    assert await reason(door(site, names), site.url("/", host)) == "address_literal"
    assert names.asked == [] and site.served == []


@pytest.mark.parametrize("port", [1, 22, 25, 80, 389, 465, 636, 993, 1023, 0])
async def test_L1_ports_that_other_services_have(site: Publisher, port: int) -> None:
    names = Names(["127.0.0.1"])
    assert await reason(door(site, names, "localhost"), f"https://localhost:{port}/") in ("port", "url")
    assert names.asked == []


async def test_L3_a_name_that_changes_its_mind_is_asked_once(site: Publisher) -> None:
    """DNS rebinding: what was checked is what is called."""
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    fetch = door(site, names, "keys.example")
    assert (await fetch(site.url("/", "keys.example"), JSON)).body == b"{}"
    assert names.asked == ["keys.example"] and site.served == ["keys.example"]


async def test_L3_the_machines_own_name_is_inside(site: Publisher) -> None:
    assert await reason(door(site, Resolver()), site.url("/")) == "address_not_public"
    assert (await door(site, Resolver(), "localhost")(site.url("/"), JSON)).body == b"{}"


async def test_L1_the_certificate_is_the_hosts_and_not_the_addresses(site: Publisher) -> None:
    assert await reason(door(site, Names(["127.0.0.1"]), "evil.example"), site.url("/", "evil.example")) == (
        "certificate"
    )
    assert site.heads == []


async def test_L1_the_next_address_when_one_is_dead(site: Publisher) -> None:
    fetch = door(site, Names(["127.0.0.2", "127.0.0.1"]), "keys.example")
    assert (await fetch(site.url("/", "keys.example"), JSON)).body == b"{}"
    assert await reason(door(site, Names(["127.0.0.2"]), "keys.example"), site.url("/", "keys.example")) == (
        "unreachable"
    )


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
async def test_L2_redirects_are_not_followed(site: Publisher, status: str) -> None:
    """CVE-2026-4366."""
    inner = f"Location: {site.url('/inner')}"
    site.say("/go", document(b"{}", "application/json", inner, status=status))
    site.say("/inner", document(b'{"secret":1}'))
    assert await reason(door(site, Resolver(), "localhost"), site.url("/go")) == f"status_{status[:3]}"
    assert len(site.heads) == 1


async def test_L2_nor_is_the_way_led_astray_by_the_environment(
    site: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await door(site, Resolver(), "localhost")(site.url("/"), JSON)).body == b"{}"


async def test_L2_no_cookie_is_kept(site: Publisher) -> None:
    site.say("/", document(b"{}", "application/json", "Set-Cookie: a=b; Path=/"))
    fetch = door(site, Resolver(), "localhost")
    await fetch(site.url("/"), JSON)
    site.say("/again", document(b"{}"))
    await fetch(site.url("/again"), JSON)
    assert "cookie" not in site.heads[1].lower()


HUGE = 64 * 1024 + 1
BAD_ANSWERS = {
    "long": document(b" " * HUGE),
    "broken": b"garbage\r\n\r\n",
    "encoded": document(gzip.compress(b"{}"), "application/json", "Content-Encoding: gzip"),
    "content_type": document(b"<html>", "text/html"),
    "status_204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "status_401": document(b"{}", status="401 Unauthorized"),
}


@pytest.mark.parametrize("why", BAD_ANSWERS)
async def test_L4_answers_that_are_not_taken(site: Publisher, why: str) -> None:
    site.say("/bad", BAD_ANSWERS[why])
    assert await reason(door(site, Resolver(), "localhost"), site.url("/bad")) == why


async def test_L4_a_chunked_answer_without_end(site: Publisher) -> None:
    chunk = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    site.say("/bad", head + chunk * 20)
    assert await reason(door(site, Resolver(), "localhost"), site.url("/bad")) == "long"


async def test_L4_a_head_without_end(site: Publisher) -> None:
    site.say("/bad", b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"b" * 200_000)
    assert await reason(door(site, Resolver(), "localhost"), site.url("/bad")) == "broken"


@pytest.mark.parametrize(
    "started", [b"", b"HTTP/1.1 200 OK\r\n", document(b"{}  ")[:-2], b"HTTP/1.1 100 Continue\r\n\r\n"]
)
async def test_L4_an_answer_that_does_not_end(site: Publisher, started: bytes) -> None:
    """All of it has a deadline, not each part."""
    site.say("/slow", started)
    site.after = asyncio.Event()
    assert await reason(door(site, Resolver(), "localhost", patience=0.2), site.url("/slow")) == "slow"


async def test_L4_a_name_server_that_does_not_answer(site: Publisher) -> None:
    async def silent(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    fetch = Fetch(PinnedRequest(silent), VirtualClock(), 0.05)
    assert await reason(fetch, "https://slow.example/") == "slow"


def test_R20_the_numbers() -> None:
    from valetkey.server import fetch

    assert (fetch.PATIENCE, pinned_request.LONGEST_BODY) == (5.0, 64 * 1024)
