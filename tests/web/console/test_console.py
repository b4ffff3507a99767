"""The console: registering, settings, secrets, the checker, testers, deleting; never somebody else's app."""

import re

import pytest

from tests.web.conftest import CALLBACK, Site
from tests.web.person import PASSWORD, Page, Person
from valetkey.server import clients
from valetkey.server.clients import ClientForm
from valetkey.web.console.words import EXAMPLES

REGISTER = "/developer/register/"
FORM = {
    "name": "Slow Postcards",
    "type": "web",
    "profile": "classic",
    "redirect_uris": "https://slow.example/cb\r\nhttp://localhost:3000/?this=that\r\n",
    "sandbox": "yes",
}


def home(site: Site) -> str:
    return f"/developer/apps/{site.app.client.id}/"


async def secret_in(page: Page) -> str:
    found = re.search(r"vk_cs_[A-Za-z0-9_-]+", page.html)
    assert found, page.words
    return found[0]


async def test_registering_shows_the_secret_once(site: Site, developer: Person) -> None:
    page = await developer.send(await developer.open(REGISTER), REGISTER, **FORM)
    assert page.headings == ["Slow Postcards is registered"]
    assert page.response.headers["cache-control"] == "no-store"
    secret = await secret_in(page)
    path = re.search(r'href="(/developer/apps/[0-9a-f]{32}/)"', page.html)[1]
    page = await developer.open(path)
    assert secret not in page.html
    assert secret[-4:] in page.html
    assert "In development" in page.words
    listed = await developer.open("/developer/")
    assert "Slow Postcards" in listed.words


@pytest.mark.parametrize(("kind", "implicit"), [("spa", True), ("native", True), ("service", False)])
async def test_the_type_sets_the_defaults(site: Site, developer: Person, kind: str, implicit: bool) -> None:
    form = FORM | {"type": kind}
    page = await developer.send(await developer.open(REGISTER), REGISTER, **form)
    assert page.status == 200, page.words
    client = next(c for c in await clients.owned(site.server, site.developer) if c.type == kind)
    assert client.allow_implicit is implicit
    assert bool(client.secrets) is (kind == "service")
    quick = (await developer.open(f"/developer/apps/{client.id}/")).words
    assert ("#access_token=ACCESS-TOKEN" in quick) is implicit


async def test_only_a_profile_with_the_implicit_flow_switches_it_on(site: Site, developer: Person) -> None:
    form = FORM | {"type": "spa", "profile": "oauth21", "redirect_uris": "https://slow.example/cb"}
    await developer.send(await developer.open(REGISTER), REGISTER, **form)
    client = next(c for c in await clients.owned(site.server, site.developer) if c.type == "spa")
    assert client.allow_implicit is False
    quick = (await developer.open(f"/developer/apps/{client.id}/")).words
    assert "code_challenge=CHALLENGE" in quick
    assert "code_verifier=VERIFIER" in quick


async def test_registering_says_what_is_wrong_and_keeps_what_was_typed(site: Site, developer: Person) -> None:
    form = FORM | {"redirect_uris": "https://*.example/cb", "type": "", "name": "Name <b>"}
    page = await developer.send(await developer.open(REGISTER), REGISTER, **form)
    assert page.status == 400
    assert "wildcard" in page.words
    assert "Type must be one of" in page.words
    assert "Name &lt;b&gt;" in page.html
    assert "https://*.example/cb</textarea>" in page.html


async def test_registering_can_be_closed(closed_site: Site) -> None:
    person = closed_site.visitor()
    await person.log_in("dev")
    page = await person.open(REGISTER)
    assert page.status == 403
    assert "by the operator" in page.words


async def test_the_quick_start_can_be_pasted(site: Site, developer: Person) -> None:
    page = await developer.open(home(site))
    for line in (
        f"curl -F 'client_id={site.app.client.id}' \\",
        "-F 'client_secret=CLIENT-SECRET' \\",
        "-F 'grant_type=authorization_code' \\",
        f"-F 'redirect_uri={CALLBACK}' \\",
        "-F 'code=CODE' \\",
        f"{site.server.book.issuer}/oauth/access_token",
    ):
        assert line in page.words


async def test_settings_are_saved(site: Site, developer: Person) -> None:
    page = await developer.open(home(site))
    assert "The server-side flow is the recommended one" in page.words
    form = FORM | {"description": "By mail.", "website": "https://slow.example", "signed_requests": "yes"}
    form |= {"disable_implicit": None}
    page = await developer.send(page, home(site) + "settings/", **form)
    assert "Saved." in page.words
    client = await clients.one(site.server, site.developer, site.app.client.id)
    assert client.name == "Slow Postcards"
    assert client.allow_implicit is True  # the switch "Disable implicit OAuth" was not sent
    assert client.signed_requests is True
    assert client.redirect_uris == ("https://slow.example/cb", "http://localhost:3000/?this=that")
    await developer.send(page, home(site) + "settings/", **form | {"disable_implicit": "yes"})
    assert (await clients.one(site.server, site.developer, client.id)).allow_implicit is False


async def test_settings_say_what_is_wrong(site: Site, developer: Person) -> None:
    page = await developer.open(home(site))
    form = FORM | {"profile": "oauth21", "redirect_uris": "https://slow.example/cb", "disable_implicit": None}
    page = await developer.send(page, home(site) + "settings/", **form)
    assert page.status == 400
    assert "The implicit flow is nothing that this profile knows." in page.words
    assert 'href="#disable_implicit"' in page.html


async def test_a_secret_is_rotated_with_overlap(site: Site, developer: Person) -> None:
    page = await developer.open(home(site))
    path = home(site) + "secret/"
    wrong = await developer.send(page, path, overlap="3600", password="not it")
    assert "That is not your password." in wrong.words
    odd = await developer.send(page, path, overlap="1", password=PASSWORD)
    assert "Choose when" in odd.words
    made = await developer.send(page, path, overlap="3600", password=PASSWORD)
    assert await secret_in(made) != site.app.secret
    assert "works until" in made.words
    client = await clients.one(site.server, site.developer, site.app.client.id)
    assert [kept.expires_at is None for kept in client.secrets] == [True, False]
    now = await developer.send(page, path, overlap="0", password=PASSWORD)
    assert "work no more" in now.words
    client = await clients.one(site.server, site.developer, site.app.client.id)
    assert len(client.secrets) == 1


async def test_the_checker_marks_the_first_difference_and_names_the_rule(
    site: Site, developer: Person
) -> None:
    page = await developer.open(f"{home(site)}?check={CALLBACK}/")
    assert "Refused" in page.words
    assert f"{CALLBACK}<mark>/</mark>" in page.html
    assert "only further query parameters may follow" in page.words
    page = await developer.open(f"{home(site)}?check={CALLBACK}%3Fa=b")
    assert "Accepted" in page.words
    page = await developer.open(f"{home(site)}?check=%3Cscript%3E")
    assert "<script>" not in page.html


async def test_the_checker_knows_the_ports_of_native_apps(site: Site, developer: Person) -> None:
    form = ClientForm("Tool", "native", "oauth21", ("http://127.0.0.1",))
    app = (await clients.register(site.server, site.developer, form)).client
    for sent, words in (
        ("http://127.0.0.1:51004", "The same, on another port of the person's own machine."),
        ("http://127.0.0.1", "The same, character by character."),
        ("http://localhost:51004", "Differs at character 8"),
    ):
        page = await developer.open(f"/developer/apps/{app.id}/?check={sent}")
        assert words in page.words
        assert ("only the port may be another" in page.words) is ("localhost" in sent)
        assert "Seven examples" not in page.words  # they are those of the other rule


async def test_the_examples_are_the_rule(site: Site, developer: Person) -> None:
    matches = site.server.book.profiles["classic"].redirect_matches
    assert [matches(registered, sent) for registered, sent, _ in EXAMPLES] == [ok for *_, ok in EXAMPLES]
    page = await developer.open(home(site))
    assert all(sent in page.words for _, sent, _ in EXAMPLES)


async def test_testers_are_invited_and_uninvited(site: Site, developer: Person) -> None:
    page = await developer.open(home(site))
    page = await developer.send(page, home(site) + "settings/", **FORM)
    page = await developer.send(page, home(site) + "testers/", username="mara")
    assert "Invited." in page.words
    nobody = await developer.send(page, home(site) + "testers/", username="nobody.here")
    assert "is not the username of anybody here" in nobody.words
    page = await developer.send(page, home(site) + "testers/remove/", tester=str(site.owner.id))
    assert "taken back" in page.words
    assert (await clients.one(site.server, site.developer, site.app.client.id)).testers == ()


async def test_deleting_wants_the_name_and_the_password(site: Site, developer: Person) -> None:
    page = await developer.open(home(site))
    path = home(site) + "delete/"
    wrong = await developer.send(page, path, confirm="Prints", password=PASSWORD)
    assert "That is not the name of the app." in wrong.words
    wrong = await developer.send(page, path, confirm=site.app.client.name, password="not it")
    assert "That is not your password." in wrong.words
    done = await developer.send(page, path, confirm=site.app.client.name, password=PASSWORD)
    assert "The app was deleted." in done.words
    assert (await developer.open(home(site))).status == 404


@pytest.mark.parametrize("action", ["settings/", "secret/", "testers/", "testers/remove/", "delete/"])
async def test_somebody_elses_app_is_not_there(site: Site, owner: Person, action: str) -> None:
    """D9: the same answer as for an app that does not exist."""
    mine = await clients.register(site.server, site.owner, ClientForm("Mine", "web", "classic", (CALLBACK,)))
    token = (await owner.open(f"/developer/apps/{mine.client.id}/")).hidden("/accounts/logout/")
    form = (
        token
        | FORM
        | {"overlap": "0", "password": PASSWORD, "confirm": site.app.client.name, "username": "mara"}
    )
    theirs = await owner.client.post(home(site) + action, data=form)
    nobodys = await owner.client.post(f"/developer/apps/{'0' * 31}a/{action}", data=form)
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert (await owner.open(home(site))).status == 404
    assert await clients.one(site.server, site.developer, site.app.client.id) == site.app.client


@pytest.mark.parametrize("client_id", ["%00", "%FF", "a%0d%0ab", "x" * 5000, "..%2f.."])
async def test_hostile_paths_are_not_found(site: Site, developer: Person, client_id: str) -> None:
    assert (await developer.client.get(f"/developer/apps/{client_id}/")).status_code in (400, 404, 414)


async def test_who_leaves_a_profile_whose_tokens_have_no_end_is_told_what_becomes_of_them(
    site: Site, developer: Person
) -> None:
    for profile in ("classic", "oauth21"):
        form = ClientForm("Moving", "web", profile, ("https://slow.example/cb",))
        app = (await clients.register(site.server, site.developer, form)).client
        page = await developer.open(f"/developer/apps/{app.id}/")
        assert ("Under this profile tokens never end" in page.words) is (profile == "classic")
    assert "Under this profile tokens never end" not in (await developer.open("/developer/register/")).words
