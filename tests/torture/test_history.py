"""The checker of histories finds planted violations, and lets pass what can have happened."""

import pytest

from tests.torture.history import Call, Code, explain, life_of_a_code


def calls(text: str) -> list[Call]:
    """One call a line: name answer began ended; answers: yes, no, none, or a token."""
    words = {"yes": True, "no": False, "none": None}
    rows = [line.split() for line in text.strip().splitlines()]
    return [
        Call(name, words.get(answer, answer), float(began), float(ended))
        for name, answer, began, ended in rows
    ]


POSSIBLE = {
    "one after the other": "issue yes 0 1\nredeem t 2 3\nuse yes 4 5\nredeem no 6 7\nuse no 8 9",
    "two redeem at once, one wins, the other ends it": "issue yes 0 1\nredeem t 2 5\nredeem no 2 6\nuse no 7 8",
    "a use overlaps the replay": "issue yes 0 1\nredeem t 2 3\nredeem no 4 9\nuse no 5 6\nuse no 7 8",
    "uses overlap the revocation": "issue yes 0 1\nredeem t 2 3\nuse yes 4 9\nrevoke yes 4 8\nuse no 5 7",
    "revoked before it was redeemed": "issue yes 0 1\nrevoke yes 2 3\nredeem no 4 5",
    "issued while revoking, then dead": "revoke yes 0 9\nissue yes 1 2\nredeem no 10 11",
    "asked again after the revocation": "issue yes 0 1\nrevoke yes 2 3\nissue no 4 5",
    "a cut-off redemption took effect": "issue yes 0 1\nredeem none 2 3\nredeem no 4 5",
    "a cut-off redemption did not": "issue yes 0 1\nredeem none 2 3\nredeem t 4 5\nuse yes 6 7",
    "a cut-off revocation came late": "issue yes 0 1\nrevoke none 2 3\nredeem t 4 5\nuse yes 6 7\nuse no 8 9",
}
IMPOSSIBLE = {
    "a code spent twice": "issue yes 0 1\nredeem t 2 5\nredeem u 3 6",
    "a fresh code refused": "issue yes 0 1\nredeem no 2 3",
    "a code redeemed before it was issued": "redeem t 0 1\nissue yes 2 3",
    "a token that works after its revocation": "issue yes 0 1\nredeem t 2 3\nrevoke yes 4 5\nuse yes 6 7",
    "a token that works after its replay": "issue yes 0 1\nredeem t 2 3\nredeem no 4 5\nuse yes 6 7",
    "a token that comes back": "issue yes 0 1\nredeem t 2 3\nrevoke yes 4 9\nuse no 5 6\nuse yes 7 8",
    "a token that does not work": "issue yes 0 1\nredeem t 2 3\nuse no 4 5",
    "a code that outlives its revocation": "issue yes 0 1\nrevoke yes 2 3\nredeem t 4 5",
    "a code of a consent that is gone": "revoke yes 0 9\nissue yes 1 2\nredeem t 10 11",
    "a question although consent stands": "issue no 0 1",
    "a revocation that took back nothing": "revoke yes 0 1\nissue yes 2 3",
    "a cut-off redemption that won, and another": "issue yes 0 1\nredeem none 2 3\nredeem t 4 5\nredeem u 6 7",
}


@pytest.mark.parametrize("history", POSSIBLE.values(), ids=POSSIBLE)
def test_what_can_have_happened_is_explained(history: str):
    assert explain(calls(history), Code(), life_of_a_code) is not None


@pytest.mark.parametrize("history", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_have_happened_is_found(history: str):
    assert explain(calls(history), Code(), life_of_a_code) is None


def test_the_order_is_one_that_the_model_takes():
    order = explain(
        calls("use yes 4 9\nissue yes 0 1\nrevoke yes 4 8\nredeem t 2 3\nuse no 5 7"), Code(), life_of_a_code
    )
    assert order is not None
    assert [(call.name, call.answer) for call in order] == [
        ("issue", True), ("redeem", "t"), ("use", True), ("revoke", True), ("use", False),
    ]  # fmt: skip
