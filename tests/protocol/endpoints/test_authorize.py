"""The authorization endpoint: the whole column of checks, and where each of them sends whom (classic.md 2; R3, H8)."""

from collections.abc import Callable
from dataclasses import replace as other_rules
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, unquote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.protocol.samples import (
    ALLOW,
    BOOK,
    CHALLENGE,
    DENY,
    ISSUER,
    NOW,
    REDIRECT,
    account,
    client,
    consent,
    flat,
    params,
    public,
    query,
    session,
    told,
)
from valetkey.protocol.changes import Hold, Save
from valetkey.protocol.decision import (
    Answer,
    AskConsent,
    AskLogin,
    AuthorizeDecision,
    Choice,
    ErrorPage,
    Refuse,
)
from valetkey.protocol.detail_type import DetailType
from valetkey.protocol.endpoints.authorize import decide, trusted_redirect
from valetkey.protocol.errors import InvalidRequest
from valetkey.protocol.facts import AuthorizeFacts
from valetkey.protocol.model import NOBODY, TERMS, Account, Client, Consent, Registration, Session, Terms
from valetkey.protocol.params import SEVERAL, Params, parse
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.consent import Said
from valetkey.protocol.rules.rulebook import Rulebook

ISS = "iss=https%3A%2F%2Fid.test"
DENIED = "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request"
MUST_INCLUDE = "You must include a valid client_id, response_type, and redirect_uri parameters"
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
SAID = [None, ALLOW, DENY]
SESSION, ACCOUNT = session(), account()


def request(**more: str) -> dict[str, str]:
    return {"client_id": "app", "redirect_uri": REDIRECT, "response_type": "code", **more}


def facts(
    app: Client | None,
    browser: Session | None = SESSION,
    person: Account | None = ACCOUNT,
    before: Consent | None = None,
) -> AuthorizeFacts:
    return AuthorizeFacts(app, "dev", browser, person, before)


def decided(
    pairs: dict[str, str], known: AuthorizeFacts, said: Said | None = None, book: Rulebook = BOOK
) -> AuthorizeDecision:
    return decide(query(**pairs), known, said, book, NOW)


# --- before client and redirect_uri are trusted, nothing else is looked at (R3) ---------------------------------------

UNTRUSTED = [
    ("no client_id", {"client_id": ""}, {}, "authorize_client_id_missing", MUST_INCLUDE),
    ("unknown client", {"client_id": "b"}, None, "client_unknown", "Invalid Client ID"),
    ("disabled client", {}, {"disabled_at": NOW}, "client_unknown", "Invalid Client ID"),
    ("disabled in second 0", {}, {"disabled_at": 0}, "client_unknown", "Invalid Client ID"),
    ("no redirect_uri", {"redirect_uri": ""}, {}, "authorize_redirect_uri_missing", MUST_INCLUDE),
    (
        "another redirect_uri",
        {"redirect_uri": "https://evil.test/"},
        {},
        "redirect_uri_unregistered",
        "Redirect URI does not match registered redirect URI",
    ),
    (
        "none registered",
        {},
        {"redirect_uris": ()},
        "redirect_uri_unregistered",
        "Redirect URI does not match registered redirect URI",
    ),
    (
        "a name of our answer",
        {"redirect_uri": f"{REDIRECT}?code=evil"},
        {},
        "redirect_uri_unregistered",
        "Redirect URI does not match registered redirect URI",
    ),
]


@pytest.mark.parametrize(
    ("pairs", "fields", "reason", "message"),
    [row[1:] for row in UNTRUSTED],
    ids=[row[0] for row in UNTRUSTED],
)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"response_type": ""},
        {"response_type": "nonsense"},
        {"response_type": "token"},
        {"scope": "nonsense"},
        {"code_challenge": "nonsense"},
        {"prompt": "none"},
        {"response_mode": "form_post"},
        {"state": "s"},
    ],
    ids=lambda more: " ".join(f"{name}={value}" for name, value in more.items()) or "-",
)
def test_a_bad_client_or_redirect_uri_is_shown_whatever_else_is_wrong(
    pairs: dict[str, str], fields: dict[str, Any] | None, reason: str, message: str, more: dict[str, str]
) -> None:
    app = None if fields is None else client(sandbox=True, **fields)
    for browser, person in ((session(), account()), (None, None)):
        for said in SAID:
            page = decided(request(**{**more, **pairs}), facts(app, browser, person), said)
            assert isinstance(page, ErrorPage)
            assert (page.error.reason, page.profile, page.client, page.changes) == (reason, CLASSIC, app, ())
            assert told(page.error, page.profile) == flat(message)


MISSING = "authorize_redirect_uri_missing"


@pytest.mark.parametrize("name", ["oauth20", "oauth21"])
@pytest.mark.parametrize(
    ("pairs", "fields", "reason"),
    [
        ({"redirect_uri": ""}, {"redirect_uris": (REDIRECT, "https://b.test/")}, MISSING),
        ({"redirect_uri": ""}, {"redirect_uris": ()}, MISSING),
        ({"redirect_uri": "https://evil.test/"}, {}, "redirect_uri_unregistered"),
        ({"redirect_uri": f"{REDIRECT}?a=b"}, {}, "redirect_uri_unregistered"),
        ({}, {"disabled_at": NOW}, "client_unknown"),
        ({"client_id": ""}, {}, "authorize_client_id_missing"),
    ],
)
def test_nor_do_todays_profiles_redirect_then(
    name: str, pairs: dict[str, str], fields: dict[str, Any], reason: str
) -> None:
    page = decided(request(response_type="nonsense", **pairs), facts(client(profile=name, **fields)), DENY)
    assert isinstance(page, ErrorPage) and page.error.reason == reason


@pytest.mark.parametrize("name", ["oauth20", "oauth21"])
def test_the_only_one_need_not_be_named(name: str) -> None:
    """RFC 6749 3.1.2.3."""
    app = client(profile=name)
    for pairs, named in (({}, True), ({"redirect_uri": ""}, False)):
        done = decided(request(**pairs, **PKCE), facts(app), ALLOW)
        assert isinstance(done, Answer) and (done.redirect_uri, done.named) == (REDIRECT, named)


@pytest.mark.parametrize("name", ["classic", "fapi2", "mcp"])
def test_but_for_some(name: str) -> None:
    with pytest.raises(InvalidRequest) as no:
        trusted_redirect(params(client_id="app"), client(profile=name), PROFILES[name])
    assert no.value.reason == MISSING


def test_any_of_the_registered_uris_may_be_named() -> None:
    app = client(redirect_uris=("https://a.test/", REDIRECT, "https://b.test/"))
    for uri in app.redirect_uris:
        asked = decided(request(redirect_uri=uri), facts(app))
        assert isinstance(asked, AskConsent) and asked.redirect_uri == uri


# --- the rest of the column, in its order -----------------------------------------------------------------------------

ONLY = 'Only response type "code" and "token" is allowed'
CHALLENGE_WRONG = "code_challenge is not 43 characters of base64url"

# each row is wrong in its own way and right in what stands above it
COLUMN = [
    ({"response_type": ""}, {}, flat(MUST_INCLUDE)),
    ({"response_type": "code token"}, {}, flat(ONLY)),  # A16
    ({"response_type": "token code"}, {}, flat(ONLY)),
    ({"response_type": "CODE"}, {}, flat(ONLY)),
    ({"response_type": "code "}, {}, flat(ONLY)),
    ({"response_type": "id_token"}, {}, flat(ONLY)),
    ({"response_type": "none"}, {}, flat(ONLY)),
    ({"response_type": "token"}, {}, flat("Implicit authentication is disabled", 403)),
    ({"scope": "nope"}, {}, flat("Invalid scope field(s): nope")),
    ({"scope": "basic nope wrong likes"}, {}, flat("Invalid scope field(s): nope, wrong")),
    ({"scope": "<b>"}, {}, flat("Invalid scope field(s): ?b?")),
    ({"scope": " ".join(f"s{n}" for n in range(65))}, {}, flat("Invalid scope field(s): too many")),
    ({"code_challenge": "x", "code_challenge_method": "S256"}, {}, flat(CHALLENGE_WRONG)),
    (
        {"code_challenge": CHALLENGE, "code_challenge_method": ""},
        {},
        flat("code_challenge_method must be S256"),
    ),
    ({"code_challenge_method": "S256"}, {}, flat("code_challenge is missing (RFC 7636 4.3)")),
    ({}, {"sandbox": True}, flat("You are not a sandbox user of this client", 403)),
]


@pytest.mark.parametrize(("pairs", "fields", "answer"), COLUMN)
def test_classic_shows_what_is_wrong_and_redirects_nothing(
    pairs: dict[str, str], fields: dict[str, Any], answer: tuple[int, dict[str, object]]
) -> None:
    app = client(**fields)
    for said in SAID:
        page = decided(request(**pairs), facts(app), said)
        assert isinstance(page, ErrorPage)
        assert (page.client, page.profile, page.changes) == (app, CLASSIC, ())
        assert told(page.error, page.profile) == answer


@pytest.mark.parametrize("start", range(len(COLUMN)))
def test_the_first_wrong_thing_decides(start: int) -> None:
    pairs, fields = {}, {}
    for more, has, _ in reversed(COLUMN[start:]):
        pairs.update(more)
        fields.update(has)
    page = decided(request(**pairs), facts(client(**fields)), DENY)
    assert isinstance(page, ErrorPage)
    assert told(page.error) == COLUMN[start][2]


@pytest.mark.parametrize("pairs", [row[0] for row in COLUMN if not row[1]])
def test_all_but_the_sandbox_is_settled_before_login(pairs: dict[str, str]) -> None:
    assert isinstance(decided(request(**pairs), facts(client(), None, None)), ErrorPage)
    asked = decided(request(), facts(client(sandbox=True), None, None))
    assert asked == AskLogin(client(sandbox=True), REDIRECT)


# --- login ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("browser", "person"),
    [
        (None, None),
        (None, account()),
        (session(), None),
        (session(expires_at=NOW), account()),
        (session(expires_at=0), account()),
        (session(), account(disabled_at=NOW)),
        (session(), account(disabled_at=0)),
    ],
)
@pytest.mark.parametrize("said", SAID)
def test_who_is_not_logged_in_is_asked_to(
    browser: Session | None, person: Account | None, said: Said | None
) -> None:
    """Also when the confirmation screen was answered meanwhile: nothing is granted and nothing is denied."""
    known = facts(client(), browser, person, consent("basic"))
    asked = decided(request(redirect_uri=REDIRECT + "?a=b", state="s"), known, said)
    assert asked == AskLogin(client(), REDIRECT + "?a=b", ())


# --- sandbox ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "may"),
    [
        ({"sandbox": True}, False),
        ({"sandbox": True, "testers": (2, 3)}, False),
        ({"sandbox": True, "testers": (2, 1)}, True),
        ({"sandbox": True, "owner_id": 1}, True),
        ({"sandbox": False}, True),
    ],
)
def test_an_app_in_development_is_for_its_owner_and_testers(fields: dict[str, Any], may: bool) -> None:
    for said in SAID:
        decision = decided(request(), facts(client(**fields), before=consent("basic")), said)
        assert isinstance(decision, ErrorPage) is not may
        if isinstance(decision, ErrorPage):
            assert told(decision.error) == flat("You are not a sandbox user of this client", 403)


# --- consent ----------------------------------------------------------------------------------------------------------

FORGETFUL = other_rules(BOOK, remember_consent=False)
BASIC, ALL = ("basic",), ("basic", "likes")
IMPLICIT = client(allow_implicit=True)


@pytest.mark.parametrize(
    ("app", "kind", "before", "book", "new"),
    [
        (client(), "code", None, BOOK, ALL),
        (client(), "code", consent(*ALL), BOOK, None),
        (client(), "code", consent("comments", *ALL), BOOK, None),
        (client(), "code", consent("basic"), BOOK, ("likes",)),
        (client(), "code", consent("basic", "comments"), BOOK, ("likes",)),
        (client(), "code", consent(*ALL), FORGETFUL, ALL),
        (public(), "code", consent(*ALL), BOOK, ALL),
        (IMPLICIT, "token", consent(*ALL), BOOK, ALL),
        (public(allow_implicit=True), "token", consent(*ALL), BOOK, ALL),
        (IMPLICIT, "code", consent(*ALL), BOOK, None),
    ],
    ids="first remembered more widened other-things forgetful public implicit public-implicit code-beside".split(),
)
def test_who_is_asked_and_for_what(
    app: Client, kind: str, before: Consent | None, book: Rulebook, new: tuple[str, ...] | None
) -> None:
    pairs = request(response_type=kind, scope="likes")
    known = facts(app, before=before)
    lifetime = 3600 if kind == "token" else None
    decision = decided(pairs, known, None, book)
    if new is None:
        assert isinstance(decision, Answer) and decision.changes == (Hold(1, "app"),)
        return
    assert decision == AskConsent(app, "dev", account(), REDIRECT, ALL, new, lifetime)
    allowed = decided(pairs, known, ALLOW, book)
    kept = tuple(dict.fromkeys((*(before.scope if before else ()), *ALL)))
    assert isinstance(allowed, Answer)
    assert allowed.scope == ALL
    held = (
        () if before is None else (Hold(1, "app"),)
    )  # what is merged must not have been taken back meanwhile
    assert allowed.changes == (*held, Save(Consent(1, "app", kept, NOW)))


def test_an_app_that_sends_people_elsewhere_by_now_starts_anew() -> None:
    """H8: nothing that was said before counts, nor is it remembered beside what is said now."""
    app = client(owner_id=NOBODY, profile="oauth21", registered=Registration(moved_at=NOW - 1))
    known = facts(app, before=consent("basic", "likes", resource=("https://a.test/",)))
    asks = decided(request(**PKCE), known)
    assert isinstance(asks, AskConsent) and asks.new == BASIC
    silently = decided(request(prompt="none", **PKCE), known)
    assert isinstance(silently, Refuse) and "error=consent_required" in silently.location
    assert decided(request(**PKCE), known, ALLOW).changes == (Save(Consent(1, "app", BASIC, NOW)),)
    again = facts(app, before=Consent(1, "app", BASIC, NOW))
    assert isinstance(decided(request(**PKCE), again), Answer)


PARTLY = client(profile="oauth20", registered=Registration(optional_scope=("likes", "comments")))
EVERY = ("basic", "likes", "comments")


@pytest.mark.parametrize(
    ("before", "ticked", "new", "granted", "kept"),
    [
        (None, {"likes", "comments"}, EVERY, EVERY, (EVERY, ())),
        (None, {"likes"}, EVERY, ALL, (ALL, ("comments",))),
        (None, set(), EVERY, BASIC, (BASIC, ("likes", "comments"))),
        (None, {"likes", "relationships"}, EVERY, ALL, (ALL, ("comments",))),  # H5: never more than was asked
        (consent("basic", "likes"), set(), ("comments",), ALL, (ALL, ("comments",))),
        (
            consent("basic", refused=("likes",)),
            {"likes"},
            ("comments",),
            BASIC,
            (BASIC, ("likes", "comments")),
        ),
        (consent("basic", refused=("likes", "comments")), set(), None, BASIC, None),
        (consent("basic", "likes", refused=("comments",)), set(), None, ALL, None),
        (
            consent(refused=EVERY),
            {"likes"},
            BASIC,
            BASIC,
            (BASIC, ("likes", "comments")),
        ),  # basic is needed now
    ],
)
def test_a_person_leaves_out_what_is_optional(
    before: Consent | None,
    ticked: set[str],
    new: tuple[str, ...] | None,
    granted: tuple[str, ...],
    kept: tuple[tuple[str, ...], tuple[str, ...]] | None,
) -> None:
    pairs, known = request(scope="basic likes comments"), facts(PARTLY, before=before)
    asked = decided(pairs, known)
    if new is None:
        assert isinstance(asked, Answer) and asked.scope == granted and asked.changes == (Hold(1, "app"),)
        return
    assert isinstance(asked, AskConsent) and asked.new == new
    left_out = tuple(name for name in ("likes", "comments") if before and name in before.refused)
    assert asked.choice == Choice(("likes", "comments"), left_out)
    answer = decided(pairs, known, Said(True, frozenset(ticked)))
    assert isinstance(answer, Answer) and answer.scope == granted and kept is not None
    assert answer.changes[-1] == Save(Consent(1, "app", kept[0], NOW, kept[1]))


@pytest.mark.parametrize(
    ("uri", "again"), [("http://127.0.0.1:9/cb", True), ("http://localhost/cb", True), (REDIRECT, False)]
)
def test_a_program_that_nobody_vouches_for_is_asked_about_each_time(uri: str, again: bool) -> None:
    """RFC 8252 8.6: it could be any."""
    app = client(profile="oauth21", owner_id=NOBODY, redirect_uris=(REDIRECT, uri))
    decision = decided(request(redirect_uri=uri, **PKCE), facts(app, before=consent("basic")))
    assert isinstance(decision, AskConsent if again else Answer)


def test_who_allows_nothing_says_no() -> None:
    pairs = request(scope="likes comments", state="s")
    for known in (facts(PARTLY), facts(PARTLY, before=consent("basic", refused=("likes", "comments")))):
        asked = decided(pairs, known)
        assert isinstance(asked, AskConsent) and asked.new == ("likes", "comments")
        refused = decided(pairs, known, ALLOW)
        assert isinstance(refused, Refuse) and refused.reason == "nothing_allowed"
        assert "error=access_denied" in refused.location and refused.changes == ()


def test_an_app_asks_for_no_more_than_it_registered() -> None:
    app = client(profile="oauth20", registered=Registration(scope=ALL))
    assert isinstance(decided(request(scope="likes"), facts(app)), AskConsent)
    beyond = decided(request(scope="likes comments"), facts(app))
    assert isinstance(beyond, Refuse) and beyond.reason == "scope_unregistered"


# --- yes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("app", "more", "expected"),
    [
        (client(), {}, {"lifetime": 600}),
        (client(), {"scope": "likes", "state": "a b"}, {"lifetime": 600, "scope": ALL, "state": "a%20b"}),
        (client(), PKCE, {"lifetime": 600, "challenge": CHALLENGE}),
        (client(), {"redirect_uri": REDIRECT + "?a=b"}, {"lifetime": 600, "redirect_uri": REDIRECT + "?a=b"}),
        (IMPLICIT, {"response_type": "token"}, {"lifetime": 3600, "response_type": "token"}),
        (public(), {}, {"lifetime": 600}),
        (client(), {"unknown": "x", "nonce": "n", "prompt": "none"}, {"lifetime": 600}),
        (client(profile="oauth20"), {}, {"lifetime": 60, "profile": OAUTH20, "scope": BASIC}),
        (client(profile="oauth20"), PKCE, {"lifetime": 60, "profile": OAUTH20, "scope": BASIC, "challenge": CHALLENGE}),
        (public(profile="oauth20"), PKCE, {"lifetime": 60, "profile": OAUTH20, "scope": BASIC, "challenge": CHALLENGE}),
        (client(profile="oauth21"), PKCE, {"lifetime": 60, "profile": OAUTH21, "scope": BASIC, "challenge": CHALLENGE}),
    ],
)  # fmt: skip
def test_what_an_answer_carries(app: Client, more: dict[str, str], expected: dict[str, Any]) -> None:
    fields = {
        "client": app,
        "account": account(),
        "profile": CLASSIC,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "state": "",
        "scope": ("basic",),
        "challenge": None,
        **expected,
    }
    saves = (Save(Consent(1, "app", fields["scope"], NOW)),)
    assert decided(request(**more), facts(app), ALLOW) == Answer(**fields, changes=saves)


def test_how_long_an_implicit_token_lives_is_a_setting() -> None:
    book = other_rules(BOOK, implicit_lifetime=60)
    asked = decided(request(response_type="token"), facts(IMPLICIT), None, book)
    assert isinstance(asked, AskConsent) and asked.lifetime == 60
    given_ = decided(request(response_type="token"), facts(IMPLICIT), ALLOW, book)
    assert isinstance(given_, Answer) and given_.lifetime == 60


@pytest.mark.parametrize(("name", "lifetime"), [("classic", None), ("oauth20", 3600), ("oauth21", 3600)])
def test_the_person_is_told_how_long_the_access_lasts(name: str, lifetime: int | None) -> None:
    app = client(profile=name, registered=Registration(grant_types=("authorization_code",)))
    asked = decided(request(**PKCE), facts(app))
    assert isinstance(asked, AskConsent) and asked.lifetime == lifetime
    asked = decided(request(**PKCE), facts(client(profile=name)))  # which can be renewed
    assert isinstance(asked, AskConsent) and asked.lifetime is None


# --- no ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["code", "token"])  # D5: in both flows
@pytest.mark.parametrize(
    ("more", "location"),
    [
        ({}, f"{REDIRECT}?{DENIED}"),
        ({"state": "S"}, f"{REDIRECT}?{DENIED}&state=S"),
        ({"state": "a b&c"}, f"{REDIRECT}?{DENIED}&state=a%20b%26c"),
        ({"redirect_uri": REDIRECT + "?a=b"}, f"{REDIRECT}?a=b&{DENIED}"),
        ({"redirect_uri": REDIRECT + "?a=b", "state": "S"}, f"{REDIRECT}?a=b&{DENIED}&state=S"),
    ],
)
@pytest.mark.parametrize("before", [None, consent("basic")])
def test_where_a_denial_goes(kind: str, more: dict[str, str], location: str, before: Consent | None) -> None:
    decision = decided(request(response_type=kind, **more), facts(IMPLICIT, before=before), DENY)
    assert decision == Refuse(location, "user_denied", IMPLICIT, ())


def test_a_denial_under_todays_profiles() -> None:
    app = client(profile="oauth21")
    decision = decided(request(state="S", **PKCE), facts(app), DENY)
    words = "error=access_denied&error_description=The+user+denied+your+request"
    assert decision == Refuse(f"{REDIRECT}?{words}&state=S&{ISS}", "user_denied", app, ())


# --- today's profiles -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [OAUTH20, OAUTH21])
@pytest.mark.parametrize(
    ("pairs", "fields", "error", "words", "reason"),
    [
        ({"response_type": ""}, {}, "invalid_request", "response_type is missing", "response_type_missing"),
        (
            {"response_type": "token"},
            {"allow_implicit": True},
            "unsupported_response_type",
            "this response_type is not supported",
            "response_type_unknown",
        ),
        ({"scope": "nope"}, {}, "invalid_scope", "unknown scope: nope", "scope_unknown"),
        (
            {"code_challenge_method": "plain"},
            {},
            "invalid_request",
            "code_challenge_method must be S256",
            "challenge_method",
        ),
        (
            {},
            {"sandbox": True},
            "access_denied",
            "this app is in development and you are not one of its testers",
            "not_a_tester",
        ),
    ],
)
def test_todays_profiles_tell_the_client_what_is_wrong(
    profile: Profile, pairs: dict[str, str], fields: dict[str, Any], error: str, words: str, reason: str
) -> None:
    app = client(profile=profile.name, **fields)
    location = f"{REDIRECT}?error={error}&error_description={quote_plus(words)}"
    for state, tail in (("", ""), ("a b", "&state=a%20b")):
        decision = decided(request(state=state, **{**PKCE, **pairs}), facts(app))
        assert decision == Refuse(f"{location}{tail}&{ISS}", reason, app, ())


@pytest.mark.parametrize(
    ("app", "needed"),
    [
        (client(profile="classic"), False),
        (public(profile="classic"), False),
        (client(profile="oauth20"), False),
        (public(profile="oauth20"), True),
        (public(profile="oauth20", type="native"), True),
        (client(profile="oauth21"), True),
        (public(profile="oauth21"), True),
    ],
)
def test_who_must_use_pkce(app: Client, needed: bool) -> None:
    decision = decided(request(), facts(app))
    assert isinstance(decision, Refuse if needed else AskConsent)
    if isinstance(decision, Refuse):
        assert decision.reason == "challenge_missing"
    assert isinstance(decided(request(**PKCE), facts(app)), AskConsent)


def test_pkce_binds_codes_only() -> None:
    rules = other_rules(OAUTH20, response_types=frozenset({"code", "token"}))
    book = other_rules(BOOK, profiles={"oauth20": rules})
    app = public(profile="oauth20", allow_implicit=True)
    assert isinstance(decided(request(response_type="token"), facts(app), None, book), AskConsent)
    assert isinstance(decided(request(response_type="code"), facts(app), None, book), Refuse)


# --- state (D7) -------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)


def locations(sent: Params) -> list[str]:
    """Where a denial and an answer go."""
    refuse = decide(sent, facts(client()), DENY, BOOK, NOW)
    answer = decide(sent, facts(client()), ALLOW, BOOK, NOW)
    assert isinstance(refuse, Refuse) and isinstance(answer, Answer)
    return [refuse.location, f"{REDIRECT}?state={answer.state}"]


@given(TEXT, st.sampled_from([quote, quote_plus, lambda text: quote(text, safe="")]))
def test_state_is_carried_byte_for_byte(text: str, encode: Callable[[str], str]) -> None:
    sent = encode(text)
    start = f"client_id=app&redirect_uri={quote(REDIRECT, safe='')}&response_type=code&state="
    for location in locations(parse((start + sent).encode())):
        assert location.endswith(f"state={sent}")
        assert unquote_plus(location.rpartition("state=")[2]) == text
        assert parse_qs(urlsplit(location).query)["state"] == [text]


@given(TEXT)
def test_state_of_any_making_stays_in_its_place(text: str) -> None:
    """Sent as a form's value, without any encoding to keep: it adds no parameter, no fragment and no header."""
    for location in locations(params(**request(state=text))):
        assert location.isascii() and location.isprintable() and " " not in location
        assert "#" not in location
        assert parse_qs(urlsplit(location).query)["state"] == [text]


# --- bound to a key (RFC 9449 10) ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "jkt", "terms"),
    [
        ("oauth21", "", TERMS),
        ("oauth21", "x" * 43, Terms(jkt="x" * 43)),
        ("classic", "x" * 43, TERMS),
        ("classic", "x", TERMS),
    ],
)
def test_the_key_that_a_request_names(profile: str, jkt: str, terms: Terms) -> None:
    answer = decided(request(dpop_jkt=jkt, **PKCE), facts(client(profile=profile)), ALLOW)
    assert isinstance(answer, Answer) and answer.terms == terms


def test_a_key_that_can_be_none() -> None:
    decision = decided(request(dpop_jkt="x", **PKCE), facts(client(profile="oauth21")))
    assert isinstance(decision, Refuse) and decision.reason == "dpop_jkt_malformed"


# --- signed answers (JARM) --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "signs"), [("jwt", REDIRECT), ("query.jwt", REDIRECT), ("query", "")])
def test_whether_the_answer_is_signed_holds_for_yes_and_no(mode: str, signs: str) -> None:
    app = client(profile="oauth20")
    for pairs, said in (({}, ALLOW), ({}, DENY), ({"scope": "nonsense"}, None)):
        decision = decided(request(response_mode=mode, **pairs), facts(app), said)
        assert isinstance(decision, Answer | Refuse) and decision.signs == signs


@pytest.mark.parametrize(("person", "prompt"), [(ACCOUNT, "consent"), (None, "none")])
def test_without_a_key_to_sign_with_nobody_is_asked_and_the_app_is_told_in_the_open(
    person: Account | None, prompt: str
) -> None:
    known = replace(facts(client(profile="oauth20"), person=person), signs=False)
    for mode in ("jwt", "query.jwt"):
        for said in SAID:
            refuse = decided(request(response_mode=mode, prompt=prompt), known, said)
            assert isinstance(refuse, Refuse)
            assert (refuse.reason, refuse.signs) == ("answer_unsigned", "")
            assert "error=invalid_request" in refuse.location
    other = decided(request(response_mode="jwt", response_type="token", prompt=prompt), known)
    assert isinstance(other, Refuse) and (other.reason, other.signs) == ("response_type_unknown", "")
    asks = decided(request(), replace(known, account=ACCOUNT))
    assert isinstance(asks, AskConsent), "who wants no signature is not concerned"


def test_a_mode_that_is_not_known_is_refused_unsigned() -> None:
    refuse = decided(request(response_mode="form_post.jwt"), facts(client(profile="oauth20")))
    assert isinstance(refuse, Refuse) and refuse.reason == "response_mode_unknown" and refuse.signs == ""


# --- for some servers (RFC 8707) -------------------------------------------------------------------------------------


def test_the_servers_that_a_request_names() -> None:
    pairs = [*request(**PKCE).items(), ("resource", "https://a.test/"), ("resource", "https://b.test/")]
    sent = Params(pairs, several=SEVERAL)
    answer = decide(sent, facts(client(profile="oauth21")), ALLOW, BOOK, NOW)
    assert isinstance(answer, Answer)
    assert answer.terms == Terms(resource=("https://a.test/", "https://b.test/"))
    refused = decided(request(resource="nonsense", **PKCE), facts(client(profile="oauth21")))
    assert isinstance(refused, Refuse) and "error=invalid_target" in refused.location
    page = decide(sent, facts(client()), ALLOW, BOOK, NOW)
    assert isinstance(page, ErrorPage) and page.error.reason == "parameter_twice"


A, B = "https://a.test/", "https://b.test/"


def reaching(before: Consent | None, said: Said | None, *named: str, **more: str) -> AuthorizeDecision:
    pairs = [*request(scope="likes", **PKCE, **more).items(), *(("resource", each) for each in named)]
    return decide(
        Params(pairs, several=SEVERAL), facts(client(profile="oauth21"), before=before), said, BOOK, NOW
    )


@pytest.mark.parametrize(
    ("before", "named", "asks"),
    [
        ((), (), False),
        ((), (ISSUER,), False),  # our own API, which the scopes are about
        ((), (A,), True),
        ((A,), (A,), False),
        ((A,), (), False),
        ((B, A), (A, ISSUER, B), False),
        ((A,), (A + "x",), True),
        ((A,), (B, A), True),
    ],
)
def test_a_server_that_the_person_has_not_allowed_is_asked_about(
    before: tuple[str, ...], named: tuple[str, ...], asks: bool
) -> None:
    """C14: the whole scope, for nothing of it was allowed there."""
    known = consent("likes", resource=before)
    decision, silently = reaching(known, None, *named), reaching(known, None, *named, prompt="none")
    if not asks:
        assert isinstance(decision, Answer) and isinstance(silently, Answer)
        return
    elsewhere = tuple(each for each in named if each != ISSUER)
    assert isinstance(decision, AskConsent)
    assert (decision.new, decision.resource) == (("likes",), elsewhere)
    assert isinstance(silently, Refuse) and "error=consent_required" in silently.location
    allowed = reaching(known, ALLOW, *named)
    kept = (*(each for each in before if each not in elsewhere), *elsewhere)
    there = tuple((each, ("likes",)) for each in kept)
    assert allowed.changes == (Hold(1, "app"), Save(Consent(1, "app", ("likes",), NOW, (), there)))
    assert isinstance(allowed, Answer) and allowed.terms.resource == named


def test_what_was_allowed_at_one_server_was_not_allowed_at_another() -> None:
    """C14, H8: neither what was allowed at the other, nor at our own API; all of it is asked about there."""
    known = Consent(1, "app", ("basic", "likes"), NOW - 9, (), ((A, ("basic",)), (B, ("basic", "likes"))))
    assert isinstance(reaching(known, None, B), Answer)
    assert isinstance(reaching(known, None), Answer)
    for named in ((A,), (A, B)):
        asks = reaching(known, None, *named)
        assert isinstance(asks, AskConsent) and asks.new == ("likes",)
        assert isinstance(reaching(known, None, *named, prompt="none"), Refuse)


# --- silently, logged in anew, asked again (RFC 9470 4; A20) ---------------------------------------------------------

TODAY_APP = client(profile="oauth21")
REACHES = other_rules(BOOK, acr=("password",))
LATELY = replace(SESSION, created_at=NOW - 10)


def prompted(known: AuthorizeFacts | None = None, said: Said | None = None, **more: str) -> AuthorizeDecision:
    known = known or facts(TODAY_APP, LATELY, before=consent("basic"))
    return decided(request(**PKCE, **more), known, said, REACHES)


@pytest.mark.parametrize(
    ("known", "error"),
    [
        (facts(TODAY_APP, None, None), "login_required"),
        (facts(TODAY_APP, session(expires_at=NOW)), "login_required"),
        (facts(TODAY_APP), "consent_required"),
        (facts(TODAY_APP, before=consent("likes")), "consent_required"),
        (facts(public(profile="oauth21"), before=consent("basic")), "consent_required"),
        (facts(client(profile="oauth21", sandbox=True)), "access_denied"),
    ],
)
def test_silently_nobody_is_asked(known: AuthorizeFacts, error: str) -> None:
    """A20: only what was allowed before is given, and errors go to the trusted redirect_uri."""
    decision = prompted(known, prompt="none", state="S")
    assert isinstance(decision, Refuse)
    assert decision.location.startswith(f"{REDIRECT}?error={error}&") and "state=S" in decision.location
    wrong = prompted(known, prompt="none", redirect_uri="https://evil.test/")
    assert isinstance(wrong, ErrorPage)


def test_silently_what_was_allowed_is_given() -> None:
    assert isinstance(prompted(prompt="none"), Answer)


def test_silently_an_error_is_told_though_nobody_is_there() -> None:
    for prompt in ("none", "none login"):
        decision = prompted(facts(TODAY_APP, None, None), prompt=prompt, scope="nope")
        assert isinstance(decision, Refuse)


@pytest.mark.parametrize(
    ("more", "asked", "due"),
    [
        ({"prompt": "login"}, 0, True),
        ({"prompt": "login"}, NOW - 10, False),
        ({"prompt": "login"}, NOW - 9, True),
        ({"prompt": "login", "asked_at": str(NOW - 10)}, 0, True),
        ({"max_age": "9"}, 0, True),
        ({"max_age": "10"}, 0, False),
        ({"max_age": "0"}, NOW - 11, False),
        ({"acr_values": "password"}, 0, False),
    ],
)
def test_a_login_that_is_too_old(more: dict[str, str], asked: int, due: bool) -> None:
    decision = prompted(replace(facts(TODAY_APP, LATELY, before=consent("basic")), asked_at=asked), **more)
    if due:
        assert decision == AskLogin(TODAY_APP, REDIRECT, asked_at=NOW)
        silently = prompted(**{**more, "prompt": "none"})
        assert isinstance(silently, Refuse if "max_age" in more else Answer)
    else:
        assert isinstance(decision, Answer)
        assert decision.terms.auth_time == NOW - 10
    assert isinstance(prompted(said=ALLOW, **more), Answer), "who answers was there when they were asked"
    nobody = prompted(facts(TODAY_APP, None, None), **more)
    assert nobody == AskLogin(TODAY_APP, REDIRECT, asked_at=0 if "acr_values" in more else NOW)


def test_when_and_how_is_told_to_who_asked() -> None:
    plain = prompted()
    assert isinstance(plain, Answer) and plain.terms == TERMS
    dated = prompted(acr_values="gold password", dpop_jkt="x" * 43)
    assert isinstance(dated, Answer)
    assert dated.terms == Terms(jkt="x" * 43, auth_time=NOW - 10, acr="password")


def test_a_level_that_nobody_reaches() -> None:
    decision = prompted(acr_values="gold")
    assert isinstance(decision, Refuse)
    assert "error=unmet_authentication_requirements" in decision.location


@pytest.mark.parametrize("prompt", ["consent", "select_account", "consent unknown"])
def test_asked_again(prompt: str) -> None:
    decision = prompted(prompt=prompt)
    assert isinstance(decision, AskConsent) and decision.new == ("basic",)
    assert isinstance(prompted(said=ALLOW, prompt=prompt), Answer)


def test_classic_hears_none_of_it() -> None:
    known = facts(client(), before=consent("basic"))
    for more in ({"prompt": "none login"}, {"prompt": "login"}, {"max_age": "x"}, {"acr_values": "gold"}):
        decision = decided(request(**more), known)
        assert isinstance(decision, Answer) and decision.terms == TERMS


# --- beyond a scope (RFC 9396) ---------------------------------------------------------------------------------------

RICH = other_rules(BOOK, details={"payment": DetailType("payment")})


def test_details_are_asked_about_each_time() -> None:
    known = facts(TODAY_APP, before=consent("basic"))
    pairs = request(authorization_details='[ {"type":"payment"} ]', **PKCE)
    asks = decided(pairs, known, None, RICH)
    assert isinstance(asks, AskConsent)
    assert (asks.details, asks.new) == ('[{"type":"payment"}]', ("basic",))
    answer = decided(pairs, known, ALLOW, RICH)
    assert isinstance(answer, Answer) and answer.terms == Terms(details='[{"type":"payment"}]')
    silently = decided({**pairs, "prompt": "none"}, known, None, RICH)
    assert isinstance(silently, Refuse) and "error=consent_required" in silently.location
    refused = decided(pairs, known)
    assert isinstance(refused, Refuse) and "error=invalid_authorization_details" in refused.location
