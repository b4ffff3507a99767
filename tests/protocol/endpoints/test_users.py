"""The origin's API: whose token is this, and what is said when it is nobody's (classic.md 4)."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.proofs import Prover
from tests.protocol.samples import (
    NOW,
    SECRET,
    account,
    authorization,
    client,
    digest,
    headers,
    params,
    public,
    query,
    secret,
)
from valetkey.protocol.changes import Once
from valetkey.protocol.endpoints.users import (
    Accepted,
    ApiRequest,
    Denied,
    bad_parameters,
    check_audience,
    check_login,
    check_place,
    check_sender,
    decide,
    no_such_user,
    rate_limited,
    read,
)
from valetkey.protocol.facts import NOTHING_KNOWN, BearerFacts
from valetkey.protocol.model import AccessToken, Authorization, Client, Terms
from valetkey.protocol.params import Params
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.rules import jwt
from valetkey.protocol.rules.dpop import Call
from valetkey.protocol.rules.sender import Shown

TOKEN = "fb2e77d.47a0479900504cb3ab4a1f626d174d2d"
PATH = "/users/self"


def meta(kind: str, message: str, code: int = 400) -> tuple[int, dict[str, object]]:
    return code, {"meta": {"error_type": kind, "code": code, "error_message": message}}


INVALID = meta("OAuthAccessTokenException", "The access_token provided is invalid.")
MISSING = meta("OAuthParameterException", "Missing client_id or access_token URL parameter.")


# --- which token ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "header", "token"),
    [
        (query(access_token=TOKEN), None, TOKEN),
        (params(access_token=TOKEN), "", TOKEN),
        (params(access_token=TOKEN), "OAuth abc", TOKEN),  # an unknown scheme beside the parameter
        (params(access_token=TOKEN), "Basic YTpi", TOKEN),
        (params(access_token=TOKEN), "Bearerabc", TOKEN),
        (params(access_token=TOKEN), "Bearer\tabc", TOKEN),
        (params(), f"Bearer {TOKEN}", TOKEN),
        (params(), f"bearer {TOKEN}", TOKEN),
        (params(), f"BEARER {TOKEN}", TOKEN),
        (params(access_token=""), f"Bearer {TOKEN}", TOKEN),
        (params(), "Bearer aB0-._~+/==", "aB0-._~+/=="),
    ],
)
def test_the_one_token_of_a_call(sent: Params, header: str | None, token: str) -> None:
    request = read(sent, headers(header))
    assert (request.params, request.digest, request.shown.token) == (sent, digest(token), token)


@pytest.mark.parametrize(
    ("sent", "header", "reason", "answer"),
    [
        (params(), None, "token_missing", MISSING),
        (params(access_token=""), None, "token_missing", MISSING),
        (params(client_id="app"), None, "token_missing", MISSING),
        (params(), "Basic YTpi", "token_missing", MISSING),
        (params(), "Bearerabc", "token_missing", MISSING),
        (
            params(access_token=TOKEN),
            f"Bearer {TOKEN}",
            "token_twice",
            meta("OAuthParameterException", "The access_token was sent in two places."),
        ),
        (
            params(access_token=TOKEN),
            "Bearer",
            "token_twice",
            meta("OAuthParameterException", "The access_token was sent in two places."),
        ),
        (params(), "Bearer", "bearer_malformed", INVALID),
        (params(), "Bearer ", "bearer_malformed", INVALID),
        (params(), "Bearer  abc", "bearer_malformed", INVALID),
        (params(), "Bearer abc ", "bearer_malformed", INVALID),
        (params(), "Bearer \tabc", "bearer_malformed", INVALID),
        (params(), "Bearer abc\n", "bearer_malformed", INVALID),
        (params(), "Bearer abc,def", "bearer_malformed", INVALID),
        (params(), "Bearer abc def", "bearer_malformed", INVALID),
        (params(), 'Bearer "abc"', "bearer_malformed", INVALID),
        (params(), "Bearer =", "bearer_malformed", INVALID),
        (params(), "Bearer é", "bearer_malformed", INVALID),
        (params(access_token="vk_rt_x"), None, "token_misspelt", INVALID),
    ],
)
def test_a_call_without_one_token(
    sent: Params, header: str | None, reason: str, answer: tuple[int, dict[str, object]]
) -> None:
    with pytest.raises(Denied) as caught:
        read(sent, headers(header))
    assert (caught.value.reason, (caught.value.status, caught.value.body)) == (reason, answer)


@given(st.text(max_size=20), st.text(st.characters(codec="utf-8"), min_size=1, max_size=20) | st.none())
def test_only_one_whole_token_is_ever_looked_up(header: str, token: str | None) -> None:
    sent = params(access_token=token) if token and "\0" not in token else params()
    try:
        request = read(sent, headers(header))
    except Denied:
        return
    assert request.digest == hashlib.sha256((sent.get("access_token") or header[7:]).encode()).digest()


# --- what it opens ----------------------------------------------------------------------------------------------------


def facts(root: Authorization | None = None, app: Client | None = None, **more: Any) -> BearerFacts:
    expires_at, person = more.pop("expires_at", None), account(**more)
    return BearerFacts(
        AccessToken(digest(TOKEN), root or authorization(), NOW, expires_at), person, app or client()
    )


def refused(sent: Params, known: BearerFacts | None) -> tuple[str, tuple[int, dict[str, object]]]:
    with pytest.raises(Denied) as caught:
        decide(read(sent, headers(None)), known, PATH, NOW)
    return caught.value.reason, (caught.value.status, caught.value.body)


@pytest.mark.parametrize(
    "known",
    [
        facts(),
        facts(expires_at=NOW + 1),
        facts(authorization(scope=("likes", "basic"))),
        facts(app=public(allow_implicit=True)),
        facts(app=client(sandbox=True)),
    ],
)
def test_a_living_token(known: BearerFacts) -> None:
    assert decide(read(params(access_token=TOKEN), headers(None)), known, PATH, NOW) == (known, known.account)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (None, "token_unknown"),
        (facts(expires_at=NOW), "token_expired"),
        (facts(expires_at=0), "token_expired"),
        (facts(authorization(revoked_at=NOW)), "token_revoked"),
        (facts(authorization(revoked_at=0)), "token_revoked"),
        (facts(disabled_at=0), "token_disabled"),  # D10
        (facts(app=client(disabled_at=0)), "token_disabled"),
        (facts(authorization(revoked_at=0), client(disabled_at=0), expires_at=0), "token_expired"),
        (facts(authorization(revoked_at=0, scope=())), "token_revoked"),
        (facts(app=client(signed_requests=True, disabled_at=0)), "token_disabled"),
    ],
)
def test_one_answer_for_every_token_that_is_not_alive(known: BearerFacts | None, reason: str) -> None:
    assert refused(params(access_token=TOKEN), known) == (reason, INVALID)


SIGNED = client(signed_requests=True)
SIG = hmac.new(SECRET.encode(), f"{PATH}|access_token={TOKEN}".encode(), "sha256").hexdigest()


def test_only_a_sender_is_challenged() -> None:
    assert Denied("reason", (400, {})).challenge == ""


def forbidden(message: str) -> tuple[int, dict[str, object]]:
    return 403, {"code": 403, "error_type": "OAuthForbiddenException", "error_message": message}


@pytest.mark.parametrize(
    ("sent", "reason", "answer"),
    [
        ({}, "sig_missing", forbidden("Invalid signed-request: Missing required parameter 'sig'")),
        ({"sig": ""}, "sig_missing", forbidden("Invalid signed-request: Missing required parameter 'sig'")),
        ({"sig": "0" * 64}, "sig_wrong", forbidden("Invalid signed-request: Signature does not match")),
        (
            {"sig": SIG, "count": "1"},
            "sig_wrong",
            forbidden("Invalid signed-request: Signature does not match"),
        ),
    ],
)
def test_an_app_that_enforces_signatures(
    sent: dict[str, str], reason: str, answer: tuple[int, dict[str, object]]
) -> None:
    known = facts(app=SIGNED)
    assert refused(params(access_token=TOKEN, **sent), known) == (reason, answer)
    assert refused(params(access_token=TOKEN, **sent), facts(authorization(scope=()), SIGNED)) == (
        reason,
        answer,
    )
    plain = facts()
    assert decide(read(params(access_token=TOKEN, **sent), headers(None)), plain, PATH, NOW) == (
        plain,
        plain.account,
    )


def test_a_signed_call() -> None:
    known = facts(app=SIGNED)
    assert decide(read(params(access_token=TOKEN, sig=SIG), headers(None)), known, PATH, NOW) == (
        known,
        known.account,
    )
    bare = hmac.new(SECRET.encode(), PATH.encode(), "sha256").hexdigest()
    assert decide(read(params(sig=bare), headers(f"Bearer {TOKEN}")), known, PATH, NOW) == (
        known,
        known.account,
    )


# --- what is said -----------------------------------------------------------------------------------------------------

SCOPE_WORDS = (
    "This request requires scope=basic, but this access_token is not authorized with this scope. "
    "The user must re-authorize your application with scope=basic to be granted the required permissions."
)


@pytest.mark.parametrize("scope", [(), ("likes",), ("basics",)])
def test_a_token_without_the_scope(scope: tuple[str, ...]) -> None:
    found = refused(params(access_token=TOKEN), facts(authorization(scope=scope)))
    assert found == ("scope_missing", meta("OAuthPermissionsException", SCOPE_WORDS))


@pytest.mark.parametrize(("bound", "scheme"), [(Terms(), "Bearer"), (Terms(jkt="a"), "DPoP")])
def test_one_of_todays_forms_is_told_which_scope_would_do(bound: Terms, scheme: str) -> None:
    """RFC 6750 3.1: 403, and a challenge by which agents step up."""
    found = facts(authorization(scope=("likes",)))
    known = replace(found, token=replace(found.token, terms=bound))
    for token in ("vk_at_x", "a.b.c"):
        with pytest.raises(Denied) as caught:
            decide(ApiRequest(params(), b"", Shown("bearer", token, headers(None))), known, PATH, NOW)
        no = caught.value
        assert (no.reason, (no.status, no.body)) == (
            "scope_missing",
            meta("OAuthPermissionsException", SCOPE_WORDS, 403),
        )
        assert no.challenge.startswith(f'{scheme} error="insufficient_scope", error_description="')
        assert no.challenge.endswith('", scope="basic"')


@pytest.mark.parametrize(
    ("said", "reason", "answer"),
    [
        (
            lambda: rate_limited(500),
            "rate_limited",
            meta(
                "OAuthRateLimitException",
                "You have exceeded the maximum number of requests per hour. Your limit is 500.",
                429,
            ),
        ),
        (no_such_user, "user_unknown", meta("APINotFoundError", "this user does not exist")),
        (lambda: bad_parameters("words"), "parameters_bad", meta("OAuthParameterException", "words")),
    ],
)
def test_every_refusal_in_the_apis_own_form(
    said: Callable[[], Denied], reason: str, answer: tuple[int, dict[str, object]]
) -> None:
    denied = said()
    assert (denied.reason, str(denied)) == (reason, reason)
    assert (denied.status, denied.body) == answer


def test_a_token_that_belongs_to_no_person_opens_nothing_of_theirs() -> None:
    found = facts()
    nobody = BearerFacts(found.token, None, found.client)
    assert refused(params(access_token=TOKEN), nobody) == ("token_nobodys", INVALID)
    with pytest.raises(Denied) as caught:
        decide(ApiRequest(params(), b"", Shown("bearer", "vk_at_x", headers(None))), nobody, PATH, NOW)
    assert caught.value.status == 401 and 'error="invalid_token"' in caught.value.challenge


def test_an_old_secret_signs_until_it_ends() -> None:
    app = client(signed_requests=True, secrets=(secret(SECRET, NOW + 1),))
    assert decide(read(params(access_token=TOKEN, sig=SIG), headers(None)), facts(app=app), PATH, NOW)


@pytest.mark.parametrize("name", ["oauth21", "classic"])
def test_a_token_in_the_query_is_taken_where_the_profile_has_it_so(name: str) -> None:
    in_header = read(params(), headers(f"Bearer {TOKEN}"))
    in_query = read(params(access_token=TOKEN), headers(None))
    check_place(in_header, PROFILES[name])
    if name == "classic":
        return check_place(in_query, PROFILES[name])
    with pytest.raises(Denied) as caught:
        check_place(in_query, PROFILES[name])
    told = meta("OAuthParameterException", "Send the access_token in the Authorization header.")
    assert (caught.value.reason, (caught.value.status, caught.value.body)) == ("token_in_query", told)


# --- bound to a key or certificate (RFC 9449 7, RFC 8705 3) -----------------------------------------------------------

CALL = Call("GET", "https://id.test/v1/users/self", jwt.STRONG, TOKEN)


def bound_to(jkt: str = "", x5t: str = "") -> BearerFacts:
    plain = facts()
    return replace(plain, token=replace(plain.token, terms=Terms(jkt=jkt, x5t=x5t)))


def test_a_token_shown_with_its_key_uses_the_proof_up() -> None:
    key = Prover()
    sent = headers(f"DPoP {TOKEN}", key.proof(CALL.url, NOW, "GET", TOKEN))
    request = read(params(), sent)
    assert (request.shown.scheme, request.shown.token, request.digest) == ("dpop", TOKEN, digest(TOKEN))
    accepted = check_sender(request.shown, bound_to(key.jkt), CALL, NOTHING_KNOWN, NOW)
    assert [type(each) for each in accepted.changes] == [Once]
    assert check_sender(
        read(params(), headers(f"Bearer {TOKEN}")).shown, facts(), CALL, NOTHING_KNOWN, NOW
    ) == (Accepted(()))


WORDS = {
    "token_bound": "with a DPoP proof",
    "dpop_missing": "proof is missing",
    "token_unbound": "not bound to a DPoP key",
    "x5t_differs": "another certificate",
}


@pytest.mark.parametrize(
    ("header", "known", "challenge", "reason"),
    [
        (f"Bearer {TOKEN}", bound_to("k"), 'DPoP error="invalid_token", ', "token_bound"),
        (f"DPoP {TOKEN}", bound_to("k"), 'DPoP error="invalid_dpop_proof", ', "dpop_missing"),
        (f"dpop {TOKEN}", facts(), 'DPoP error="invalid_token", ', "token_unbound"),
        (f"Bearer {TOKEN}", bound_to(x5t="c"), 'Bearer error="invalid_token", ', "x5t_differs"),
    ],
)
def test_a_token_shown_otherwise_is_challenged(
    header: str, known: BearerFacts, challenge: str, reason: str
) -> None:
    with pytest.raises(Denied) as caught:
        check_sender(read(params(), headers(header)).shown, known, CALL, NOTHING_KNOWN, NOW)
    no = caught.value
    assert (no.status, no.reason) == (401, reason) and no.challenge.startswith(challenge)
    assert no.challenge.endswith(', algs="ES256 Ed25519 EdDSA PS256"') is challenge.startswith("DPoP")
    words = no.challenge.partition('error_description="')[2].partition('"')[0]
    meta = {"code": 401, "error_type": "OAuthAccessTokenException", "error_message": f"{words}."}
    assert no.body == {"meta": meta} and words.endswith(WORDS[reason])


@pytest.mark.parametrize("header", ["DPoP", "DPoP ", "DPoP a b", "dpop é"])
def test_a_dpop_header_without_a_token(header: str) -> None:
    with pytest.raises(Denied) as caught:
        read(params(), headers(header))
    assert caught.value.reason == "bearer_malformed"


def test_two_tokens_also_under_dpop() -> None:
    with pytest.raises(Denied) as caught:
        read(params(access_token=TOKEN), headers(f"DPoP {TOKEN}"))
    assert caught.value.reason == "token_twice"


@pytest.mark.parametrize(
    ("own", "root", "fine"),
    [
        ((), (), True),
        (("https://id.test",), (), True),
        (("https://a.test", "https://id.test"), (), True),
        (("https://a.test",), (), False),
        ((), ("https://a.test",), False),
        (("https://id.test",), ("https://a.test", "https://id.test"), True),
        (("https://a.test",), ("https://a.test", "https://id.test"), False),
    ],
)
def test_a_token_for_other_servers_opens_nothing_here(
    own: tuple[str, ...], root: tuple[str, ...], fine: bool
) -> None:
    """C14."""
    token = AccessToken(
        digest(TOKEN), authorization(terms=Terms(resource=root)), NOW, terms=Terms(resource=own)
    )
    if fine:
        return check_audience(read(params(), headers(f"Bearer {TOKEN}")).shown, token, "https://id.test")
    with pytest.raises(Denied) as caught:
        check_audience(read(params(), headers(f"Bearer {TOKEN}")).shown, token, "https://id.test")
    assert (caught.value.reason, caught.value.status) == ("token_elsewhere", 400)


def test_a_login_that_is_not_enough_is_challenged() -> None:
    """RFC 9470 3."""
    shown = read(params(), headers(f"Bearer {TOKEN}")).shown
    plain = facts().token
    check_login(shown, plain, (), 0, NOW)
    check_login(shown, replace(plain, terms=Terms(acr="gold", auth_time=NOW - 60)), ("gold",), 60, NOW)
    for terms in (Terms(acr="silver", auth_time=NOW), Terms(acr="gold", auth_time=NOW - 61)):
        with pytest.raises(Denied):
            check_login(shown, replace(plain, terms=terms), ("gold",), 60, NOW)
    for terms, scheme in ((Terms(), "Bearer"), (Terms(jkt="k"), "DPoP")):
        with pytest.raises(Denied) as caught:
            check_login(shown, replace(plain, terms=terms), ("gold",), 60, NOW)
        no = caught.value
        assert no.status == 401
        assert no.challenge.startswith(f'{scheme} error="insufficient_user_authentication", ')
        assert no.challenge.endswith(', acr_values="gold", max_age="60"')


@pytest.mark.parametrize("token", ["vk_at_" + "0" * 61, "vk_at_", "a.b.c"])
def test_a_dead_token_of_todays_forms_is_challenged(token: str) -> None:
    """RFC 6750 3.1: 401, so that a client gets another one; the origin's answer stays as it was."""
    for scheme in ("Bearer", "DPoP"):
        with pytest.raises(Denied) as caught:
            decide(read(params(), headers(f"{scheme} {token}")), None, PATH, NOW)
        no = caught.value
        assert no.status == 401 and no.reason in ("token_misspelt", "token_unknown")
        assert no.challenge.startswith(f'{scheme} error="invalid_token", error_description="the access token')


@pytest.mark.parametrize("token", [TOKEN, "a.b", "a.b.c.d", "VK_AT_x", "xvk_at_"])
def test_a_dead_token_of_the_origin_is_answered_as_ever(token: str) -> None:
    with pytest.raises(Denied) as caught:
        decide(read(params(), headers(f"Bearer {token}")), None, PATH, NOW)
    assert ((caught.value.status, caught.value.body), caught.value.challenge) == (INVALID, "")
