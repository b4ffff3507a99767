"""authorization_details: which may be asked for, and how they are put to people (RFC 9396)."""

import contextlib
import json
from dataclasses import replace as other_rules
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.samples import BOOK, authorization, client, params
from valetkey.protocol.detail_type import DetailType
from valetkey.protocol.errors import InvalidAuthorizationDetails
from valetkey.protocol.model import NOBODY, Client, Registration, Terms
from valetkey.protocol.params import Params
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.details import DEEPEST, LONGEST, MOST, in_words, narrowed, read

PAYMENT = DetailType(
    "payment",
    "Pay {amount.value} {amount.currency} to {creditor}",
    ("amount", "creditor", "urgent"),
    ("amount", "creditor"),
)
SEEING = DetailType("accounts", "See {actions} of {identifier}")
KINDS = {kind.type: kind for kind in (PAYMENT, SEEING, DetailType("bare"))}
RICH = other_rules(BOOK, details=KINDS)
PAY = {"type": "payment", "amount": {"value": "12.50", "currency": "EUR"}, "creditor": "Dee's Prints"}
SEE = {"type": "accounts", "actions": ["list", "read"], "locations": ["https://a.test"], "identifier": "1"}
BARE = {"type": "bare"}


def asked(found: object, app: Client | None = None) -> str:
    text = found if isinstance(found, str) else json.dumps(found)
    sent = Params([("authorization_details", text)], longest=100_000)
    return read(sent, app or client(), OAUTH21, RICH)


def test_what_is_asked_for_has_one_spelling() -> None:
    text = ' [ {"type" : "bare"} , {"type":"accounts","identifier":"\\u00e9"} ] '
    assert asked(text) == '[{"type":"bare"},{"type":"accounts","identifier":"é"}]'
    assert json.loads(asked([PAY, SEE, BARE])) == [PAY, SEE, BARE]


def test_nothing_asked_and_nobody_listening() -> None:
    assert read(params(), client(), OAUTH21, RICH) == ""
    assert read(params(authorization_details=""), client(), OAUTH21, RICH) == ""
    assert read(params(authorization_details="nonsense"), client(), CLASSIC, RICH) == ""


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ("nonsense", "details_malformed"),
        ("{}", "details_malformed"),
        ('"payment"', "details_malformed"),
        ("null", "details_malformed"),
        ('[{"type":"bare"},5]', "details_malformed"),
        ('[{"type":"bare","type":"bare"}]', "details_malformed"),
        ('[{"type":"bare"}]]', "details_malformed"),
        ('[{"type":"bare","identifier":"\\ud800"}]', "details_malformed"),
        ('[{"type":"bare","identifier":"' + "x" * LONGEST + '"}]', "details_malformed"),
        ("[" * 5000, "details_malformed"),
        ([], "details_many"),
        ([BARE] * (MOST + 1), "details_many"),
        ([PAY | {"amount": {"a": {"b": {"c": {"d": [1]}}}}}], "details_many"),
        ([{}], "details_type"),
        ([{"type": "other"}], "details_type"),
        ([{"type": 5}], "details_type"),
        ([{"type": ["bare"]}], "details_type"),
        ([{"type": "BARE"}], "details_type"),
        ([BARE, {"type": "other"}], "details_type"),
        ([BARE | {"amount": 5}], "details_field"),
        ([PAY | {"extra": 1}], "details_field"),
        ([{"type": "payment", "amount": {"value": "1"}}], "details_missing"),
        ([PAY | {"creditor": ""}], "details_missing"),
        ([PAY | {"amount": {}}], "details_missing"),
        ([PAY | {"creditor": None}], "details_missing"),
        ([BARE | {"identifier": 5}], "details_identifier"),
        ([BARE | {"actions": "read"}], "details_list"),
        ([BARE | {"locations": [5]}], "details_list"),
        ([BARE | {"datatypes": {}}], "details_list"),
        ([BARE | {"privileges": [["a"]]}], "details_list"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for(found: object, reason: str) -> None:
    with pytest.raises(InvalidAuthorizationDetails) as no:
        asked(found)
    assert (no.value.reason, no.value.code) == (reason, "invalid_authorization_details")
    assert no.value.description.isascii() and '"' not in no.value.description


def test_bounds_are_inside_them() -> None:
    assert asked([BARE] * MOST)
    value: Any = 1
    for _ in range(DEEPEST - 2):
        value = [value]
    assert asked([PAY | {"urgent": value}])


def test_a_client_asks_for_the_types_it_registered() -> None:
    app = client(registered=Registration(authorization_details_types=("bare",)))
    assert asked([BARE], app)
    with pytest.raises(InvalidAuthorizationDetails, match="type that this client cannot"):
        asked([SEE], app)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidAuthorizationDetails):
        asked(text.replace("\0", ""))


# --- at the token endpoint --------------------------------------------------------------------------------------------


def part(named: object | None, allowed: object | None, key: int = 1, app: Client | None = None) -> str:
    sent = params() if named is None else params(authorization_details=json.dumps(named))
    held = "" if allowed is None else json.dumps(allowed, separators=(",", ":"), ensure_ascii=False)
    root = authorization(account_id=key, terms=Terms(details=held))
    return narrowed(sent, root, app or client(), OAUTH21, RICH)


def test_a_part_of_what_was_allowed() -> None:
    assert part(None, [PAY, SEE]) == part(None, None) == ""
    assert part([PAY, SEE], [PAY, SEE]) == ""
    assert json.loads(part([SEE], [PAY, SEE])) == [SEE]
    assert json.loads(part([SEE, PAY], [PAY, SEE])) == [SEE, PAY]


@pytest.mark.parametrize(
    ("named", "allowed"),
    [
        ([SEE], None),
        ([SEE], [PAY]),
        ([PAY | {"creditor": "Somebody else"}], [PAY]),
        ([PAY, BARE], [PAY]),
        ([SEE | {"actions": ["list"]}], [SEE]),  # less is another thing: who can tell what a field means?
    ],
)
def test_and_nothing_else(named: object, allowed: object | None) -> None:
    with pytest.raises(InvalidAuthorizationDetails) as no:
        part(named, allowed)
    assert no.value.reason == "details_beyond"


def test_an_app_asks_for_itself_what_it_registered() -> None:
    app = client(registered=Registration(authorization_details_types=("bare", "accounts")))
    assert json.loads(part([BARE], None, NOBODY, app)) == [BARE]
    assert part(None, None, NOBODY, app) == ""
    for other in (app, client()):
        with pytest.raises(InvalidAuthorizationDetails):
            part([PAY] if other is app else [BARE], None, NOBODY, other)


# --- in words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (PAY, "Pay 12.50 EUR to Dee's Prints"),
        (PAY | {"amount": {"value": 5}}, "Pay 5 (not said) to Dee's Prints"),
        (PAY | {"amount": "all"}, "Pay (not said) (not said) to Dee's Prints"),
        (PAY | {"creditor": ["A", "B"]}, "Pay 12.50 EUR to A, B"),
        (PAY | {"creditor": {"name": "A", "iban": "DE1"}}, "Pay 12.50 EUR to name A, iban DE1"),
        (PAY | {"creditor": True}, "Pay 12.50 EUR to true"),
        (PAY | {"creditor": "x" * 400}, "Pay 12.50 EUR to " + "x" * 300 + "..."),
        (PAY | {"creditor": "{amount.value}"}, "Pay 12.50 EUR to {amount.value}"),
        (PAY | {"creditor": "a\u202eb\nc\u200bd"}, "Pay 12.50 EUR to a?b?c?d"),
        (SEE, "See list, read of 1"),
        (BARE | {"identifier": "1"}, "type: bare; identifier: 1"),
    ],
)
def test_how_it_is_put(entry: dict[str, Any], words: str) -> None:
    assert in_words(json.dumps([entry]), RICH)[0][0] == words


def test_everything_is_there_beside_the_words() -> None:
    said = in_words(json.dumps([PAY | {"urgent": True}, BARE]), RICH)
    assert said[0][1] == (
        "type: payment; amount: value 12.50, currency EUR; creditor: Dee's Prints; urgent: true"
    )
    assert said[1] == ("type: bare", "type: bare")
    assert in_words("", RICH) == []


def test_a_type_that_the_operator_took_away_speaks_for_itself() -> None:
    assert in_words(json.dumps([SEE]), BOOK)[0][0].startswith("type: accounts; actions: list, read;")


def test_an_app_may_ask_for_all_the_types_it_registered() -> None:
    app = client(registered=Registration(authorization_details_types=("bare", "accounts")))
    assert json.loads(part([BARE, SEE], None, NOBODY, app)) == [BARE, SEE]


def test_as_long_and_as_deep_as_it_may_be() -> None:
    head, tail = '[{"type":"bare","identifier":"', '"}]'
    long = head + "x" * (LONGEST - len(head) - len(tail)) + tail
    assert len(long) == LONGEST and asked(long) == long
    value: Any = []
    for _ in range(DEEPEST - 3):
        value = [value]
    assert asked([PAY | {"urgent": value}]), "an empty list is one deep"
    with pytest.raises(InvalidAuthorizationDetails):
        asked([PAY | {"urgent": [value]}])


def test_a_value_that_just_fits() -> None:
    words, _ = in_words(json.dumps([PAY | {"creditor": "x" * 300}]), RICH)[0]
    assert words == "Pay 12.50 EUR to " + "x" * 300
