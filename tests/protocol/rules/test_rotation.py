"""Rotation as tables of cases: which key signs, which are shown, which is due."""

import pytest
from msgspec.structs import replace

from valetkey.protocol.rules import rotation
from valetkey.protocol.rules.rotation import SECRET, Due, Schedule
from valetkey.protocol.sealed_key import SealedKey

NOW = 1_000_000
DAY = 86400
PLAN = Schedule(("ES256", "RS256"), 90 * DAY, DAY, 3600)


def key(name: str, start: int, alg: str = "ES256", after: str = "", **more: int | None) -> SealedKey:
    return replace(SealedKey(name, alg, "{}", b"", NOW, start, after or alg), **more)


SECRET_KEY = key("s", NOW, SECRET)
A = key("a", NOW - DAY)
B = key("b", NOW + DAY, after="a")
R = key("r", NOW - 5, "RS256")
RETIRED = key("old", NOW - 9 * DAY, retires_at=NOW - DAY, gone_at=NOW + 60)
GONE = key("gone", NOW - 9 * DAY, retires_at=NOW - DAY, gone_at=NOW)


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ([], []),
        ([SECRET_KEY, A, B], ["a", "b"]),
        ([RETIRED, A], ["old", "a"]),
        ([GONE, A], ["a"]),
    ],
)
def test_shown_from_the_start_until_nobody_needs_it(keys: list[SealedKey], shown: list[str]):
    assert [each.id for each in rotation.shown(keys, NOW)] == shown


@pytest.mark.parametrize(
    ("keys", "algorithms", "signs"),
    [
        ([], ("ES256",), None),
        ([SECRET_KEY], (SECRET,), None),
        ([A, B], ("ES256",), "a"),
        ([A, replace(B, active_from=NOW)], ("ES256",), "b"),  # the later of two
        ([replace(A, retires_at=NOW), replace(B, active_from=NOW)], ("ES256",), "b"),
        ([RETIRED], ("ES256",), None),
        ([replace(A, retires_at=NOW)], ("ES256",), None),
        ([A, R], ("RS256", "ES256"), "r"),
        ([A, R], ("ES256", "RS256"), "a"),
        ([A], ("RS256", "ES256"), "a"),  # what is there, where the first one is not
        ([A], ("RS256",), None),
        ([B, replace(R, active_from=NOW + 1)], ("ES256", "RS256"), "b"),  # nothing has begun: another clock
        ([B, key("c", NOW + 5, after="x")], ("ES256",), "c"),
        ([B, replace(R, retires_at=NOW + 1)], ("ES256", "RS256"), "r"),
    ],
)
def test_who_signs(keys: list[SealedKey], algorithms: tuple[str, ...], signs: str | None):
    found = rotation.signing(keys, algorithms, NOW)
    assert (found.id if found else None) == signs


def test_the_newest_is_the_one_that_no_other_follows():
    assert rotation.newest([A, B, R], "ES256") is B
    assert rotation.newest([replace(A, active_from=NOW + 9 * DAY), B], "ES256") is B
    assert rotation.newest([A, B], "RS256") is None


AGING = replace(A, active_from=NOW - 89 * DAY)
ANCIENT = replace(A, active_from=NOW - 400 * DAY)


@pytest.mark.parametrize(
    ("keys", "due"),
    [
        ([], [Due("ES256", None, NOW), Due("RS256", None, NOW)]),
        ([SECRET_KEY, A, R], []),
        ([A], [Due("RS256", None, NOW + DAY)]),  # another algorithm is shown before it is used, too
        ([A, B, R], []),
        ([replace(AGING, active_from=NOW - 89 * DAY + 1), R], []),
        ([AGING, R], [Due("ES256", AGING, NOW + DAY)]),
        ([ANCIENT, R], [Due("ES256", ANCIENT, NOW + DAY)]),  # nobody kept house for a year
        ([RETIRED, R], [Due("ES256", RETIRED, NOW + DAY)]),
        ([RETIRED], [Due("ES256", RETIRED, NOW), Due("RS256", None, NOW)]),
    ],
)
def test_what_is_due(keys: list[SealedKey], due: list[Due]):
    assert rotation.due(keys, PLAN, NOW) == due


def test_what_a_key_follows():
    assert Due("ES256", None, NOW).follows == "ES256"
    assert Due("ES256", A, NOW).follows == "a"


@pytest.mark.parametrize(
    ("each", "ends"),
    [
        (key("p", NOW - 90 * DAY, "PS256"), True),
        (key("p", NOW - 90 * DAY + 1, "PS256"), False),
        (key("p", NOW - 90 * DAY, "PS256", retires_at=NOW - 5), False),
        (key("p", NOW - 90 * DAY, "ES256"), False),
        (key("p", NOW - 90 * DAY, SECRET), False),
    ],
)
def test_what_is_not_wanted_any_more_ends_at_its_time(each: SealedKey, ends: bool):
    ended = replace(each, retires_at=NOW, gone_at=NOW + 3600, version=2)
    assert rotation.outlived([each], PLAN, NOW) == ([ended] if ends else [])


def test_an_end_is_never_put_off():
    assert rotation.ended(A, NOW + 5, PLAN) == replace(A, retires_at=NOW + 5, gone_at=NOW + 3605, version=2)
    assert rotation.ended(RETIRED, NOW, PLAN) == replace(RETIRED, gone_at=NOW - DAY + 3600, version=2)


def test_what_leaked_is_shown_no_more():
    again = rotation.ended(rotation.leaked(A, NOW), NOW + 5, PLAN)
    assert (again.retires_at, again.gone_at) == (NOW, NOW)
    assert rotation.leaked(A, NOW) == replace(A, retires_at=NOW, gone_at=NOW, version=2)
    assert rotation.shown([rotation.leaked(A, NOW)], NOW) == []


def test_what_waits_can_begin():
    assert rotation.signing([rotation.brought_forward(B, NOW)], ("ES256",), NOW) is not None
    assert rotation.brought_forward(B, NOW) == replace(B, active_from=NOW, version=2)
