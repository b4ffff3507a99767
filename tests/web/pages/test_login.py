"""Logging in and out and signing up, as people meet it (R13-R16, I4)."""

from urllib.parse import urlencode

import pytest

from tests.web.conftest import CALLBACK, Site, built, settings
from tests.web.person import PASSWORD, Person

LOGIN, SIGNUP = "/accounts/login/", "/accounts/signup/"


async def test_login_leads_home(site: Site) -> None:
    page = await site.visitor().log_in("mara")
    assert page.headings == ["Hello, Mara Lindqvist"]


async def test_the_form_has_what_is_promised_to_those_who_drive_it(site: Site) -> None:
    page = await site.visitor().open(LOGIN)
    assert page.html.count('type="password"') == 1
    assert 'name="username"' in page.html
    assert 'autocomplete="username"' in page.html
    assert 'autocomplete="current-password"' in page.html


@pytest.mark.parametrize("username", ["mara", "nobody.here", ""])
async def test_the_same_words_whether_an_account_exists_or_not(site: Site, username: str) -> None:
    page = await site.visitor().log_in(username, "not the password")
    assert page.status == 400
    assert "That username and password do not belong together." in page.words
    assert "autofocus" in page.html.partition('id="problems"')[2][:80]
    assert "not the password" not in page.html


async def test_throttling_says_how_long_to_wait() -> None:
    site = await built(settings(**{"login.attempts_per_account": 2}))
    person = site.visitor()
    for _ in range(2):
        await person.log_in("mara", "wrong")
    page = await person.log_in("mara")
    assert page.status == 429
    assert "Please wait 5 minutes" in page.words
    assert int(page.response.headers["retry-after"]) > 0
    await site.server.close()


@pytest.mark.parametrize(
    "next_path", ["https://evil.example/", "//evil.example/", "/\\evil.example", "/accounts/logout/"]
)
async def test_next_leads_nowhere_else(site: Site, next_path: str) -> None:
    person = site.visitor()
    page = await person.open(f"{LOGIN}?{urlencode({'next': next_path})}")
    assert page.hidden(LOGIN)["next"] == "/"
    page = await person.send(page, LOGIN, username="mara", password=PASSWORD, next=next_path)
    assert page.path == "/"


async def test_next_leads_back_to_a_page_of_ours(site: Site) -> None:
    person = site.visitor()
    page = await person.open("/accounts/manage_access/")
    assert page.path.startswith(LOGIN)
    page = await person.send(page, LOGIN, username="mara", password=PASSWORD)
    assert page.path == "/accounts/manage_access/"


@pytest.mark.parametrize("more", ["", "&state=" + "%7B" * 1500], ids=["at its own address", "in place"])
async def test_login_on_the_way_to_an_app_names_it_and_may_lead_to_it(site: Site, more: str) -> None:
    page = await site.visitor().open(site.asks() + more)
    assert page.path.startswith("/oauth/authorize" if more else LOGIN)
    assert "to go on to Prints & <b>Cards</b>" in page.words
    assert page.response.headers["content-security-policy"].endswith("form-action 'self' https:")


async def test_a_failed_login_still_knows_the_way(site: Site) -> None:
    person = site.visitor()
    page = await person.send(await person.open(site.asks()), LOGIN, username="mara", password="wrong")
    assert page.response.headers["content-security-policy"].endswith("form-action 'self' https:")
    page = await person.send(page, LOGIN, username="mara", password=PASSWORD)
    assert page.headings == ["Allow Prints & <b>Cards</b> to use your account?"]


async def test_a_plain_login_leads_nowhere_but_here(site: Site) -> None:
    page = await site.visitor().open(LOGIN)
    assert page.response.headers["content-security-policy"].endswith("form-action 'self'")
    page = await site.visitor().open(f"{LOGIN}?{urlencode({'next': '/oauth/authorize?redirect_uri=%zz'})}")
    assert page.response.headers["content-security-policy"].endswith("form-action 'self'")


async def test_somebody_else_can_log_in(site: Site, owner: Person) -> None:
    page = await owner.open(LOGIN)
    assert "You are logged in as mara" in page.words
    page = await owner.send(page, LOGIN, username="dev", password=PASSWORD)
    assert "Pine <Studio>" in page.words


async def test_logout_ends_the_session_on_the_server(site: Site, owner: Person) -> None:
    token = owner.client.cookies["valetkey"]
    page = await owner.send(await owner.open("/"), "/accounts/logout/")
    assert page.headings == ["You are logged out"]
    owner.client.cookies.set("valetkey", token)
    assert (await owner.open("/accounts/edit/")).path.startswith(LOGIN)


async def test_logging_out_twice_is_no_error(site: Site, owner: Person) -> None:
    home = await owner.open("/")
    assert (await owner.send(home, "/accounts/logout/")).status == 200
    assert "Log in" in (await owner.open("/")).words


async def test_logout_wants_a_form_of_ours(site: Site, owner: Person) -> None:
    assert (await owner.client.get("/accounts/logout/")).status_code == 405
    assert (await owner.client.post("/accounts/logout/")).status_code in (400, 403)
    assert "Hello" in (await owner.open("/")).words


async def test_head_is_no_login(site: Site) -> None:
    assert (await site.visitor().client.head(LOGIN)).status_code == 200


async def test_signing_up_logs_in_and_goes_on(site: Site) -> None:
    person = site.visitor()
    page = await person.open(f"{SIGNUP}?{urlencode({'next': site.asks()})}")
    form = {"full_name": "Ines", "username": "ines", "email": "ines@a.example", "password": PASSWORD + "!"}
    page = await person.send(page, SIGNUP, **form)
    assert page.path.startswith("/oauth/authorize/")
    assert "Ines" in page.words


async def test_signing_up_says_what_is_wrong_field_by_field(site: Site) -> None:
    person = site.visitor()
    form = {"full_name": "Ines", "username": "mara", "email": "ines@a.example", "password": PASSWORD + "!"}
    page = await person.send(await person.open(SIGNUP), SIGNUP, **form)
    assert page.status == 400
    assert "Username is taken." in page.words
    assert 'href="#username"' in page.html
    assert 'value="Ines"' in page.html
    assert PASSWORD not in page.html


async def test_sign_up_can_be_closed(closed_site: Site) -> None:
    person = closed_site.visitor()
    assert (await person.open(SIGNUP)).status == 404
    assert "Create an account" not in (await person.open(LOGIN)).words
    assert "Create an account" not in (await person.open("/")).words


async def test_logged_in_already_the_app_gets_its_answer(site: Site, owner: Person) -> None:
    page = await owner.open(site.asks())
    page = await owner.send(page, "/oauth/authorize/consent", decision="allow")
    assert page.location.startswith(CALLBACK + "?code=")


async def test_signing_up_again_and_again_from_one_network_is_slowed_down() -> None:
    site = await built(settings(**{"accounts.signups_per_network": 1}))
    person = site.visitor()
    for expected in (400, 429):
        page = await person.send(await person.open(SIGNUP), SIGNUP, username="new.here", password="short")
        assert page.status == expected
    assert "Please wait 60 minutes" in page.words
    assert "short" not in page.html.partition("<form")[2]
    await site.server.close()
