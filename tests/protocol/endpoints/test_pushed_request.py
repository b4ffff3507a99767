"""Pushed requests: who pushes, and that all is settled which needs no person (RFC 9126 2; A17, A18)."""

from dataclasses import replace as other_rules
from typing import Any

import pytest
from msgspec.structs import replace

from tests.proofs import Prover
from tests.protocol.samples import (
    ALLOW,
    BOOK,
    CHALLENGE,
    DENY,
    ISSUER,
    NOW,
    REDIRECT,
    SECRET,
    client,
    digest,
    headers,
    params,
    public,
    query,
    session,
    told,
)
from tests.protocol.samples import account as person
from tests.signing import Signer
from valetkey.protocol.changes import Changes, Hold, Once, Save, Spend
from valetkey.protocol.client_auth import METHODS
from valetkey.protocol.decision import Answer, AskConsent, AskLogin, ErrorPage, Pushed, Refuse, Refused
from valetkey.protocol.endpoints import authorize
from valetkey.protocol.endpoints.pushed_request import decide, read
from valetkey.protocol.errors import InvalidClient, InvalidRequest, InvalidRequestObject
from valetkey.protocol.facts import AuthorizeFacts, ExchangeFacts, Known
from valetkey.protocol.model import Client, Consent, PushedRequest, Registration, Terms
from valetkey.protocol.params import Params, parse
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.consent import Said
from valetkey.protocol.rules.credentials import ClientAuth
from valetkey.protocol.rules.pushed_request import LIFETIME, URN

NOTHING = Params([])
BODY = {
    "client_id": "app",
    "client_secret": SECRET,
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": "S",
}
APP = client(profile="oauth21")
TWO = client(profile="oauth21", redirect_uris=(REDIRECT, "https://b.test/"))
LENIENT = client(profile="oauth20")
URI = URN + "x"


def pushed(body: dict[str, str], app: Client | None = APP) -> Pushed | Refused:
    return decide(read(params(**body), NOTHING, headers(), OAUTH21), ExchangeFacts(app), BOOK, NOW)


def test_what_is_in_order_is_kept() -> None:
    done = pushed(BODY)
    assert isinstance(done, Pushed)
    assert (done.client, done.lifetime, done.changes) == (APP, LIFETIME, ())
    assert SECRET.encode() not in done.query and done.query.startswith(b"client_id=app&redirect_uri=https%3A")


def test_a_public_client_may_push() -> None:
    body = {name: value for name, value in BODY.items() if name != "client_secret"}
    assert isinstance(pushed(body, public(profile="oauth21")), Pushed)
    del body["code_challenge"], body["code_challenge_method"]
    assert isinstance(pushed(BODY | {"code_challenge": "", "code_challenge_method": ""}, LENIENT), Pushed)
    refused = pushed(body, public(profile="oauth20"))
    assert isinstance(refused, Refused) and refused.error.reason == "challenge_missing"


@pytest.mark.parametrize(
    ("change", "app", "code"),
    [
        ({}, None, "invalid_client"),
        ({}, client(), "invalid_client"),  # classic lives elsewhere
        ({"client_secret": "wrong"}, APP, "invalid_client"),
        ({"client_secret": ""}, APP, "invalid_client"),
        ({"redirect_uri": ""}, TWO, "invalid_request"),
        ({"redirect_uri": "https://evil.test/"}, APP, "invalid_request"),
        ({"response_type": ""}, APP, "invalid_request"),
        ({"response_type": "token"}, APP, "unsupported_response_type"),
        ({"response_type": "code id_token"}, APP, "unsupported_response_type"),
        ({"scope": "nope"}, APP, "invalid_scope"),
        ({"code_challenge": "", "code_challenge_method": ""}, APP, "invalid_request"),
        ({"code_challenge_method": "plain"}, APP, "invalid_request"),
    ],
)
def test_what_is_not_in_order_is_said_at_once(change: dict[str, str], app: Client | None, code: str) -> None:
    done = pushed({**BODY, **change}, app)
    assert isinstance(done, Refused) and done.profile == OAUTH21
    status, body = told(done.error, done.profile)
    assert (status, body["error"]) == (401 if code == "invalid_client" else 400, code)


def test_a_request_uri_cannot_be_pushed() -> None:
    with pytest.raises(InvalidRequest, match="request_uri cannot be pushed"):
        read(params(**BODY, request_uri=URI), NOTHING, headers(), OAUTH21)


def test_nothing_stands_in_the_query_string() -> None:
    with pytest.raises(InvalidRequest, match="not into the query string"):
        read(params(**BODY), query(a="b"), headers(), OAUTH21)


def test_who_says_nothing_of_itself_is_refused() -> None:
    with pytest.raises(InvalidClient):
        read(params(state="S"), NOTHING, headers(), OAUTH21)


@pytest.mark.parametrize("change", [{}, {"scope": "nope"}])
def test_an_assertion_is_used_up_also_when_the_request_is_refused(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str]
) -> None:
    once: Changes = (Once(b"jti", NOW + 60),)
    method = ClientAuth("client_secret_post", lambda *_: once)
    monkeypatch.setitem(METHODS, "client_secret_post", method)
    assert pushed({**BODY, **change}).changes == once


# --- and then at the authorization endpoint ---------------------------------------------------------------------------


def kept(**change: str) -> PushedRequest:
    done = pushed({**BODY, **change})
    assert isinstance(done, Pushed)
    return PushedRequest(digest(URI), "app", done.query, NOW + done.lifetime)


def asked(
    said: Said | None = None, before: Consent | None = None, logged_in: bool = True, **more: Any
) -> authorize.AuthorizeDecision:
    who = (session(NOW + 10_000), person()) if logged_in else (None, None)
    facts = AuthorizeFacts(APP, "dev", *who, before, more.pop("found", kept()))
    sent = query(client_id="app", request_uri=URI, **more)
    return authorize.decide(sent, facts, said, BOOK, NOW)


SPENDS = Spend(PushedRequest, digest(URI), NOW)


def test_it_is_used_up_when_it_is_answered_and_not_before() -> None:
    assert asked(logged_in=False) == AskLogin(APP, REDIRECT)
    question = asked()
    assert isinstance(question, AskConsent) and question.changes == ()
    yes = asked(ALLOW)
    assert isinstance(yes, Answer)
    assert yes.changes == (Save(Consent(1, "app", ("basic",), NOW)), SPENDS)
    assert (yes.state, yes.challenge, yes.redirect_uri) == ("S", CHALLENGE, REDIRECT)
    again = asked(before=Consent(1, "app", ("basic",), NOW))
    assert isinstance(again, Answer) and again.changes == (Hold(1, "app"), SPENDS)
    no = asked(DENY)
    assert isinstance(no, Refuse) and no.changes == (SPENDS,) and "state=S" in no.location


def test_the_question_is_put_in_time_and_the_answer_may_take_its_own() -> None:
    assert isinstance(asked(found=replace(kept(), expires_at=NOW + 1)), AskConsent)
    late = replace(kept(), expires_at=NOW)
    page = asked(found=late)
    assert isinstance(page, ErrorPage) and page.error.reason == "request_uri_expired"
    assert isinstance(asked(ALLOW, found=late), Answer) and isinstance(asked(DENY, found=late), Refuse)


def test_what_stands_beside_it_is_passed_over() -> None:
    beside = {
        "state": "other",
        "scope": "likes",
        "redirect_uri": "https://evil.test/",
        "response_type": "token",
    }
    assert asked(ALLOW, **beside) == asked(ALLOW)


def test_an_error_that_shows_later_is_told_and_uses_it_up() -> None:
    """The catalogue lost a scope between the two requests."""
    found = kept(scope="likes")
    facts = AuthorizeFacts(APP, "dev", session(), person(), None, found)
    book = other_rules(BOOK, catalogue={"basic": BOOK.catalogue["basic"]})
    no = authorize.decide(query(client_id="app", request_uri=URI), facts, None, book, NOW)
    assert isinstance(no, Refuse) and "error=invalid_scope" in no.location and no.changes == (SPENDS,)


@pytest.mark.parametrize("said", [None, ALLOW, DENY])
def test_one_that_is_none_leads_nowhere(said: Said | None) -> None:
    for found in (None, PushedRequest(digest(URI), "other", kept().query, NOW + 60)):
        page = asked(said, found=found, redirect_uri=REDIRECT, response_type="code")
        assert isinstance(page, ErrorPage) and page.error.code == "invalid_request_uri"
        assert (page.profile, page.client, page.changes) == (OAUTH21, APP, ())


def test_nobody_is_sent_to_an_apps_site_by_a_link_alone() -> None:
    """RFC 9700 4.11.2: an error is told once somebody is there."""
    facts = AuthorizeFacts(APP, "dev", None, None, None, kept(scope="likes"))
    book = other_rules(BOOK, catalogue={"basic": BOOK.catalogue["basic"]})
    asked = authorize.decide(query(client_id="app", request_uri=URI), facts, None, book, NOW)
    assert asked == AskLogin(APP, REDIRECT)


# --- bound to a key (RFC 9449 10) ------------------------------------------------------------------------------------

KEY = Prover()
PAR = f"{ISSUER}/oauth/par"


def with_proof(body: dict[str, str], proof: str) -> Pushed | Refused:
    return decide(read(params(**body), NOTHING, headers(dpop=proof), OAUTH21), ExchangeFacts(APP), BOOK, NOW)


def test_a_proof_beside_the_request_binds_the_code() -> None:
    for more in ({}, {"dpop_jkt": KEY.jkt}):
        done = with_proof({**BODY, **more}, KEY.proof(PAR, NOW))
        assert isinstance(done, Pushed) and parse(done.query).get("dpop_jkt") == KEY.jkt
        assert [type(each) for each in done.changes] == [Once]


@pytest.mark.parametrize(
    ("more", "proof", "code", "written"),
    [
        ({"dpop_jkt": "x" * 43}, KEY.proof(PAR, NOW), "invalid_dpop_proof", 1),
        ({"scope": "nope"}, KEY.proof(PAR, NOW), "invalid_scope", 1),
        ({}, KEY.proof(f"{ISSUER}/oauth/token", NOW), "invalid_dpop_proof", 0),
        ({}, "x", "invalid_dpop_proof", 0),
        ({"client_secret": "x"}, KEY.proof(PAR, NOW), "invalid_client", 0),
    ],
)
def test_proofs_that_do_not_fit(more: dict[str, str], proof: str, code: str, written: int) -> None:
    """A proof that holds is used up, whatever else is wrong."""
    done = with_proof({**BODY, **more}, proof)
    assert isinstance(done, Refused) and done.error.code == code and len(done.changes) == written


def test_dpop_jkt_alone_binds_it_too() -> None:
    answer = asked(ALLOW, found=kept(dpop_jkt=KEY.jkt))
    assert isinstance(answer, Answer) and answer.terms == Terms(jkt=KEY.jkt)
    refused = pushed({**BODY, "dpop_jkt": "short"})
    assert isinstance(refused, Refused) and refused.error.code == "invalid_request"


# --- signed (RFC 9126 3, RFC 9101) -----------------------------------------------------------------------------------

SIGNER = Signer("ES256")
SIGNS = client(
    profile="oauth21", registered=Registration(jwks=SIGNER.jwks, require_signed_request_object=True)
)
WITHIN = {name: value for name, value in BODY.items() if name != "client_secret"} | {
    "iss": "app",
    "aud": ISSUER,
}
SHOWN = {"client_id": "app", "client_secret": SECRET}
BESIDE = {"state": "other", "redirect_uri": "https://evil.test/", "response_type": "token"}


def push_signed(body: dict[str, str]) -> Pushed | Refused:
    known = ExchangeFacts(SIGNS, known=Known(SIGNER.jwks))
    return decide(read(params(**body), NOTHING, headers(), OAUTH21), known, BOOK, NOW)


def test_what_was_signed_counts_and_nothing_beside_it() -> None:
    done = push_signed({**SHOWN, **BESIDE, "request": SIGNER.jwt(WITHIN)})
    assert isinstance(done, Pushed)
    kept_ = parse(done.query)
    assert (kept_.get("state"), kept_.get("redirect_uri"), kept_.get("request")) == ("S", REDIRECT, None)
    found = PushedRequest(digest(URI), "app", done.query, NOW + 60)
    facts = AuthorizeFacts(SIGNS, "dev", session(), person(), None, found)
    answer = authorize.decide(query(client_id="app", request_uri=URI, **BESIDE), facts, ALLOW, BOOK, NOW)
    assert isinstance(answer, Answer) and (answer.state, answer.redirect_uri) == ("S", REDIRECT)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (BODY, "invalid_request"),
        ({**SHOWN, "request": Signer("ES256").jwt(WITHIN)}, "invalid_request_object"),
        ({**SHOWN, "request": SIGNER.jwt(WITHIN | {"aud": "https://other.test"})}, "invalid_request_object"),
        ({**SHOWN, "request": SIGNER.jwt(WITHIN | {"exp": NOW - 9999})}, "invalid_request_object"),
        ({**SHOWN, "request": SIGNER.jwt(WITHIN | {"request_uri": URI})}, "invalid_request_object"),
        ({**SHOWN, "request": SIGNER.jwt(WITHIN | {"redirect_uri": 5})}, "invalid_request"),
        ({**SHOWN, "request": SIGNER.jwt(WITHIN | {"scope": "nope"})}, "invalid_scope"),
    ],
)
def test_what_was_not_signed_as_it_must_be(body: dict[str, str], code: str) -> None:
    done = push_signed(body)
    assert isinstance(done, Refused) and done.error.code == code


def test_what_cannot_be_read_is_said_before_anything_is_looked_up() -> None:
    with pytest.raises(InvalidRequestObject):
        read(params(**SHOWN, request="x"), NOTHING, headers(), OAUTH21)


def test_signed_requests_come_by_the_browser_too() -> None:
    facts = AuthorizeFacts(SIGNS, "dev", session(), person(), None, None, SIGNER.jwks)
    sent = query(client_id="app", request=SIGNER.jwt(WITHIN), **BESIDE)
    answer = authorize.decide(sent, facts, ALLOW, BOOK, NOW)
    assert isinstance(answer, Answer) and (answer.state, answer.redirect_uri) == ("S", REDIRECT)
    late = query(client_id="app", request=SIGNER.jwt(WITHIN | {"exp": NOW - 9999}))
    for sent, reason in ((query(**BODY), "request_missing"), (late, "request_expired")):
        page = authorize.decide(sent, facts, ALLOW, BOOK, NOW)
        assert isinstance(page, ErrorPage) and page.error.reason == reason


def test_an_app_that_cannot_push_uses_up_nobody_elses() -> None:
    app = client()
    facts = AuthorizeFacts(app, "dev", session(), person(), None, kept())
    sent = query(client_id="app", redirect_uri=REDIRECT, response_type="code", request_uri=URI)
    answer = authorize.decide(sent, facts, ALLOW, BOOK, NOW)
    assert isinstance(answer, Answer) and answer.changes == (Save(Consent(1, "app", ("basic",), NOW)),)


def test_a_client_is_held_against_what_is_known_now(monkeypatch: pytest.MonkeyPatch) -> None:
    told_: list[object] = []

    def check(client: Client, shown: object, known: Known, book: object, now: int) -> Changes:
        told_.extend((known, now))
        return ()

    monkeypatch.setitem(METHODS, "client_secret_post", ClientAuth("client_secret_post", check))
    known = ExchangeFacts(APP, known=Known("keys"))
    decide(read(params(**BODY), NOTHING, headers(), OAUTH21), known, BOOK, NOW)
    assert told_ == [Known("keys"), NOW]


def test_without_a_key_to_sign_with_no_signed_answer_is_pushed_for() -> None:
    """JARM: before the person is asked, which is long before there is anything to sign."""
    request = read(params(**BODY, response_mode="jwt"), NOTHING, headers(), OAUTH21)
    for signs in (True, False):
        done = decide(request, ExchangeFacts(APP, signs=signs), BOOK, NOW)
        assert isinstance(done, Pushed if signs else Refused)
        assert signs or (isinstance(done, Refused) and done.error.reason == "answer_unsigned")
