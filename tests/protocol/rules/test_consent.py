"""Consent: who must be asked, and for what (classic.md 2, H8)."""

import pytest
from msgspec.structs import replace

from tests.protocol.samples import NOW, client, consent, public
from valetkey.protocol.decision import NO_CHOICE, Choice
from valetkey.protocol.errors import AccessDenied
from valetkey.protocol.model import NOBODY, Client, Consent, Places, Registration, Scope
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.rules.consent import (
    MOST_SERVERS,
    Said,
    asks_always,
    choice,
    further,
    granted,
    merged,
    standing,
    still_to_ask,
)

BASIC, LIKES, ALL = ("basic",), ("likes",), ("basic", "likes")
Pair = tuple[tuple[str, ...], tuple[str, ...]]


@pytest.mark.parametrize(
    ("app", "before", "remember", "in_front", "ask"),
    [
        (client(), None, True, False, ALL),
        (client(), consent(*ALL), True, False, None),
        (client(), consent("likes", "basic", "comments"), True, False, None),
        (client(), consent("basic"), True, False, ("likes",)),
        (client(), consent(), True, False, ALL),
        (client(), consent(*ALL), False, False, ALL),  # [consent] remember = false
        (client(), consent(*ALL), True, True, ALL),  # the implicit flow
        (client(type="service"), consent(*ALL), True, False, None),
        (public(), consent(*ALL), True, False, ALL),
        (public(type="native"), consent(*ALL), True, False, ALL),
    ],
)
def test_what_is_still_to_ask(
    app: Client, before: Consent | None, remember: bool, in_front: bool, ask: tuple[str, ...] | None
) -> None:
    assert still_to_ask(app, ALL, before, remember, in_front) == ask


@pytest.mark.parametrize(
    ("owner", "redirect_uri", "in_front", "always"),
    [
        (9, "https://rp.test/cb", False, False),
        (9, "https://rp.test/cb", True, True),
        (9, "http://127.0.0.1:9/cb", False, False),
        (NOBODY, "https://rp.test/cb", False, False),
        (NOBODY, "http://127.0.0.1:9/cb", False, True),
        (NOBODY, "http://[::1]/", False, True),
        (NOBODY, "http://LOCALHOST:1/cb", False, True),
        (NOBODY, "com.example.app:/cb", False, False),
    ],
)
def test_where_a_remembered_yes_says_nothing(
    owner: int, redirect_uri: str, in_front: bool, always: bool
) -> None:
    assert asks_always(client(owner_id=owner), redirect_uri, in_front) is always


def test_asking_for_nothing_is_still_asking() -> None:
    assert still_to_ask(client(), (), None, True, False) == ()
    assert still_to_ask(client(), (), consent("basic"), True, False) is None


@pytest.mark.parametrize(
    ("before", "ask"),
    [
        (consent("basic", refused=("likes",)), None),
        (consent(refused=ALL), ALL),  # nothing else is asked for, so it is asked once more
        (consent(refused=("basic",)), ("likes",)),
        (consent("basic", refused=("comments",)), ("likes",)),
    ],
)
def test_what_was_left_out_is_not_asked_for_again(before: Consent, ask: tuple[str, ...] | None) -> None:
    assert still_to_ask(client(), ALL, before, True, False) == ask


@pytest.mark.parametrize(
    ("before", "said", "kept"),
    [
        (None, (BASIC, ()), (BASIC, ())),
        (None, (BASIC, LIKES), (BASIC, LIKES)),
        (consent("basic"), (ALL, ()), (ALL, ())),
        (consent("comments", "basic"), (ALL, ()), (("comments", *ALL), ())),
        (consent(*ALL), (BASIC, LIKES), (BASIC, LIKES)),  # taken back by leaving it out
        (consent("basic", refused=("likes",)), (ALL, ()), (ALL, ())),
        (consent("basic", refused=("comments",)), (BASIC, LIKES), (BASIC, ("comments", "likes"))),
    ],
)
def test_what_is_remembered(before: Consent | None, said: Pair, kept: Pair) -> None:
    now = Consent(1, "app", said[0], NOW, said[1])
    assert merged(now, before) == Consent(1, "app", kept[0], NOW, kept[1])


def test_the_servers_that_are_remembered() -> None:
    many = tuple(f"https://{n}.test/" for n in range(MOST_SERVERS))
    now = replace(consent("basic", resource=(many[2], "https://new.test/")), granted_at=NOW)
    kept = tuple(uri for uri, _ in merged(now, consent("basic", resource=many)).resource)
    assert kept == (many[1], *many[3:], many[2], "https://new.test/"), (
        "not named for longest, forgotten first"
    )
    assert merged(now, consent("basic")).resource == now.resource
    before = consent("basic", resource=many)
    assert merged(replace(now, resource=()), before).resource == before.resource


A, B = "https://a.test/", "https://b.test/"


@pytest.mark.parametrize(
    ("before", "said", "kept"),
    [
        (((A, BASIC),), ((B, LIKES),), ((A, BASIC), (B, LIKES))),
        (((A, BASIC), (B, BASIC)), ((A, LIKES),), ((B, BASIC), (A, ALL))),
        (
            ((A, ("comments", "basic")),),
            ((B, BASIC),),
            ((A, BASIC), (B, BASIC)),
        ),  # left out now: nowhere any more
        (((A, ("comments", "basic")),), ((A, BASIC),), ((A, BASIC),)),
        (((A, ALL),), (), ((A, ALL),)),
    ],
)
def test_what_is_remembered_of_each_server(before: Places, said: Places, kept: Places) -> None:
    now = Consent(1, "app", ALL, NOW, ("comments",), said)
    assert merged(now, Consent(1, "app", ALL, NOW - 9, (), before)).resource == kept


@pytest.mark.parametrize(
    ("scope", "named", "refused", "new"),
    [
        (ALL, (), (), False),
        (LIKES, (A,), (), True),  # allowed at the other, and at our own API
        (BASIC, (A,), (), False),
        (ALL, (B,), (), False),
        (ALL, (A, B), (), True),
        (ALL, (A,), LIKES, False),  # they leave it out, so it is not given there
        ((), (A,), (), False),
        ((), ("https://c.test/",), (), True),
    ],
)
def test_where_an_app_goes_further(
    scope: tuple[str, ...], named: tuple[str, ...], refused: tuple[str, ...], new: bool
) -> None:
    """C14: what was allowed at one server was allowed at no other."""
    known = Consent(1, "app", ALL, NOW, refused, ((A, BASIC), (B, ALL)))
    assert further(scope, named, known) is new
    assert further(scope, named, None)


CATALOGUE = {
    "basic": Scope("basic", ""),
    "likes": Scope("likes", "", sensitive=True),
    "comments": Scope("comments", "", optional=True),
}
MAY = client(registered=Registration(optional_scope=LIKES))


@pytest.mark.parametrize(
    ("app", "profile", "scope", "before", "offered"),
    [
        (client(), OAUTH20, ALL, None, NO_CHOICE),
        (MAY, OAUTH20, ALL, None, Choice(LIKES, LIKES)),  # sensitive: waits to be ticked
        (MAY, OAUTH20, BASIC, None, NO_CHOICE),
        (MAY, CLASSIC, ALL, None, NO_CHOICE),
        (client(), OAUTH20, ("comments",), None, Choice(("comments",))),  # by the operator's catalogue
        (client(), CLASSIC, ("comments",), None, NO_CHOICE),
        (client(), OAUTH20, ("comments",), consent("basic"), Choice(("comments",))),
        (
            client(),
            OAUTH20,
            ("comments",),
            consent(refused=("comments",)),
            Choice(("comments",), ("comments",)),
        ),
        (MAY, OAUTH20, ("gone", "likes"), None, Choice(LIKES, LIKES)),  # no longer in the catalogue
    ],
)
def test_what_may_be_left_out(
    app: Client, profile: Profile, scope: tuple[str, ...], before: Consent | None, offered: Choice
) -> None:
    assert choice(app, profile, scope, before, CATALOGUE) == offered


def test_what_is_needed_now_was_not_left_out() -> None:
    before = consent("basic", refused=("likes", "comments"))
    assert standing(before, client(), Choice(LIKES)) == consent("basic", refused=LIKES)
    assert standing(None, client(), Choice(LIKES)) is None


@pytest.mark.parametrize(("moved", "counts"), [(0, True), (-1001, True), (-1000, False), (-1, False)])
def test_who_sends_people_elsewhere_has_nobodys_yes_any_more(moved: int, counts: bool) -> None:
    """H8: what was said before the app named another redirect URI; `moved` counts from now, the yes was at -1000."""
    app = client(registered=Registration(moved_at=moved and NOW + moved))
    before = consent("basic")
    assert standing(before, app, NO_CHOICE) == (before if counts else None)


@pytest.mark.parametrize(
    ("asked", "ticked", "before", "allowed"),
    [
        (ALL, (), None, BASIC),
        (ALL, LIKES, None, ALL),
        (ALL, ("comments",), None, BASIC),
        (ALL, (), consent(*ALL), BASIC),  # it was shown, and not ticked
        (BASIC, (), consent("likes"), ALL),  # it was not shown, for it was allowed before
        (BASIC, LIKES, None, BASIC),  # H5: it was not shown, and yet ticked
        ((), (), consent("basic", refused=LIKES), BASIC),
    ],
)
def test_what_was_allowed(
    asked: tuple[str, ...], ticked: tuple[str, ...], before: Consent | None, allowed: tuple[str, ...]
) -> None:
    assert granted(ALL, asked, Said(True, frozenset(ticked)), before, Choice(LIKES)) == allowed


def test_nothing_allowed_is_a_no_but_nothing_asked_is_not() -> None:
    with pytest.raises(AccessDenied) as caught:
        granted(LIKES, LIKES, Said(True), None, Choice(LIKES))
    assert caught.value.reason == "nothing_allowed"
    assert granted((), (), Said(True), None, NO_CHOICE) == ()
