"""A refresh token for the next pair: every binding on its own, possession before reuse (RFC 6749 6; C12, C13, D10)."""

from dataclasses import replace as other_rules
from itertools import product
from typing import Any

import pytest
from msgspec.structs import replace

from tests.protocol.samples import (
    BOOK,
    CATALOGUE,
    NOW,
    REFRESH,
    account,
    authorization,
    client,
    digest,
    params,
    public,
    refresh,
)
from valetkey.protocol.changes import Extend, Revoke, Save, Spend
from valetkey.protocol.decision import Granted, Renewal
from valetkey.protocol.errors import InvalidGrant, InvalidRequest, InvalidScope, OAuthError
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.grants.refresh_token import REFRESH_TOKEN, decide
from valetkey.protocol.model import (
    TERMS,
    Client,
    Notice,
    RefreshToken,
    Registration,
    SealedSuccessor,
    Terms,
)
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.grant import Proven
from valetkey.protocol.rules.rulebook import Rulebook

WIDE = authorization(scope=("basic", "likes", "comments"))
ENDS = (Revoke(77, NOW), Save(Notice(77, 1, "app", "refresh_reused", NOW)))
KEY, CERTIFICATE = Terms(jkt="key"), Terms(x5t="certificate")
MONTH, HALF_A_YEAR = BOOK.refresh_lifetime, BOOK.refresh_absolute
STAYS = other_rules(OAUTH21, refresh_rotates=False)


def successor(**more: Any) -> SealedSuccessor:
    plain = SealedSuccessor(digest(REFRESH), digest("next"), b"sealed", NOW + 1)
    return replace(plain, **more)


SPENT = refresh(spent_at=NOW - 1, expires_at=NOW - 1)  # whether its own end is past is no matter
KNOWN = ExchangeFacts(client(), None, account(), refresh())
RETRIED = ExchangeFacts(client(), None, account(), SPENT, successor())


def outcome(
    known: ExchangeFacts,
    app: Client | None = None,
    profile: Profile = OAUTH21,
    book: Rulebook = BOOK,
    sender: Terms = TERMS,
    **pairs: str,
) -> Granted | OAuthError:
    try:
        said = params(**{"refresh_token": REFRESH, **pairs})
        return decide(Proven(said, app or client(), profile, known, book, NOW, sender))
    except OAuthError as error:
        return error


def shown(**more: Any) -> ExchangeFacts:
    return ExchangeFacts(client(), None, account(), refresh(**more))


def refused(found: object) -> tuple[type[OAuthError], str, tuple[object, ...]]:
    assert isinstance(found, OAuthError)
    return type(found), found.reason, found.changes


def test_it_is_spent_and_has_a_successor_that_can_be_asked_for_again() -> None:
    spends = (Spend(RefreshToken, refresh().digest, NOW),)
    renew = Renewal(MONTH, TERMS, NOW + 120)
    granted = Granted(authorization(), account(), OAUTH21, 3600, spends, TERMS, renew)
    assert outcome(KNOWN) == granted
    assert outcome(shown(expires_at=NOW + 10**8)) == granted
    assert (REFRESH_TOKEN.name, REFRESH_TOKEN.redeems) == ("refresh_token", "refresh_token")


def test_without_a_window_nothing_is_sealed() -> None:
    granted = outcome(KNOWN, book=other_rules(BOOK, retry_window=0))
    assert isinstance(granted, Granted) and granted.renew == Renewal(MONTH)


@pytest.mark.parametrize("bound", [TERMS, KEY, CERTIFICATE])
def test_the_successor_is_bound_as_it_was(bound: Terms) -> None:
    granted = outcome(shown(terms=bound), sender=bound)
    assert isinstance(granted, Granted)
    assert (granted.terms, granted.renew) == (bound, Renewal(MONTH, bound, NOW + 120))


@pytest.mark.parametrize(
    ("bound", "sender"),
    [
        (TERMS, KEY),
        (TERMS, CERTIFICATE),
        (KEY, Terms(jkt="key", x5t="other")),
        (CERTIFICATE, Terms(x5t="certificate", jkt="b")),
    ],
)
def test_what_it_is_not_bound_to_may_change(bound: Terms, sender: Terms) -> None:
    granted = outcome(shown(terms=bound), sender=sender)
    assert isinstance(granted, Granted)
    assert (granted.terms, granted.renew) == (sender, Renewal(MONTH, bound, NOW + 120))


@pytest.mark.parametrize(
    ("age", "lifetime"),
    [
        (0, MONTH),
        (HALF_A_YEAR - MONTH, MONTH),
        (HALF_A_YEAR - MONTH + 1, MONTH - 1),
        (HALF_A_YEAR - 1, 1),
    ],
)
def test_each_successor_lives_a_month_but_none_beyond_half_a_year(age: int, lifetime: int) -> None:
    granted = outcome(shown(authorization=authorization(granted_at=NOW - age)))
    assert isinstance(granted, Granted) and granted.renew == Renewal(lifetime, TERMS, NOW + 120)


# what differs from the good request or token, and what is said; nothing of it revokes anything
MUTATIONS: list[tuple[str, dict[str, Any], type[OAuthError], str]] = [
    ("unknown", {"found": None}, InvalidGrant, "refresh_unknown"),
    ("of nobody", {"person": None}, InvalidGrant, "refresh_unknown"),
    ("absent", {"pairs": {"refresh_token": ""}}, InvalidRequest, "refresh_missing"),
    (
        "another client's",
        {"found": refresh(authorization=authorization(client_id="b"))},
        InvalidGrant,
        "refresh_unknown",
    ),
    (
        "client in capitals",
        {"found": refresh(authorization=authorization(client_id="APP"))},
        InvalidGrant,
        "refresh_unknown",
    ),
    ("no key", {"found": refresh(terms=KEY)}, InvalidGrant, "refresh_sender"),
    ("no certificate", {"found": refresh(terms=CERTIFICATE)}, InvalidGrant, "refresh_sender"),
    (
        "another key",
        {"found": refresh(terms=KEY), "sender": Terms(jkt="KEY")},
        InvalidGrant,
        "refresh_sender",
    ),
    (
        "another certificate",
        {"found": refresh(terms=CERTIFICATE), "sender": Terms(x5t="b")},
        InvalidGrant,
        "refresh_sender",
    ),
    (
        "revoked",
        {"found": refresh(authorization=authorization(revoked_at=0))},
        InvalidGrant,
        "refresh_revoked",
    ),
    ("person disabled", {"person": account(disabled_at=0)}, InvalidGrant, "refresh_revoked"),
    ("expired", {"found": refresh(expires_at=NOW)}, InvalidGrant, "refresh_expired"),
    (
        "too old in all",
        {"found": refresh(authorization=authorization(granted_at=NOW - HALF_A_YEAR))},
        InvalidGrant,
        "refresh_expired",
    ),
    ("wider", {"pairs": {"scope": "basic likes"}}, InvalidScope, "scope_widened"),
    ("another scope", {"pairs": {"scope": "likes"}}, InvalidScope, "scope_widened"),
    ("unknown scope", {"pairs": {"scope": "basic admin"}}, InvalidScope, "scope_unknown"),
]


def changed(**fields: Any) -> Granted | OAuthError:
    known = {"found": refresh(), "person": account(), "sender": TERMS, "pairs": {}} | fields
    facts = ExchangeFacts(client(), None, known["person"], known["found"])
    return outcome(facts, sender=known["sender"], **known["pairs"])


@pytest.mark.parametrize(
    ("fields", "kind", "reason"), [row[1:] for row in MUTATIONS], ids=[row[0] for row in MUTATIONS]
)
def test_every_binding_on_its_own(fields: dict[str, Any], kind: type[OAuthError], reason: str) -> None:
    assert isinstance(changed(), Granted)
    assert refused(changed(**fields)) == (kind, reason, ())


def test_a_retry_gets_the_same_while_nobody_has_used_it_and_the_window_is_open() -> None:
    """The endpoint looks whether the access token is to be the same, too (test_token.py)."""
    granted = Granted(authorization(), account(), OAUTH21, 3600, (), beside=successor())
    assert outcome(RETRIED) == granted


@pytest.mark.parametrize(
    "kept",
    [
        None,
        successor(used_at=NOW),
        successor(used_at=0),
        successor(expires_at=NOW),
        successor(expires_at=NOW - 1),
    ],
)
def test_any_other_use_of_a_spent_one_ends_everything_and_is_told(kept: SealedSuccessor | None) -> None:
    known = replace(RETRIED, successor=kept)
    assert refused(outcome(known)) == (InvalidGrant, "refresh_reused", ENDS)
    assert refused(outcome(known, scope="admin")) == (InvalidGrant, "refresh_reused", ENDS)


# in the order in which they are looked at
IN_ORDER = [
    ("refresh_missing", {"pairs": {"refresh_token": ""}}),
    ("refresh_unknown", {"root": {"client_id": "b"}}),
    ("refresh_sender", {"token": {"terms": KEY}}),
    ("refresh_revoked", {"root": {"revoked_at": NOW}}),
    ("refresh_reused", {"token": {"spent_at": NOW}}),
    ("refresh_expired", {"token": {"expires_at": NOW}}),
    ("scope_widened", {"pairs": {"scope": "likes"}}),
]


def test_the_first_wrong_thing_decides() -> None:
    """Every combination of what can be wrong; only a reuse with full possession ends anything."""
    for wrong in product([False, True], repeat=len(IN_ORDER)):
        rows = [row for row, is_wrong in zip(IN_ORDER, wrong, strict=True) if is_wrong]
        pairs: dict[str, str] = {}
        root: dict[str, Any] = {}
        token: dict[str, Any] = {}
        for _, change in reversed(rows):
            pairs |= change.get("pairs", {})
            root |= change.get("root", {})
            token |= change.get("token", {})
        found = refresh(authorization=authorization(**root), **token)
        result = outcome(ExchangeFacts(client(), None, account(), found), **pairs)
        if not rows:
            assert isinstance(result, Granted)
            continue
        assert isinstance(result, OAuthError)
        assert result.reason == rows[0][0]
        assert result.changes == (ENDS if result.reason == "refresh_reused" else ())


def test_a_thief_without_key_or_client_revokes_nothing() -> None:
    used = replace(RETRIED, successor=None)
    bound = replace(used, refresh=replace(SPENT, terms=KEY))
    assert refused(outcome(bound, public())) == (InvalidGrant, "refresh_sender", ())
    assert refused(outcome(used, client(id="other"))) == (InvalidGrant, "refresh_unknown", ())
    assert refused(outcome(bound, public(), sender=KEY)) == (InvalidGrant, "refresh_reused", ENDS)


@pytest.mark.parametrize(
    ("asked", "scope"),
    [
        (None, ()),
        ("", ()),
        ("basic likes comments", ()),
        ("comments likes basic", ()),
        ("likes", ("likes",)),
        ("comments basic comments", ("basic", "comments")),
    ],
)
def test_the_access_token_may_have_less_and_the_refresh_token_keeps_all(
    asked: str | None, scope: tuple[str, ...]
) -> None:
    granted = outcome(shown(authorization=WIDE), scope=asked or "")
    assert isinstance(granted, Granted)
    assert (granted.terms, granted.renew) == (Terms(scope=scope), Renewal(MONTH, TERMS, NOW + 120))


def test_a_refresh_token_that_was_itself_narrowed_gives_no_more() -> None:
    less = shown(authorization=WIDE, terms=Terms(scope=("basic", "likes")))
    granted = outcome(less)
    assert isinstance(granted, Granted) and granted.terms == Terms(scope=("basic", "likes"))
    assert refused(outcome(less, scope="comments")) == (InvalidScope, "scope_widened", ())


@pytest.mark.parametrize(
    ("app", "catalogue", "scope"),
    [
        (client(registered=Registration(scope=("likes", "basic"))), CATALOGUE, ("basic", "likes")),
        (client(), {"basic": CATALOGUE["basic"]}, ("basic",)),
    ],
)
def test_what_client_or_catalogue_have_lost_is_given_no_more(
    app: Client, catalogue: Any, scope: tuple[str, ...]
) -> None:
    """GHSA-895x-rfqp-jh5c: what was granted for a long time outlived the removal of its scope."""
    known, book = shown(authorization=WIDE), other_rules(BOOK, catalogue=catalogue)
    granted = outcome(known, app, book=book)
    assert isinstance(granted, Granted) and granted.terms == Terms(scope=scope)
    gone = outcome(known, app, book=book, scope="comments")
    assert refused(gone)[0] is InvalidScope


def test_what_is_too_much_is_named() -> None:
    """All of it, where nothing is left of what was allowed."""
    for asked, app in (
        ("basic likes comments", client()),
        ("", client(registered=Registration(scope=("unused",)))),
    ):
        root = authorization(scope=("basic",) if asked else ("likes", "comments"))
        error = outcome(shown(authorization=root), app, scope=asked)
        assert refused(error) == (InvalidScope, "scope_widened", ())
        assert isinstance(error, OAuthError)
        assert error.description == "this scope is not allowed, or no longer: likes, comments"
        assert error.subject == "likes, comments"


def test_a_retry_asks_for_as_much_as_any_other() -> None:
    known = replace(RETRIED, refresh=replace(SPENT, authorization=WIDE))
    for terms, pairs in (
        (TERMS, {}),
        (Terms(scope=("likes",)), {"scope": "likes"}),
        (Terms(scope=("likes",), jkt="key"), {"scope": "likes", "sender": KEY}),
    ):
        assert outcome(known, **pairs) == Granted(
            WIDE, account(), OAUTH21, 3600, (), terms, beside=successor()
        )
    assert refused(outcome(known, scope="basic admin")) == (InvalidScope, "scope_unknown", ())


@pytest.mark.parametrize(("lifetime", "window"), [(3600, 120), (None, 120), (119, 119), (120, 120)])
def test_the_window_is_over_before_the_access_token_is(lifetime: int | None, window: int) -> None:
    profile = other_rules(OAUTH21, token_lifetime=lifetime)
    granted = outcome(KNOWN, profile=profile)
    assert isinstance(granted, Granted) and granted.renew == Renewal(MONTH, TERMS, NOW + window)


def test_nothing_is_told_again_after_the_end_of_all() -> None:
    old = authorization(granted_at=NOW - HALF_A_YEAR)
    known = replace(RETRIED, refresh=replace(SPENT, authorization=old))
    for pairs in ({}, {"scope": "basic"}):
        assert refused(outcome(known, **pairs)) == (InvalidGrant, "refresh_expired", ())
    assert refused(outcome(replace(known, successor=None))) == (InvalidGrant, "refresh_reused", ENDS)


def test_where_it_stays_nothing_is_spent_and_its_end_moves_now_and_then() -> None:
    """FAPI 2.0 5.3.2.1: no rotation."""
    step = MONTH // 20
    for ago, moved in ((0, False), (step, False), (step + 1, True), (MONTH - 1, True)):
        granted = outcome(shown(expires_at=NOW + MONTH - ago), profile=STAYS, sender=KEY)
        changes = (Extend(refresh().digest, NOW + MONTH),) if moved else ()
        assert granted == Granted(authorization(), account(), STAYS, 3600, changes, KEY)
    old = authorization(granted_at=NOW - HALF_A_YEAR + step + 2)
    granted = outcome(shown(authorization=old), profile=STAYS)
    assert isinstance(granted, Granted) and granted.changes == (Extend(refresh().digest, NOW + step + 2),)
