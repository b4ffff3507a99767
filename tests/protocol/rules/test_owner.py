"""Who is logged in, and may they use this app? (D10, G5)"""

import pytest

from tests.protocol.samples import NOW, account, client, session
from valetkey.protocol.errors import AccessDenied
from valetkey.protocol.facts import AuthorizeFacts
from valetkey.protocol.model import Account, Client
from valetkey.protocol.rules.owner import check_sandbox, living_account


@pytest.mark.parametrize(
    ("facts", "who"),
    [
        (AuthorizeFacts(session=session(), account=account()), account()),
        (AuthorizeFacts(), None),
        (AuthorizeFacts(account=account()), None),
        (AuthorizeFacts(session=session()), None),
        (AuthorizeFacts(session=session(NOW), account=account()), None),
        (AuthorizeFacts(session=session(), account=account(disabled_at=NOW)), None),
    ],
)
def test_only_a_living_session_of_a_living_account_counts(facts: AuthorizeFacts, who: Account | None) -> None:
    assert living_account(facts, NOW) == who


@pytest.mark.parametrize(
    ("app", "allowed"),
    [
        (client(), True),
        (client(sandbox=True), False),
        (client(sandbox=True, owner_id=1), True),
        (client(sandbox=True, testers=(2, 1)), True),
        (client(sandbox=True, testers=(2,)), False),
    ],
)
def test_an_app_in_development_is_for_its_own_people(app: Client, allowed: bool) -> None:
    if allowed:
        return check_sandbox(app, account())
    with pytest.raises(AccessDenied) as caught:
        check_sandbox(app, account())
    assert caught.value.reason == "not_a_tester"
