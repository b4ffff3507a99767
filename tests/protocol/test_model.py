"""The nouns: what an app is by its type alone."""

import pytest

from tests.protocol.samples import client
from valetkey.protocol.model import Registration

PERSONAL = ("authorization_code", "refresh_token")


@pytest.mark.parametrize(
    ("kind", "grants", "confidential"),
    [
        ("web", PERSONAL, True),
        ("spa", PERSONAL, False),
        ("native", PERSONAL, False),
        ("service", ("client_credentials",), True),
    ],
)
def test_what_an_app_may_use_and_keep(kind: str, grants: tuple[str, ...], confidential: bool) -> None:
    app = client(type=kind)
    assert (app.grant_types, app.confidential) == (grants, confidential)
    chosen = client(type=kind, registered=Registration(grant_types=("password",)))
    assert chosen.grant_types == ("password",)
