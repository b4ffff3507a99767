"""The code that a person copies from a device (RFC 8628 6.1)."""

import pytest

from valetkey.protocol.rules.user_code import LENGTH, LETTERS, read, spelled


@pytest.mark.parametrize(
    "typed",
    [
        "WDJB-MJHT",
        "wdjb-mjht",
        " WDJB MJHT ",
        "wdjbmjht",
        "W D J B - M J H T",
        "WDJB\N{EN DASH}MJHT",
        "wdjb_mjht.",
    ],
)
def test_it_is_read_as_people_type_it(typed: str) -> None:
    assert read(typed) == "WDJBMJHT"


@pytest.mark.parametrize(
    "typed",
    ["", "-", "WDJB-MJH", "WDJB-MJHTT", "WDJA-MJHT", "WDJB-MJH1", "WDJB-MJHÉ", "ＷDJB-MJHT", "WDJB-MJßT"],
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert read(typed) is None


def test_it_is_shown_in_two_halves() -> None:
    assert spelled("WDJBMJHT") == "WDJB-MJHT"
    assert (len(LETTERS), LENGTH) == (20, 8) and not set(LETTERS) & set("AEIOUY01")
