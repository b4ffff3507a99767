"""The token endpoint: who asks, with which grant, and what is said when they may not (classic.md 3; C11, D1-D3, R9)."""

import base64
import hashlib
from dataclasses import replace as other_rules

import pytest
from msgspec.structs import replace

from tests.proofs import Prover
from tests.protocol.samples import (
    BOOK,
    CHALLENGE,
    CODE,
    ISSUER,
    NOW,
    REDIRECT,
    REFRESH,
    SECRET,
    VERIFIER,
    account,
    authorization,
    client,
    code,
    flat,
    headers,
    params,
    public,
    query,
    refresh,
    secret,
    told,
    under,
)
from valetkey.protocol.changes import Once, Revoke, Spend
from valetkey.protocol.client_auth import METHODS
from valetkey.protocol.decision import Granted, Refused, Renewal, Repeated
from valetkey.protocol.detail_type import DetailType
from valetkey.protocol.endpoints.token import decide, read
from valetkey.protocol.errors import InvalidClient, InvalidRequest, OAuthError
from valetkey.protocol.facts import ExchangeFacts, Known
from valetkey.protocol.grants import GRANTS
from valetkey.protocol.model import TERMS, AuthorizationCode, Client, Registration, SealedSuccessor, Terms
from valetkey.protocol.params import SEVERAL, Params, parse
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.credentials import REQUEST_NAMES, ClientAuth, Credentials
from valetkey.protocol.rules.grant import Grant
from valetkey.protocol.rules.headers import NO_HEADERS

NOTHING = Params([])
BODY = {
    "client_id": "app",
    "client_secret": SECRET,
    "grant_type": "authorization_code",
    "redirect_uri": REDIRECT,
    "code": CODE,
}
FACTS = ExchangeFacts(client(), code(), account())
BASIC = "Basic " + base64.b64encode(f"app:{SECRET}".encode()).decode()
MISSING = "You must provide a {}"


def answer(
    body: dict[str, str],
    facts: ExchangeFacts = FACTS,
    header: str | None = None,
    profile: Profile = CLASSIC,
    sent: Params = NOTHING,
) -> Granted | tuple[int, dict[str, object]]:
    """What a request comes to: granted, or status and body of the refusal."""
    try:
        request = read(params(**body), sent, headers(header), profile)
    except OAuthError as error:
        return told(error, profile)
    decision = decide(request, facts, under(profile), NOW)
    return decision if isinstance(decision, Granted) else told(decision.error, profile)


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in BODY.items() if name not in names}


GRANTED = Granted(authorization(), account(), CLASSIC, None, (Spend(AuthorizationCode, code().digest, NOW),))


def test_the_documents_request() -> None:
    """curl -F client_id -F client_secret -F grant_type=authorization_code -F redirect_uri -F code"""
    request = read(params(**BODY), NOTHING, NO_HEADERS, CLASSIC)
    assert request.shown == Credentials("app", SECRET, "client_secret_post")
    assert request.grant is GRANTS["authorization_code"]
    assert request.digest == hashlib.sha256(CODE.encode()).digest()
    assert decide(request, FACTS, BOOK, NOW) == GRANTED


def test_where_nothing_is_redeemed_nothing_is_looked_up() -> None:
    body = {**BODY, "grant_type": "client_credentials"}
    assert read(params(**body), NOTHING, NO_HEADERS, OAUTH20).digest == b""


@pytest.mark.parametrize("name", BODY)
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_what_must_be_provided(name: str, how: str) -> None:
    body = without(name) if how == "absent" else {**BODY, name: ""}
    assert answer(body) == flat(MISSING.format(name))


@pytest.mark.parametrize("first", range(len(BODY)))
def test_the_first_that_is_missing_is_named(first: int) -> None:
    """The client is known before its redirect_uri and code are asked for, and named first of all."""
    names = list(BODY)
    assert answer(without(*names[first:])) == flat(MISSING.format(names[first]))


@pytest.mark.parametrize(
    ("body", "facts", "message"),
    [
        ({}, ExchangeFacts(), "Invalid Client ID"),
        ({"client_secret": "wrong"}, ExchangeFacts(), "Invalid Client ID"),
        ({"redirect_uri": "", "code": ""}, ExchangeFacts(), "Invalid Client ID"),
        ({}, ExchangeFacts(client(disabled_at=NOW), code(), account()), "Invalid Client ID"),
        ({"client_secret": "wrong"}, FACTS, "Invalid Client Secret"),
        ({"client_secret": SECRET + " "}, FACTS, "Invalid Client Secret"),
        ({"client_secret": "wrong", "redirect_uri": "", "code": ""}, FACTS, "Invalid Client Secret"),
        ({}, ExchangeFacts(client(secrets=()), code(), account()), "Invalid Client Secret"),
        (
            {},
            ExchangeFacts(client(secrets=(secret(SECRET, NOW),)), code(), account()),
            "Invalid Client Secret",
        ),
        ({}, ExchangeFacts(public(), code(), account()), "Invalid Client Secret"),
        ({}, ExchangeFacts(client()), "Matching code was not found or was already used."),
        ({"redirect_uri": "https://b.test/"}, FACTS, "Redirect URI doesn't match original redirect URI"),
        ({"grant_type": "password"}, FACTS, 'Only grant type "authorization_code" is allowed'),
        (
            {"grant_type": "password", "client_secret": "wrong"},
            FACTS,
            'Only grant type "authorization_code" is allowed',
        ),
    ],
)
def test_what_classic_says(body: dict[str, str], facts: ExchangeFacts, message: str) -> None:
    assert answer({**BODY, **body}, facts) == flat(message)


@pytest.mark.parametrize(
    "name",
    [
        "password",  # C11
        "implicit",
        "token",
        "refresh-token",
        "Authorization_Code",
        "authorization_code ",
        "authorization_code,password",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "__class__",
    ],
)
def test_no_other_grant_type_is_known(name: str) -> None:
    assert answer({**BODY, "grant_type": name}) == flat('Only grant type "authorization_code" is allowed')
    today = answer({**BODY, "grant_type": name}, profile=OAUTH20)
    assert today == (
        400,
        {"error": "unsupported_grant_type", "error_description": "this grant_type is not supported"},
    )


def test_a_grant_that_the_profile_does_not_have_is_none_there() -> None:
    for name in ("client_credentials", "refresh_token"):
        said = answer({**BODY, "grant_type": name})
        assert said == flat('Only grant type "authorization_code" is allowed')


# --- header and query -------------------------------------------------------------------------------------------------


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("body", "header", "expected"),
    [
        (BODY, BASIC, GRANTED),  # two known clients send both
        (BODY, basic("app:wrong"), flat("Invalid Client Secret")),
        (BODY, basic(f"other:{SECRET}"), flat("Invalid Client Secret")),
        ({**BODY, "client_secret": "wrong"}, BASIC, flat("Invalid Client Secret")),
        (without("client_id", "client_secret"), BASIC, flat("You must provide a client_secret")),
        (without("client_secret"), BASIC, flat("You must provide a client_secret")),
        (BODY, "Basic !", flat("the Authorization header is not Basic credentials")),
        (BODY, "Bearer abc", GRANTED),
    ],
)
def test_a_basic_header_beside_the_body(
    body: dict[str, str], header: str, expected: Granted | tuple[int, dict[str, object]]
) -> None:
    assert answer(body, header=header) == expected


@pytest.mark.parametrize("name", sorted(REQUEST_NAMES))
@pytest.mark.parametrize("value", ["x", ""])
def test_parameters_are_never_taken_from_the_query(name: str, value: str) -> None:
    refusal = flat("parameters belong into the body, not into the query string")
    assert answer(BODY, sent=query(**{name: value})) == refusal  # D1, R10
    assert answer(without(name), sent=query(**{name: value})) == refusal
    assert answer({}, sent=query(**BODY)) == refusal


def test_which_names_those_are() -> None:
    assert sorted(REQUEST_NAMES) == (
        "client_assertion client_assertion_type client_id client_secret code code_verifier device_code grant_type"
        " redirect_uri refresh_token scope".split()
    )


def test_other_names_may_stand_in_the_query_unless_they_are_in_the_body_too() -> None:
    assert answer(BODY, sent=query(utm="x")) == GRANTED
    assert answer({**BODY, "utm": "x"}) == GRANTED
    refusal = flat("parameters belong into the body, not into the query string")
    assert answer({**BODY, "utm": "x"}, sent=query(utm="x")) == refusal


@pytest.mark.parametrize("name", BODY)
def test_no_parameter_is_there_twice(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(f"unknown=a&{name}=a&{name}=a".encode())
    assert told(caught.value) == flat(f"the parameter {name} is there twice")


# --- today's profiles -------------------------------------------------------------------------------------------------


BOUND = code(challenge=CHALLENGE)
PROVEN = {**BODY, "code_verifier": VERIFIER}
NAMELESS = without("client_id", "client_secret")


@pytest.mark.parametrize("profile", [OAUTH20, OAUTH21])
@pytest.mark.parametrize(
    ("app", "names", "header"),
    [
        (client(), (), None),
        (client(), ("client_id", "client_secret"), BASIC),
        (client(), ("client_secret",), BASIC),
        (public(), ("client_secret",), None),
        (public(type="native"), ("client_secret",), None),
        (public(), ("client_id", "client_secret"), basic("app:")),
    ],
)
def test_every_method_of_today(
    profile: Profile, app: Client, names: tuple[str, ...], header: str | None
) -> None:
    body = {name: value for name, value in PROVEN.items() if name not in names}
    granted = answer(body, ExchangeFacts(app, BOUND, account()), header, profile)
    spends = (Spend(AuthorizationCode, BOUND.digest, NOW),)
    assert granted == Granted(authorization(), account(), profile, 3600, spends, renew=Renewal(2592000))


TWO_METHODS = "the client is authenticated by two methods at once (RFC 6749 2.3)"
MALFORMED = "the Authorization header is not Basic credentials"


@pytest.mark.parametrize(
    ("error", "words", "app", "body", "header"),
    [
        ("invalid_client", "client_id is missing", client(), {}, None),
        ("invalid_client", "the client is unknown", None, BODY, None),
        ("invalid_client", "the client is unknown", client(disabled_at=0), BODY, None),
        ("invalid_client", "the client_secret is wrong", client(), {**BODY, "client_secret": "no"}, None),
        ("invalid_client", "the client_secret is wrong", public(), BODY, None),
        ("invalid_client", "the client_secret is wrong", client(), NAMELESS, basic("app:no")),
        ("invalid_client", "this client must authenticate", client(), NAMELESS, basic("app:")),
        ("invalid_client", "this client must authenticate", client(), without("client_secret"), None),
        (
            "invalid_client",
            "this client must authenticate",
            client(secrets=()),
            without("client_secret"),
            None,
        ),
        ("invalid_client", MALFORMED, client(), BODY, "Basic !"),
        ("invalid_request", TWO_METHODS, client(), BODY, BASIC),
        (
            "invalid_request",
            "client_id differs from the credentials beside it",
            client(),
            {**without("client_secret"), "client_id": "b"},
            BASIC,
        ),
        ("invalid_request", "grant_type is missing", client(), without("grant_type"), None),
        ("invalid_request", "redirect_uri is missing", client(), without("redirect_uri"), None),
        ("invalid_request", "code is missing", client(), without("code"), None),
        ("invalid_grant", "the code is unknown", client(id="b"), BODY, None),
        (
            "invalid_grant",
            "redirect_uri differs from the authorization request",
            client(),
            {**BODY, "redirect_uri": "x"},
            None,
        ),
        ("invalid_grant", "code_verifier is missing", client(), BODY, None),
        (
            "invalid_grant",
            "code_verifier does not belong to the code_challenge",
            client(),
            {**BODY, "code_verifier": "x"},
            None,
        ),
    ],
)
def test_what_oauth20_says(
    error: str, words: str, app: Client | None, body: dict[str, str], header: str | None
) -> None:
    status = 401 if error == "invalid_client" else 400
    said = (status, {"error": error, "error_description": words})
    assert answer(body, ExchangeFacts(app, BOUND, account()), header, OAUTH20) == said


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_a_method_that_the_profile_does_not_have_is_refused(method: str) -> None:
    """Before the secret is looked at: the right one does not help."""
    rules = other_rules(OAUTH20, client_auth=OAUTH20.client_auth - {method})
    bodies = {"client_secret_basic": NAMELESS, "none": without("client_secret")}
    header = BASIC if method == "client_secret_basic" else None
    request = read(params(**bodies.get(method, BODY)), NOTHING, headers(header), rules)
    refused = decide(request, FACTS, under(rules), NOW)
    assert isinstance(refused, Refused) and isinstance(refused.error, InvalidClient)
    assert (refused.error.reason, refused.profile, refused.changes) == ("method_unknown", rules, ())


def test_a_grant_that_the_client_did_not_register_is_refused() -> None:
    app = client(registered=Registration(grant_types=("client_credentials",)))
    said = (
        400,
        {"error": "unauthorized_client", "error_description": "this client may not use this grant_type"},
    )
    assert answer(BODY, ExchangeFacts(app, code(), account()), profile=OAUTH20) == said
    at_its_type = answer({**BODY, "grant_type": "client_credentials"}, FACTS, profile=OAUTH20)
    assert at_its_type == said


@pytest.mark.parametrize(("form", "jwt"), [("", False), ("opaque", False), ("jwt", True)])
def test_the_client_says_which_form_its_tokens_have(form: str, jwt: bool) -> None:
    app = client(registered=Registration(access_token_format=form))
    granted = answer(BODY, ExchangeFacts(app, code(), account()), profile=OAUTH20)
    assert isinstance(granted, Granted) and granted.jwt is jwt


def test_a_client_is_known_only_where_its_profile_lives() -> None:
    """A classic client at /oauth/token, and one of today at /oauth/access_token, are strangers."""
    for app, profile in ((client(profile="oauth20"), CLASSIC), (client(), OAUTH20)):
        request = read(params(**BODY), NOTHING, NO_HEADERS, profile)
        refused = decide(request, ExchangeFacts(app, code(), account()), BOOK, NOW)
        assert isinstance(refused, Refused)
        assert (refused.error.reason, refused.profile) == ("client_unknown", profile)


def test_what_proves_the_client_is_written_with_either_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Once(b"jti", NOW + 60)
    proves = ClientAuth("client_secret_post", lambda *_: (once,))
    monkeypatch.setitem(METHODS, "client_secret_post", proves)
    request = read(params(**BODY), NOTHING, NO_HEADERS, CLASSIC)
    granted = decide(request, FACTS, BOOK, NOW)
    assert granted.changes == (once, Spend(AuthorizationCode, code().digest, NOW))
    replayed = decide(request, ExchangeFacts(client(), code(spent_at=NOW), account()), BOOK, NOW)
    assert replayed.changes == (once, Revoke(77, NOW))


# --- what a refusal writes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "found", "reason", "changes"),
    [
        (BODY, code(spent_at=NOW - 1), "code_spent", (Revoke(77, NOW),)),  # C2, R7
        ({**BODY, "client_secret": "no"}, code(spent_at=NOW - 1), "secret_wrong", ()),
        ({**BODY, "client_secret": "no"}, code(), "secret_wrong", ()),  # does not burn the code
        ({**BODY, "redirect_uri": "no"}, code(spent_at=NOW - 1), "redirect_uri_differs", ()),
        ({**BODY, "code_verifier": VERIFIER}, code(spent_at=NOW - 1), "verifier_unasked", ()),
        (BODY, code(spent_at=NOW, authorization=authorization(client_id="b")), "code_unknown", ()),
        (BODY, code(expires_at=NOW), "code_expired", ()),
    ],
)
def test_only_a_replay_writes_although_it_refuses(
    body: dict[str, str], found: AuthorizationCode, reason: str, changes: tuple[Revoke, ...]
) -> None:
    request = read(params(**body), NOTHING, NO_HEADERS, CLASSIC)
    refused = decide(request, ExchangeFacts(client(), found, account()), BOOK, NOW)
    assert isinstance(refused, Refused)
    assert (refused.error.reason, refused.changes, refused.profile) == (reason, changes, CLASSIC)


def test_a_missing_code_is_looked_up_as_one_that_nobody_has() -> None:
    request = read(params(**without("code")), NOTHING, NO_HEADERS, CLASSIC)
    assert request.digest == hashlib.sha256(b"").digest()


# --- bound to a key (RFC 9449 5) -------------------------------------------------------------------------------------

KEY = Prover()
TODAY = other_rules(OAUTH21, pkce_required=False)


def bound(proof: str | None, root: Terms = TERMS, used: frozenset[bytes] = frozenset()) -> Granted | Refused:
    """What becomes of a code that this proof comes with."""
    held = code(authorization=authorization(terms=root))
    known = ExchangeFacts(client(), held, account(), known=Known(used=used))
    request = read(params(**BODY), NOTHING, headers(dpop=proof), TODAY)
    done = decide(request, known, under(TODAY), NOW)
    assert isinstance(done, Granted | Refused)
    return done


def test_a_proof_binds_the_token_and_is_used_up() -> None:
    for root in (TERMS, Terms(jkt=KEY.jkt)):
        done = bound(KEY.proof("https://id.test/oauth/token", NOW), root)
        assert isinstance(done, Granted) and done.terms == Terms(jkt=KEY.jkt)
        assert [type(each) for each in done.changes] == [Once, Spend]
    plain = bound(None)
    assert isinstance(plain, Granted) and plain.terms == TERMS


@pytest.mark.parametrize(
    ("proof", "root", "error", "written"),
    [
        ("x", TERMS, "invalid_dpop_proof", 0),
        (KEY.proof("https://id.test/oauth/par", NOW), TERMS, "invalid_dpop_proof", 0),
        (KEY.proof("https://id.test/oauth/token", NOW), Terms(jkt="x"), "invalid_grant", 1),
        (None, Terms(jkt=KEY.jkt), "invalid_grant", 0),
    ],
)
def test_a_proof_that_does_not_fit(proof: str | None, root: Terms, error: str, written: int) -> None:
    done = bound(proof, root)
    assert isinstance(done, Refused) and done.error.code == error and len(done.changes) == written
    status, _ = told(done.error, TODAY)
    assert status == 400


def test_a_proof_used_before() -> None:
    proof = KEY.proof("https://id.test/oauth/token", NOW)
    (once, _) = bound(proof).changes
    assert isinstance(once, Once)
    done = bound(proof, used=frozenset({once.key}))
    assert isinstance(done, Refused) and (done.error.code, done.changes) == ("invalid_dpop_proof", ())


def test_classic_reads_no_proof() -> None:
    request = read(params(**BODY), NOTHING, headers(dpop="x"), CLASSIC)
    assert decide(request, FACTS, BOOK, NOW) == GRANTED


# --- for some servers (RFC 8707 2.2) ---------------------------------------------------------------------------------

A, B = "https://a.test/", "https://b.test/"


def meant_for(
    named: tuple[str, ...], allowed: tuple[str, ...], profile: Profile = TODAY
) -> Granted | Refused:
    held = code(authorization=authorization(terms=Terms(resource=allowed)))
    sent = Params([*BODY.items(), *(("resource", each) for each in named)], several=SEVERAL)
    done = decide(
        read(sent, NOTHING, headers(), profile), ExchangeFacts(client(), held, account()), under(profile), NOW
    )
    assert isinstance(done, Granted | Refused)
    return done


@pytest.mark.parametrize(
    ("named", "allowed", "terms"),
    [
        ((), (), TERMS),
        ((), (A, B), TERMS),
        ((A,), (A, B), Terms(resource=(A,))),
        ((A, B), (A, B), TERMS),
        ((ISSUER,), (), Terms(resource=(ISSUER,))),
    ],
)
def test_a_token_for_what_was_allowed(named: tuple[str, ...], allowed: tuple[str, ...], terms: Terms) -> None:
    done = meant_for(named, allowed)
    assert isinstance(done, Granted) and done.terms == terms


def test_a_token_for_more_uses_nothing_up() -> None:
    for allowed in ((A, B), ()):
        done = meant_for((A, "https://c.test/"), allowed)
        assert isinstance(done, Refused) and (done.error.code, done.changes) == ("invalid_target", ())


def test_where_a_server_must_be_named_no_token_is_for_none() -> None:
    must = other_rules(TODAY, resources="must")
    done = meant_for((), (), must)
    assert isinstance(done, Refused) and done.error.reason == "resource_missing"
    for named, allowed in (((A,), (A,)), ((), (A,))):
        assert isinstance(meant_for(named, allowed, must), Granted)


def test_an_exchange_says_itself_whom_its_token_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    exchanged = replace(GRANTED, profile=TODAY, terms=Terms(resource=(B,), client="app"))
    monkeypatch.setitem(
        GRANTS, "authorization_code", Grant("authorization_code", "code", lambda _: exchanged)
    )
    done = meant_for((A,), ())
    assert done == exchanged


def test_a_token_for_a_part_of_the_details() -> None:
    """RFC 9396 6."""
    rich = other_rules(under(TODAY), details={"a": DetailType("a"), "b": DetailType("b")})
    held = code(authorization=authorization(terms=Terms(details='[{"type":"a"},{"type":"b"}]')))
    known = ExchangeFacts(client(), held, account())

    def asking(**more: str) -> Granted | Refused:
        done = decide(read(params(**BODY, **more), NOTHING, headers(), TODAY), known, rich, NOW)
        assert isinstance(done, Granted | Refused)
        return done

    whole = asking()
    assert isinstance(whole, Granted) and whole.terms == TERMS
    part = asking(authorization_details='[{"type":"b"}]')
    assert isinstance(part, Granted) and part.terms == Terms(details='[{"type":"b"}]')
    more = asking(authorization_details='[{"type":"b","actions":["x"]}]')
    assert isinstance(more, Refused)
    assert (more.error.code, more.changes) == ("invalid_authorization_details", ())


# --- what was told before (decision 0026) ----------------------------------------------------------------------------


def retried(terms: Terms, *pairs: tuple[str, str], proof: str | None = None) -> Granted | Repeated | Refused:
    """A spent refresh token comes again, whose answer stands in a seal with these terms."""
    root = authorization(scope=("basic", "likes"), terms=Terms(resource=(A, B)))
    spent = refresh(authorization=root, spent_at=NOW - 1)
    seal = SealedSuccessor(spent.digest, b"next", b"sealed", NOW + 1, terms)
    asked = {
        "grant_type": "refresh_token",
        "client_id": "app",
        "client_secret": SECRET,
        "refresh_token": REFRESH,
    }
    sent = Params([*asked.items(), *pairs], several=SEVERAL)
    known = ExchangeFacts(client(), None, account(), spent, seal)
    return decide(read(sent, NOTHING, headers(dpop=proof), TODAY), known, under(TODAY), NOW)


LESS = Terms(scope=("likes",), resource=(A,))


@pytest.mark.parametrize(
    ("terms", "pairs"),
    [
        (TERMS, ()),
        (TERMS, (("scope", "likes basic"),)),
        (TERMS, (("resource", A), ("resource", B))),
        (LESS, (("scope", "likes"), ("resource", A))),
    ],
)
def test_the_same_answer_is_told_where_the_same_is_asked(
    terms: Terms, pairs: tuple[tuple[str, str], ...]
) -> None:
    done = retried(terms, *pairs)
    assert isinstance(done, Repeated)
    assert (done.successor.terms, done.profile, done.changes) == (terms, TODAY, ())


@pytest.mark.parametrize(
    ("terms", "pairs", "given"),
    [
        (TERMS, (("scope", "likes"),), Terms(scope=("likes",))),
        (TERMS, (("resource", A),), Terms(resource=(A,))),
        (LESS, (("scope", "likes"),), Terms(scope=("likes",))),
        (LESS, (("scope", "likes"), ("resource", B)), Terms(scope=("likes",), resource=(B,))),
        (LESS, (), TERMS),
        (Terms(jkt="another key"), (), TERMS),
    ],
)
def test_another_access_token_is_given_where_something_else_is_asked(
    terms: Terms, pairs: tuple[tuple[str, str], ...], given: Terms
) -> None:
    """What the first was given would be too wide, for another server, or bound to another key."""
    done = retried(terms, *pairs)
    assert isinstance(done, Granted) and done.beside is not None
    assert (done.terms, done.changes, done.renew) == (given, (), None)


def test_a_retry_uses_up_its_proof() -> None:
    proof = KEY.proof("https://id.test/oauth/token", NOW)
    done = retried(Terms(jkt=KEY.jkt), proof=proof)
    assert isinstance(done, Repeated)
    assert [type(change) for change in done.changes] == [Once]


def test_a_retry_for_more_is_refused_and_ends_nothing() -> None:
    done = retried(TERMS, ("resource", "https://c.test/"))
    assert isinstance(done, Refused) and (done.error.code, done.changes) == ("invalid_target", ())
