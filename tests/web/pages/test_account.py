"""Profile, password, sessions and connected apps, through their pages."""

import io
import re

import pytest
from PIL import Image

from tests.web.conftest import Site
from tests.web.person import PASSWORD, Person
from valetkey.web.pages.sessions import in_words

EDIT, EMAIL, PICTURE = "/accounts/edit/", "/accounts/email/", "/accounts/picture/"
PASSWORD_PAGE, SESSIONS, APPS = (
    "/accounts/password/change/",
    "/accounts/sessions/",
    "/accounts/manage_access/",
)
NEW = "a quite different long secret"


@pytest.mark.parametrize("path", [EDIT, PASSWORD_PAGE, SESSIONS, APPS, "/developer/", "/developer/register/"])
async def test_these_pages_are_for_those_who_are_logged_in(site: Site, path: str) -> None:
    page = await site.visitor().open(path)
    assert page.path.startswith("/accounts/login/")


@pytest.mark.parametrize(
    "path", ["/", EDIT, PASSWORD_PAGE, SESSIONS, APPS, "/developer/", "/developer/register/"]
)
async def test_every_page_has_its_landmarks_and_its_policy(site: Site, owner: Person, path: str) -> None:
    page = await owner.open(path)
    assert page.status == 200
    assert len(page.headings) == 1
    assert page.html.count('<main id="main">') == 1
    assert 'href="#main"' in page.html
    assert '<html lang="en" dir="ltr">' in page.html
    policy = page.response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert page.response.headers["cache-control"] == "no-store"
    labelled = set(re.findall(r'<label for="([^"]+)"', page.html))
    inputs = re.findall(r"<(?:input|textarea)[^>]*>", page.html)
    shown = [tag for tag in inputs if not re.search(r'type="(?:hidden|radio|checkbox)"|class="hidden"', tag)]
    assert [tag for tag in shown if re.search(r'id="([^"]+)"', tag)[1] not in labelled] == []


async def test_the_profile_is_saved(site: Site, owner: Person) -> None:
    page = await owner.open(EDIT)
    form = {"full_name": "Mara L.", "bio": "Bridges.\nRain.", "website": "https://mara.example"}
    page = await owner.send(page, EDIT, **form)
    assert "Saved." in page.words
    account = await site.server.store.account(site.owner.id)
    assert (account.full_name, account.bio, account.website) == tuple(form.values())
    assert account.email == "mara@a.example"


async def test_the_profile_says_what_is_wrong_and_keeps_what_was_typed(site: Site, owner: Person) -> None:
    page = await owner.open(EDIT)
    page = await owner.send(page, EDIT, full_name="Mara", bio="B" * 301, website="ftp://mara")
    assert page.status == 400
    assert "There are 2 problems" in page.words
    assert 'value="ftp://mara"' in page.html


async def test_a_new_address_wants_the_password(site: Site, owner: Person) -> None:
    page = await owner.open(EDIT)
    wrong = await owner.send(page, EMAIL, email="new@a.example", password="not it")
    assert "That is not your password." in wrong.words
    none = await owner.send(page, EMAIL, email="", password=PASSWORD)
    assert "E-mail address is missing." in none.words
    right = await owner.send(page, EMAIL, email="new@a.example", password=PASSWORD)
    assert "Your e-mail address was changed." in right.words
    account = await site.server.store.account(site.owner.id)
    assert account.email == "new@a.example"


async def test_a_picture_comes_and_goes(site: Site, owner: Person) -> None:
    file = io.BytesIO()
    Image.new("RGB", (400, 300), "teal").save(file, "PNG")
    page = await owner.open(EDIT)
    files = {"picture": ("me.png", file.getvalue(), "image/png")}
    sent = await owner.client.post(PICTURE, data=page.hidden(PICTURE), files=files)
    assert sent.headers["location"] == EDIT + "?done=picture"
    page = await owner.open(EDIT)
    source = re.search(r'<img class="face big" src="([^"]+)"', page.html)[1]
    shown = await owner.client.get(source)
    assert shown.headers["content-type"] == "image/jpeg"
    page = await owner.send(page, PICTURE, remove="yes")
    assert "<img" not in page.html


async def test_what_is_no_picture_is_refused(site: Site, owner: Person) -> None:
    page = await owner.open(EDIT)
    files = {"picture": ("me.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png")}
    sent = await owner.client.post(PICTURE, data=page.hidden(PICTURE), files=files)
    assert sent.status_code == 400
    assert "The file is not a JPEG" in sent.text
    nothing = await owner.send(page, PICTURE)
    assert "The file is missing." in nothing.words


async def test_a_new_password(site: Site, owner: Person) -> None:
    page = await owner.open(PASSWORD_PAGE)
    wrong = await owner.send(page, PASSWORD_PAGE, current="not it", new=NEW)
    assert "That is not your password." in wrong.words
    short = await owner.send(page, PASSWORD_PAGE, current=PASSWORD, new="short")
    assert "The new password " in short.words
    other = site.visitor()
    await other.log_in("mara")
    done = await owner.send(page, PASSWORD_PAGE, current=PASSWORD, new=NEW)
    assert "Your password was changed." in done.words
    assert (await other.open(EDIT)).path.startswith("/accounts/login/")
    assert (await other.log_in("mara", NEW)).status == 200


async def test_a_browser_is_logged_out_from_another(site: Site, owner: Person) -> None:
    other, third = site.visitor(), site.visitor()
    await other.log_in("mara")
    await third.log_in("mara")
    page = await owner.open(SESSIONS)
    assert page.words.count("Firefox on Linux") >= 3
    assert page.words.count("This browser") == 1
    chosen = re.search(r'name="session" value="([0-9a-f]{64})"', page.html)[1]
    page = await owner.send(page, SESSIONS, session=chosen)
    assert "Logged out there." in page.words
    page = await owner.send(page, SESSIONS, session="others")
    assert "Log out everywhere else" not in page.words
    for person in (other, third):
        assert (await person.open(EDIT)).path.startswith("/accounts/login/")
    assert (await owner.open(EDIT)).status == 200


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Chrome/156.0 Safari/537.36", "Chrome on Mac"),
        ("curl/8.9", "curl"),
        ("", "A browser"),
    ],
)
def test_browsers_in_words(agent: str, words: str) -> None:
    assert in_words(agent) == words


async def test_an_app_is_listed_and_removed(site: Site, owner: Person) -> None:
    assert "No app can use your account" in (await owner.open(APPS)).words
    page = await owner.open(site.asks(scope="basic likes"))
    await owner.send(page, "/oauth/authorize/consent", decision="allow")
    page = await owner.open(APPS)
    assert "Prints & <b>Cards</b>" in page.words
    assert site.server.settings.scopes["likes"].words in page.words
    assert "Not used yet" in page.words
    page = await owner.send(page, APPS, client_id=site.app.client.id)
    assert "The app was removed." in page.words
    assert "No app can use your account" in page.words
    assert (await owner.open(site.asks())).headings == ["Allow Prints & <b>Cards</b> to use your account?"]
