"""Step-up: which tokens do for a call, and what the others are told to come with (RFC 9470 3)."""

import pytest

from tests.protocol.samples import NOW, authorization, digest
from valetkey.protocol.errors import InsufficientUserAuthentication
from valetkey.protocol.model import TERMS, AccessToken, Terms
from valetkey.protocol.rules.step_up import challenge, check


def token(own: Terms = TERMS, root: Terms = TERMS) -> AccessToken:
    return AccessToken(digest("t"), authorization(terms=root), NOW, None, own)


LONG_AGO, NOW_ISH = Terms(auth_time=NOW - 61, acr="1"), Terms(auth_time=NOW - 60, acr="2")


@pytest.mark.parametrize(
    ("shown", "acr", "max_age", "reason"),
    [
        (token(), (), 0, ""),
        (token(root=LONG_AGO), (), 0, ""),
        (token(), (), 60, "login_old"),
        (token(root=LONG_AGO), (), 60, "login_old"),
        (token(root=NOW_ISH), (), 60, ""),
        (token(NOW_ISH, LONG_AGO), (), 60, ""),
        (token(LONG_AGO, NOW_ISH), (), 60, "login_old"),
        (token(), ("1",), 0, "acr_low"),
        (token(root=LONG_AGO), ("1",), 0, ""),
        (token(root=LONG_AGO), ("3", "1"), 0, ""),
        (token(root=LONG_AGO), ("2",), 0, "acr_low"),
        (token(NOW_ISH, LONG_AGO), ("1",), 0, "acr_low"),
        (token(root=NOW_ISH), ("1",), 60, "acr_low"),
        (token(root=LONG_AGO), ("1",), 60, "login_old"),
    ],
)
def test_what_does(shown: AccessToken, acr: tuple[str, ...], max_age: int, reason: str) -> None:
    if not reason:
        return check(shown, acr, max_age, NOW)
    with pytest.raises(InsufficientUserAuthentication) as no:
        check(shown, acr, max_age, NOW)
    assert (no.value.reason, no.value.code) == (reason, "insufficient_user_authentication")


@pytest.mark.parametrize(
    ("acr", "max_age", "parts"),
    [
        ((), 0, []),
        (("1", "2"), 0, ['acr_values="1 2"']),
        ((), 60, ['max_age="60"']),
        (("1",), 60, ['acr_values="1"', 'max_age="60"']),
    ],
)
def test_what_is_asked_for_instead(acr: tuple[str, ...], max_age: int, parts: list[str]) -> None:
    assert challenge(acr, max_age) == parts
