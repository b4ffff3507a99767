"""Is this the client's secret? (R8, R9, D3)"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.samples import NOW, SECRET, client, digest, public, secret
from valetkey.protocol.model import Client, ClientSecret
from valetkey.protocol.rules.client_secret import matches


@pytest.mark.parametrize(
    ("app", "shown", "ok"),
    [
        (client(), SECRET, True),
        (client(), SECRET[:-1], False),
        (client(), SECRET + " ", False),
        (client(), SECRET + "\0", False),
        (client(), SECRET.upper(), False),
        (client(), "", False),
        (client(), "é", False),
        (client(secrets=()), SECRET, False),
        (client(secrets=()), "", False),
        (public(), "", False),
        (client(secrets=(secret("new"), secret("old", NOW + 1))), "new", True),
        (client(secrets=(secret("new"), secret("old", NOW + 1))), "old", True),
        (client(secrets=(secret("new"), secret("old", NOW))), "old", False),
        (client(secrets=(secret("old", NOW), secret("new"))), "new", True),
        (client(secrets=(secret("same", NOW), secret("same"))), "same", True),
        (client(secrets=(secret("same"), secret("same", NOW))), "same", True),
    ],
)
def test_which_secret_is_the_clients(app: Client, shown: str, ok: bool) -> None:
    assert matches(app, shown, NOW) is ok


@given(st.text(), st.text())
def test_only_the_whole_secret_matches(kept: str, shown: str) -> None:
    app = client(secrets=(ClientSecret(digest(kept), b"", "", NOW),))
    assert matches(app, shown, NOW) is (kept == shown)
    assert matches(app, kept, NOW) is True
