"""A code for a token: every binding on its own, and possession before replay (RFC 6749 4.1.3; C1-C10, R6, R7)."""

from dataclasses import replace as other_rules
from itertools import product
from typing import Any

import pytest
from msgspec.structs import replace

from tests.protocol.samples import (
    BOOK,
    CHALLENGE,
    CODE,
    NOW,
    REDIRECT,
    VERIFIER,
    account,
    authorization,
    client,
    code,
    flat,
    params,
    public,
    told,
)
from valetkey.protocol.changes import Revoke, Spend
from valetkey.protocol.decision import Granted, Renewal
from valetkey.protocol.errors import InvalidGrant, InvalidRequest, OAuthError
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.grants import GRANTS
from valetkey.protocol.grants.authorization_code import AUTHORIZATION_CODE, decide
from valetkey.protocol.model import TERMS, AuthorizationCode, Client, Registration, Terms
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.grant import Proven

REVOKES = (Revoke(77, NOW),)
NO_CODE = "Matching code was not found or was already used."
NO_MATCH = "Redirect URI doesn't match original redirect URI"


def asked(**pairs: str) -> dict[str, str]:
    return {"redirect_uri": REDIRECT, "code": CODE, **pairs}


def facts(found: AuthorizationCode | None, **person: Any) -> ExchangeFacts:
    return ExchangeFacts(client(), found, account(**person))


def outcome(
    pairs: dict[str, str], known: ExchangeFacts, app: Client | None = None, profile: Profile = CLASSIC
) -> Granted | OAuthError:
    try:
        return decide(Proven(params(**pairs), app or client(), profile, known, BOOK, NOW))
    except OAuthError as error:
        return error


@pytest.mark.parametrize(
    ("profile", "app", "found", "pairs", "lifetime"),
    [
        (CLASSIC, client(), code(), asked(), None),
        (CLASSIC, client(), code(challenge=CHALLENGE), asked(code_verifier=VERIFIER), None),
        (CLASSIC, client(), code(), asked(unknown="x", scope="more"), None),
        (OAUTH20, client(), code(), asked(), 3600),
        (OAUTH20, public(), code(challenge=CHALLENGE), asked(code_verifier=VERIFIER), 3600),
        (OAUTH21, client(), code(challenge=CHALLENGE), asked(code_verifier=VERIFIER), 3600),
        (OAUTH21, public(), code(challenge=CHALLENGE), {"code": CODE, "code_verifier": VERIFIER}, 3600),
        (
            OAUTH21,
            public(),
            code(challenge=CHALLENGE),
            {"code": CODE, "code_verifier": VERIFIER, "redirect_uri": ""},
            3600,
        ),
    ],
)
def test_a_code_is_redeemed_and_spent(
    profile: Profile, app: Client, found: AuthorizationCode, pairs: dict[str, str], lifetime: int | None
) -> None:
    granted = outcome(pairs, facts(found), app, profile)
    spends = (Spend(AuthorizationCode, found.digest, NOW),)
    renew = None if profile is CLASSIC else Renewal(2592000)
    assert granted == Granted(found.authorization, account(), profile, lifetime, spends, renew=renew)


BOUND = code(challenge=CHALLENGE)
PROVEN = asked(code_verifier=VERIFIER)

# what differs from the good request or code, the reason, what classic says, what is written although the answer is no
MUTATIONS = [
    (
        "redirect_uri absent",
        {"redirect_uri": ""},
        {},
        "redirect_uri_missing",
        "You must provide a redirect_uri",
        (),
    ),
    ("code absent", {"code": ""}, {}, "code_missing", "You must provide a code", ()),
    ("code unknown", {}, None, "code_unknown", NO_CODE, ()),
    ("another client's", {}, {"authorization": authorization(client_id="b")}, "code_unknown", NO_CODE, ()),
    (
        "client in capitals",
        {},
        {"authorization": authorization(client_id="APP")},
        "code_unknown",
        NO_CODE,
        (),
    ),
    ("another redirect_uri", {"redirect_uri": "https://b.test/"}, {}, "redirect_uri_differs", NO_MATCH, ()),
    ("redirect_uri with slash", {"redirect_uri": REDIRECT + "/"}, {}, "redirect_uri_differs", NO_MATCH, ()),
    ("extra query left out", {}, {"redirect_uri": REDIRECT + "?a=b"}, "redirect_uri_differs", NO_MATCH, ()),
    ("extra query added", {"redirect_uri": REDIRECT + "?a=b"}, {}, "redirect_uri_differs", NO_MATCH, ()),
    (
        "redirect_uri in capitals",
        {"redirect_uri": REDIRECT.upper()},
        {},
        "redirect_uri_differs",
        NO_MATCH,
        (),
    ),
    ("verifier absent", {"code_verifier": ""}, {}, "verifier_missing", "code_verifier is missing", ()),
    (
        "verifier wrong",
        {"code_verifier": "a" * 43},
        {},
        "verifier_wrong",
        "code_verifier does not belong to the code_challenge",
        (),
    ),
    (
        "challenge stripped",
        {},
        {"challenge": None},
        "verifier_unasked",
        "code_verifier was sent, but there was no code_challenge",
        (),
    ),
    ("spent", {}, {"spent_at": NOW - 1}, "code_spent", NO_CODE, REVOKES),
    ("spent this second", {}, {"spent_at": NOW}, "code_spent", NO_CODE, REVOKES),
    ("spent in second 0", {}, {"spent_at": 0}, "code_spent", NO_CODE, REVOKES),
    ("expired", {}, {"expires_at": NOW - 1}, "code_expired", NO_CODE, ()),
    ("expired this second", {}, {"expires_at": NOW}, "code_expired", NO_CODE, ()),
    ("revoked", {}, {"authorization": authorization(revoked_at=NOW - 1)}, "code_revoked", NO_CODE, ()),
    ("revoked in second 0", {}, {"authorization": authorization(revoked_at=0)}, "code_revoked", NO_CODE, ()),
]


@pytest.mark.parametrize(
    ("pairs", "fields", "reason", "message", "changes"),
    [row[1:] for row in MUTATIONS],
    ids=[row[0] for row in MUTATIONS],
)
def test_every_binding_on_its_own(
    pairs: dict[str, str], fields: dict[str, Any] | None, reason: str, message: str, changes: tuple
) -> None:
    assert isinstance(outcome(PROVEN, facts(BOUND)), Granted)
    found = None if fields is None else replace(BOUND, **fields)
    error = outcome({**PROVEN, **pairs}, facts(found))
    assert type(error) is (
        InvalidRequest if reason in ("redirect_uri_missing", "code_missing") else InvalidGrant
    )
    assert (error.reason, error.changes) == (reason, changes)
    assert told(error) == flat(message)


def test_the_account_must_be_there_and_alive() -> None:
    gone = outcome(PROVEN, ExchangeFacts(client(), BOUND, None))
    assert isinstance(gone, InvalidGrant) and (gone.reason, gone.changes) == ("code_unknown", ())
    for second in (0, NOW - 1, NOW):
        ended = outcome(PROVEN, facts(BOUND, disabled_at=second))
        assert isinstance(ended, InvalidGrant) and (ended.reason, ended.changes) == ("code_revoked", ())
        assert told(ended) == flat(NO_CODE)


# in the order in which they are looked at: who cannot show possession learns nothing of the code and ends nothing
IN_ORDER = [
    ("redirect_uri_missing", {"redirect_uri": ""}, {}, {}),
    ("code_missing", {"code": ""}, {}, {}),
    ("code_unknown", {}, {"authorization": authorization(client_id="b")}, {}),
    ("redirect_uri_differs", {"redirect_uri": "https://b.test/"}, {}, {}),
    ("verifier_wrong", {"code_verifier": "a" * 43}, {}, {}),
    ("code_spent", {}, {"spent_at": NOW}, {}),
    ("code_expired", {}, {"expires_at": NOW}, {}),
    ("code_revoked", {}, {}, {"disabled_at": NOW}),
]


def test_the_first_wrong_thing_decides() -> None:
    """Every combination of what can be wrong; only a replay with full possession ends the tokens."""
    for wrong in product([False, True], repeat=len(IN_ORDER)):
        rows = [row for row, is_wrong in zip(IN_ORDER, wrong, strict=True) if is_wrong]
        pairs, fields, person = dict(PROVEN), {}, {}
        for _, asks, has, owner in reversed(rows):
            pairs.update(asks)
            fields.update(has)
            person.update(owner)
        result = outcome(pairs, facts(replace(BOUND, **fields), **person))
        if not rows:
            assert isinstance(result, Granted)
            continue
        assert isinstance(result, OAuthError)
        assert result.reason == rows[0][0]
        assert result.changes == (REVOKES if result.reason == "code_spent" else ())


@pytest.mark.parametrize("profile", [OAUTH20, OAUTH21])
@pytest.mark.parametrize("kind", ["spa", "native"])
def test_a_public_client_needs_pkce(profile: Profile, kind: str) -> None:
    """Also when the code came to it without a challenge, since nothing else binds it."""
    for pairs in (asked(), asked(code_verifier=VERIFIER)):
        error = outcome(pairs, facts(code()), public(type=kind), profile)
        assert isinstance(error, InvalidGrant) and (error.reason, error.changes) == ("challenge_needed", ())
    spent = outcome(asked(), facts(code(spent_at=NOW)), public(type=kind), profile)
    assert isinstance(spent, InvalidGrant) and (spent.reason, spent.changes) == ("challenge_needed", ())


@pytest.mark.parametrize("profile", [CLASSIC, OAUTH20])
def test_redirect_uri_must_be_repeated(profile: Profile) -> None:
    error = outcome({"code": CODE}, facts(code()), profile=profile)
    assert isinstance(error, InvalidRequest) and error.reason == "redirect_uri_missing"


@pytest.mark.parametrize("profile", [OAUTH20, OAUTH21])
def test_one_that_was_not_named_need_not_be(profile: Profile) -> None:
    """RFC 6749 4.1.3."""
    found = replace(BOUND, redirect_uri="")
    for named, granted in (("", True), (REDIRECT, True), ("https://b.test/", False), ("h", False)):
        done = outcome({**PROVEN, "redirect_uri": named}, facts(found), profile=profile)
        assert isinstance(done, Granted) is granted
    assert isinstance(outcome(PROVEN | {"redirect_uri": ""}, facts(None), profile=OAUTH20), InvalidRequest)


def test_oauth_2_1_checks_a_redirect_uri_that_is_repeated() -> None:
    error = outcome({**PROVEN, "redirect_uri": "https://b.test/"}, facts(BOUND), profile=OAUTH21)
    assert isinstance(error, InvalidGrant) and error.reason == "redirect_uri_differs"


def test_every_grant_stands_under_its_own_name() -> None:
    assert [grant.name for grant in GRANTS.values()] == list(GRANTS)
    assert (AUTHORIZATION_CODE.name, AUTHORIZATION_CODE.redeems) == ("authorization_code", "code")


@pytest.mark.parametrize(
    ("grants", "given", "renew"),
    [
        ({"authorization_code", "refresh_token"}, (), Renewal(2592000)),
        ({"authorization_code", "refresh_token"}, ("authorization_code",), None),
        ({"authorization_code"}, (), None),
        ({"authorization_code"}, ("refresh_token",), None),
    ],
)
def test_a_refresh_token_is_beside_it_where_profile_and_client_have_that_grant(
    grants: set[str], given: tuple[str, ...], renew: Renewal | None
) -> None:
    profile = other_rules(OAUTH20, grants=frozenset(grants))
    app = client(registered=Registration(grant_types=given))
    granted = outcome(asked(), facts(code()), app, profile)
    assert isinstance(granted, Granted) and granted.renew == renew


@pytest.mark.parametrize(("app", "bound"), [(client(), TERMS), (public(), Terms(jkt="key"))])
def test_the_refresh_token_of_a_client_without_a_secret_is_bound_to_its_key(
    app: Client, bound: Terms
) -> None:
    """RFC 9449 5, RFC 8705 4: who authenticates at every use may change its key."""
    proven = Proven(params(**PROVEN), app, OAUTH21, facts(BOUND), BOOK, NOW, Terms(jkt="key"))
    granted = decide(proven)
    assert (granted.terms, granted.renew) == (Terms(jkt="key"), Renewal(2592000, bound))
