"""The confirmation screen: what it says and what its form carries (R12, H1-H8)."""

import pytest

from tests.web.conftest import CALLBACK, Site
from tests.web.person import PASSWORD, Person
from valetkey.protocol.resource import Resource
from valetkey.server import clients
from valetkey.server.clients import ClientForm
from valetkey.web.pages.consent import lasts, servers

CONSENT = "/oauth/authorize/consent"


async def test_it_says_who_asks_for_what_and_where_people_go(site: Site, owner: Person) -> None:
    page = await owner.open(site.asks(scope="basic likes"))
    assert page.headings == ["Allow Prints & <b>Cards</b> to use your account?"]
    catalogue = site.server.settings.scopes
    for words in (
        "An app by Pine <Studio>",
        "Mara Lindqvist",
        "Not you?",
        catalogue["basic"].words,
        catalogue["likes"].words + " Sensitive",
        "It never sees your password.",
        "You go on to prints.example.",
        "It keeps this access until you remove it under Connected apps.",
    ):
        assert words in page.words


async def test_the_form_carries_token_ticket_and_decision_only(site: Site, owner: Person) -> None:
    page = await owner.open(site.asks(state="S"))
    assert page.hidden(CONSENT).keys() == {"csrf", "ticket"}
    assert '<button class="deny" name="decision" value="deny">' in page.html
    assert '<button name="decision" value="allow">' in page.html
    assert page.html.count("<form") == 1


async def test_allow_and_deny(site: Site, owner: Person) -> None:
    page = await owner.open(site.asks(state="S"))
    no = await owner.send(page, CONSENT, decision="deny")
    denied = "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request"
    assert no.location == f"{CALLBACK}?{denied}&state=S"
    yes = await owner.send(await owner.open(site.asks()), CONSENT, decision="allow")
    assert yes.location.startswith(f"{CALLBACK}?code=")


async def test_later_only_what_is_new_is_asked(site: Site, owner: Person) -> None:
    await owner.send(await owner.open(site.asks()), CONSENT, decision="allow")
    assert (await owner.open(site.asks())).location.startswith(f"{CALLBACK}?code=")
    page = await owner.open(site.asks(scope="basic comments"))
    assert page.headings == ["Allow Prints & <b>Cards</b> to do more?"]
    new, _, before = page.words.partition("What it may do already")
    catalogue = site.server.settings.scopes
    assert catalogue["comments"].words in new
    assert catalogue["basic"].words not in new
    assert catalogue["basic"].words in before


async def test_not_you_leads_to_a_login_that_comes_back(site: Site, owner: Person) -> None:
    page = await owner.open(site.asks(state="a b"))
    link = page.html.partition('<a href="/accounts/login/?next=')[2].partition('"')[0]
    login = await owner.open(f"/accounts/login/?next={link}")
    page = await owner.send(login, "/accounts/login/", username="dev", password=PASSWORD)
    assert "Allow Prints" in page.words
    assert "dev" in page.words


@pytest.mark.parametrize("field", ["csrf", "ticket"])
async def test_an_altered_form_grants_nothing(site: Site, owner: Person, field: str) -> None:
    page = await owner.open(site.asks())
    for value in ("", "x" * 43):
        answer = await owner.send(page, CONSENT, decision="allow", **{field: value})
        assert answer.status in (400, 403)
        assert answer.location == ""


async def test_a_browser_app_is_told_to_last_an_hour(site: Site, owner: Person) -> None:
    form = ClientForm("Atlas", "spa", "classic", (CALLBACK,), allow_implicit=True)
    atlas = await clients.register(site.server, site.developer, form)
    page = await owner.open(site.asks(client_id=atlas.client.id, response_type="token"))
    assert "Its access ends by itself after 1 hour" in page.words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3600, "1 hour;"), (7200, "2 hours;"), (5400, "90 minutes;"), (60, "1 minute;"), (1, "1 minute;")],
)
def test_for_how_long(seconds: int, words: str) -> None:
    assert f"after {words}" in lasts(seconds)


def test_servers_as_people_know_them() -> None:
    known = {"https://a.test/x": Resource("https://a.test/x", "Albums"), "urn:b": Resource("urn:b")}
    for named, told in (
        ((), []),
        (("https://a.test/x",), [("Albums", "a.test")]),
        (("https://a.test/y", "https://a.test/z"), [("", "a.test")]),
        (
            ("http://127.0.0.1:3000/mcp", "https://[2001:db8::1]/"),
            [("", "127.0.0.1:3000"), ("", "[2001:db8::1]")],
        ),
        (("urn:b", "gone:[x"), [("", "urn:b"), ("", "gone:[x")]),
    ):
        assert servers(named, known) == told


async def test_a_bad_address_is_never_a_link(site: Site, owner: Person) -> None:
    page = await owner.open(site.asks(redirect_uri="https://evil.example/"))
    assert page.status == 400
    assert "evil.example" not in page.html
    assert "Reference" in page.words
    assert page.location == ""
