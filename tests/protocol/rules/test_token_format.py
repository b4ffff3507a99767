"""Which form an access token has, as a table."""

import pytest

from tests.protocol.samples import BOOK, account, authorization, client, other_rules
from valetkey.protocol.decision import Granted
from valetkey.protocol.model import Registration, Terms
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.resource import Resource
from valetkey.protocol.rules.token_format import is_jwt

OPAQUE, SELF = "https://opaque.test/", "https://self.test/"
OURS = other_rules(
    BOOK,
    resources={
        OPAQUE: Resource(OPAQUE),
        SELF: Resource(SELF, token_format="jwt"),
        "urn:x": Resource("urn:x"),
    },
)


@pytest.mark.parametrize(
    ("registered", "of_token", "of_root", "lifetime", "jwt"),
    [
        ("", (), (), 60, False),
        ("opaque", (), (), 60, False),
        ("jwt", (), (), 60, True),
        ("jwt", (), (), None, False),  # for ever
        ("jwt", ("https://unknown.test/",), (), 60, True),
        ("", (SELF,), (), 60, True),
        ("", (), (SELF,), 60, True),
        ("", (SELF,), (), None, False),
        (
            "jwt",
            (OPAQUE,),
            (SELF,),
            60,
            False,
        ),  # the token's own word counts, and the server's before the client's
        ("opaque", (OPAQUE, SELF), (), 60, True),
    ],
)
def test_the_form(
    registered: str, of_token: tuple[str, ...], of_root: tuple[str, ...], lifetime: int | None, jwt: bool
):
    root = authorization(terms=Terms(resource=of_root))
    granted = Granted(root, account(), PROFILES["oauth21"], lifetime, (), Terms(resource=of_token))
    assert is_jwt(granted, client(registered=Registration(access_token_format=registered)), OURS) is jwt
