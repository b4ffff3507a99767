"""I. Passwords: guessed, guessed in parallel, guessed under other spellings; and what a refusal tells."""

import asyncio
import re
import time
from collections import Counter
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher

from tests.flows.browser import Browser, Page
from tests.house import ONE_STORE, PASSWORD, App, Build, House, Person
from valetkey.server import accounts
from valetkey.server.passwords import Passwords, common_passwords, why_not
from valetkey.settings import LoginSettings

WRONG = "That username and password do not belong together."


async def guess(house: House, username: str, password: str = "guess", address: str = "192.0.2.7") -> Page:
    """One try, in a fresh browser."""
    browser = house.browser(address)
    return await browser.login(await browser.open("/accounts/login/"), username, password)


async def test_I1_guessing_ends_after_ten(house: House, snoop: Person) -> None:
    for _ in range(10):
        assert (await guess(house, "snoopdogg")).status == 400
    for password in ("guess", PASSWORD):
        page = await guess(house, "snoopdogg", password)
        assert page.status == 429 and "Too many tries" in page.text
        assert page.response.headers["retry-after"] == "300"
        assert "set-cookie" not in page.response.headers
    assert (await guess(house, "snoopdogg", address="203.0.113.5")).status == 429, (
        "whoever asks, from wherever"
    )


async def test_I1_one_network_may_not_try_everybody(build: Build) -> None:
    house = await build(login=LoginSettings(attempts_per_network=20))
    await house.make_account()
    statuses = Counter([(await guess(house, f"name{number}")).status for number in range(30)])
    assert statuses == {400: 20, 429: 10}
    assert (await guess(house, "snoopdogg", PASSWORD)).status == 429
    assert (await guess(house, "snoopdogg", PASSWORD, "203.0.113.5")).url.endswith("/"), (
        "others are not in it"
    )


async def test_I1_ipv6_counts_by_network(build: Build) -> None:
    house = await build(login=LoginSettings(attempts_per_network=10))
    tries = [await guess(house, f"name{n}", address=f"2001:db8:1:2::{n:x}") for n in range(12)]
    assert Counter(page.status for page in tries) == {400: 10, 429: 2}
    assert (await guess(house, "x", address="2001:db8:1:3::1")).status == 400
    mapped = [
        await guess(house, f"other{n}", address=("::ffff:192.0.2.9", "192.0.2.9")[n % 2]) for n in range(12)
    ]
    assert Counter(page.status for page in mapped) == {400: 10, 429: 2}


async def test_I2_guesses_are_counted_before_they_are_checked(house: House, snoop: Person) -> None:
    """CVE-2019-5421: fifty at once from two workers, and no more than ten hashes are made."""
    other = await house.another_worker()
    made: list[str] = []
    for each in (house, other):
        count_hashes(each, made)
    browsers = [(house, other)[turn % 2].browser(f"192.0.2.{turn}") for turn in range(50)]
    pages = [await browser.open("/accounts/login/") for browser in browsers]
    tries = [
        browser.login(page, "snoopdogg", f"guess {turn}")
        for turn, (browser, page) in enumerate(zip(browsers, pages, strict=True))
    ]
    done = await asyncio.gather(*tries)
    assert Counter(page.status for page in done) == {400: 10, 429: 40}
    assert len([line for line in made if line.startswith("verify")]) == 10


def count_hashes(house: House, made: list[str]) -> None:
    """Note every hash that is computed, and with what."""
    passwords: Passwords = house.server.passwords
    genuine: PasswordHasher = passwords.hasher

    class Counting:
        def hash(self, password: str) -> str:
            made.append(f"hash {password}")
            return genuine.hash(password)

        def verify(self, encoded: str, password: str) -> bool:
            made.append(f"verify {encoded.split('$')[1:4]} {password}")
            return bool(genuine.verify(encoded, password))

    counting: Any = Counting()
    passwords.hasher = counting


async def test_I3_a_lock_is_for_a_while_and_for_one(house: House, snoop: Person) -> None:
    """GHSA-cq42-vhv7-xr7p: sessions that live are left alone, and so is everybody else."""
    browser = await house.logged_in(snoop)
    dre = await house.make_account("dre")
    for _ in range(15):
        await guess(house, "snoopdogg", address="198.51.100.1")
    assert not (await browser.open("/accounts/edit/")).asks_login
    assert (await house.logged_in(dre)).session
    assert (await guess(house, "snoopdogg", PASSWORD)).status == 429
    house.clock.forward(300)
    assert (await house.logged_in(snoop)).session


async def test_I3_guesses_do_not_keep_a_lock_alive(house: House, snoop: Person) -> None:
    """The window began with the first try; an attacker who goes on does not move its end."""
    for _ in range(11):
        await guess(house, "snoopdogg")
    house.clock.forward(299)
    assert (await guess(house, "snoopdogg")).status == 429
    house.clock.forward(1)
    assert (await house.logged_in(snoop)).session


async def test_I3_a_right_password_sets_the_count_back(house: House, snoop: Person) -> None:
    for _ in range(3):
        for _ in range(9):
            assert (await guess(house, "snoopdogg")).status == 400
        assert (await house.logged_in(snoop)).session


@ONE_STORE
async def test_I4_a_refusal_does_not_tell_who_is_here(house: House, snoop: Person) -> None:
    """Same status, words and headers for a wrong password, nobody, a disabled account, and an odd name."""
    gone = await house.make_account("gone")
    await accounts.disable(house.server, gone.account.id)
    names = {"snoopdogg": "guess", "nobody": "guess", "gone": PASSWORD, "": "guess", "no body": "", "ü": "x"}
    seen = []
    for username, password in names.items():
        page = await guess(house, username, password)
        assert page.status == 400 and WRONG in page.text
        seen.append((without_what_differs(page.html, username), sorted(page.response.headers)))
    assert all(each == seen[0] for each in seen)


@ONE_STORE
async def test_I4_a_lock_does_not_tell_who_is_here(house: House, snoop: Person) -> None:
    seen = []
    for username in ("snoopdogg", "nobody"):
        for _ in range(10):
            await guess(house, username)
        page = await guess(house, username)
        assert page.status == 429
        seen.append((without_what_differs(page.html, username), sorted(page.response.headers)))
    assert seen[0] == seen[1]


def without_what_differs(html: str, username: str) -> str:
    html = re.sub(r'name="csrf" value="[0-9a-f]{64}"', "", html)
    return re.sub(r'(id="username" name="username" value=)"[^"]*"', r"\1", html)


async def test_I5_a_refusal_takes_the_same_work(house: House, snoop: Person) -> None:
    """One hash of the same cost, whoever is asked for."""
    gone = await house.make_account("gone")
    await accounts.disable(house.server, gone.account.id)
    work: dict[str, list[str]] = {}
    for username in ("snoopdogg", "nobody", "gone", ""):
        worker = await house.another_worker()  # where nobody has logged in before
        count_hashes(worker, made := [])
        for _ in range(3):
            await guess(worker, username, "guess")
        work[username] = made
    assert all(made == work["snoopdogg"] for made in work.values()), work
    assert [line for line in work["nobody"] if line.endswith(" guess")] == work["nobody"][1:]


@ONE_STORE
async def test_I5_refusals_that_are_no_refusals_of_a_password_take_none(house: House, snoop: Person) -> None:
    """Bytes that cannot be a login are not hashed."""
    made: list[str] = []
    count_hashes(house, made)
    browser = house.browser()
    page = await browser.open("/accounts/login/")
    for fields in ({"username": "a\0b"}, {"password": "x" * 20_000}, {"csrf": "wrong"}):
        page_again = await browser.submit(
            page, page.login_form, {"username": "snoopdogg", "password": "x"} | fields
        )
        assert page_again.status in (400, 403)
    assert made == []


@pytest.mark.parametrize(
    "spelled",
    [
        "SNOOPDOGG",
        "SnoopDogg",
        " snoopdogg ",
        "ｓｎｏｏｐｄｏｇｇ",
        "ſnoopdogg",
        "sn\u2092\u2092pdogg",
        "\u3000snoopdogg",
    ],
)
async def test_I6_spellings_of_a_name_are_one_name(house: House, snoop: Person, spelled: str) -> None:
    """CVE-2026-47203: they do not escape the counter, and they do not make a second account."""
    for _ in range(5):
        assert (await guess(house, spelled)).status == 400
        assert (await guess(house, "snoopdogg")).status == 400
    assert (await guess(house, spelled)).status == 429
    assert (await guess(house, "snoopdogg", PASSWORD)).status == 429
    browser = house.browser("203.0.113.5")
    page = await browser.fill(
        "/accounts/signup/",
        "/accounts/signup/",
        username=spelled,
        full_name="Not Snoop",
        email="x@mail.example",
        password="a long enough phrase 22",
    )
    assert page.status == 400 and browser.session is None
    assert len(await house.store.accounts(0, 10)) == 1


async def test_I6_names_with_invisible_letters_reach_nobody(house: House, snoop: Person) -> None:
    for spelled in ("snoop\u200bdogg", "snoopdogg\u200d", "\u202esnoopdogg", "snооpdogg", "snoop\u00addogg"):
        page = await guess(house, spelled, PASSWORD)
        assert page.status == 400 and WRONG in page.text


@ONE_STORE
async def test_I7_long_passwords(house: House) -> None:
    """Exactly as they are: not cut at 72 or 128 bytes; more than 1,000 bytes are refused at the door."""
    long = "".join(f"word{number} " for number in range(140))[:999]
    person = await accounts.sign_up(
        house.server, accounts.SignUp("long", "", "long@mail.example", long), by_operator=True
    )
    for near in (long[:-1], long + "x", long[:72], long[:128], long.upper(), " " + long):
        house.clock.forward(300)
        assert (await guess(house, "long", near)).status == 400
    page = await guess(house, "long", long)
    assert page.status == 200 and page.url.endswith("/"), person.username
    house.clock.forward(300)
    began = time.thread_time()
    assert (await guess(house, "long", "\ufdfa" * 5_000)).status in (400, 413)
    assert time.thread_time() - began < 1


@ONE_STORE
async def test_I7_a_crowd_of_logins_is_turned_away_and_not_queued_for_ever(build: Build) -> None:
    """At most so many hashes at once and waiting; whoever comes then is told to come again."""
    house = await build(login=LoginSettings(hash_threads=1, hash_queue=3, throttle=False))
    await house.make_account()
    browsers = [house.browser(f"192.0.2.{turn}") for turn in range(30)]
    pages = [await browser.open("/accounts/login/") for browser in browsers]
    house.server.passwords.hasher = PasswordHasher(time_cost=2, memory_cost=4096, parallelism=1)
    tries = [
        browser.login(page, "snoopdogg", PASSWORD) for browser, page in zip(browsers, pages, strict=True)
    ]
    done = await asyncio.gather(*tries)
    statuses = Counter(page.status for page in done)
    assert set(statuses) == {200, 503} and statuses[503] >= 20
    assert next(page.response.headers["retry-after"] for page in done if page.status == 503)
    assert (await guess(house, "snoopdogg", PASSWORD)).status == 200, "and then it goes on"


def test_I8_common_passwords_in_the_rule() -> None:
    """Not one of the thirty thousand that attackers try first, however short an operator lets passwords be."""
    tried = list(common_passwords())
    assert len(tried) >= 3000
    assert [password for password in tried if not why_not(password, 1, ())] == []


@ONE_STORE
async def test_I8_common_passwords(house: House) -> None:
    bad = [
        "momsanaladventure",
        "1QAZXSW23edcvfr4",
        "1234567890QWERTY",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
    ]
    for number, password in enumerate([*bad, "nate-nate-nate-nate", "valetkey valetkey", "natevaletkeynate"]):
        browser = house.browser(f"192.0.2.{number}")
        page = await browser.fill(
            "/accounts/signup/",
            "/accounts/signup/",
            username="nate",
            full_name="Nate",
            email="x@mail.example",
            password=password,
        )
        assert page.status == 400 and "Password" in page.text and browser.session is None, password
    assert await house.store.account_named("nate") is None


@ONE_STORE
async def test_I9_nothing_here_makes_a_first_administrator(house: House) -> None:
    """GHSA-rjvp-29xq-f62w: on an empty server there is no setup page; accounts come by sign-up and command line."""
    browser = house.browser()
    for path in (
        "/setup",
        "/setup/",
        "/install/",
        "/admin/",
        "/admin/setup/",
        "/accounts/setup/",
        "/if/flow/initial-setup/",
    ):
        assert (await browser.open(path)).status == 404
    page = await browser.fill(
        "/accounts/signup/",
        "/accounts/signup/",
        username="first",
        full_name="First",
        email="x@mail.example",
        password="the first who came here",
        is_admin="true",
        role="admin",
        id="1",
    )
    assert page.status == 200
    account = await house.store.account_named("first")
    assert account is not None and account.id > 1_000_000


async def confirmations(browser: Browser, app: App, password: str) -> httpx2.Response:
    page = await browser.open(f"/developer/apps/{app.id}/")
    form = page.form("/secret/")
    return await browser.ask("POST", form.action, data=form.fields | {"overlap": "0", "password": password})


async def test_I1_the_password_that_is_asked_for_again_is_throttled_too(house: House, snoop: Person) -> None:
    """CVE-2024-32868: another door to the same guess."""
    app = await house.make_app(owner=snoop)
    browser = await house.logged_in(snoop)
    statuses = [(await confirmations(browser, app, "guess")).status_code for _ in range(10)]
    assert statuses == [400] * 10
    answer = await confirmations(browser, app, PASSWORD)
    assert (
        answer.status_code in (400, 429) and "Too many tries" in answer.text and "vk_cs_" not in answer.text
    )
    page = await browser.fill(
        "/accounts/edit/", "/accounts/email/", email="x@mail.example", password=PASSWORD
    )
    assert "Too many tries" in page.text
    page = await browser.fill(
        "/accounts/password/change/", "/password/change/", current=PASSWORD, new="something else 123"
    )
    assert "Too many tries" in page.text
