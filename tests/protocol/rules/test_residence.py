"""Residence: who lives where the endpoint is, and under which rules."""

import pytest

from tests.protocol.samples import BOOK, client
from valetkey.protocol.model import Client
from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules import residence

OLD, NEW = client(), client(profile="oauth20")


@pytest.mark.parametrize(
    ("where", "who", "found", "rules"),
    [
        (CLASSIC, None, None, CLASSIC),
        (CLASSIC, OLD, OLD, CLASSIC),
        (CLASSIC, NEW, None, CLASSIC),
        (OAUTH21, None, None, OAUTH21),
        (OAUTH21, OLD, None, OAUTH21),
        (OAUTH21, NEW, NEW, OAUTH20),
    ],
)
def test_where_a_client_is_known(
    where: Profile, who: Client | None, found: Client | None, rules: Profile
) -> None:
    assert residence.at(where, who, BOOK) == (found, rules)
