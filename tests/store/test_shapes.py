"""What apps ask for most often is written by PostgreSQL in one statement for many of them at once."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.protocol.samples import VERIFIER
from tests.torture.stepping import NOTHING, at_once
from valetkey import settings
from valetkey.protocol.changes import Changes, Save, Still
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.model import (
    NOBODY,
    Account,
    Authorization,
    AuthorizationCode,
    Client,
    RefreshToken,
    Registration,
)
from valetkey.protocol.params import Params
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.headers import NO_HEADERS
from valetkey.protocol.rules.pkce import s256
from valetkey.server import mint
from valetkey.server import token as acts
from valetkey.server.authorization_server import assemble
from valetkey.store.memory import MemoryStore
from valetkey.store.postgres_sql import SHAPES
from valetkey.store.statements import NEW_ONCE
from valetkey.store.steps import steps_of

CODE_ONLY = Registration(grant_types=("authorization_code",))
CODE = {"grant_type": "authorization_code", "code": "c", "code_verifier": VERIFIER}


class Watched(MemoryStore):
    """Keeps the last list of changes."""

    async def apply(self, changes: Changes) -> None:
        self.last = changes
        await super().apply(changes)


@pytest.mark.parametrize(
    ("registered", "fields"),
    [
        (CODE_ONLY, CODE),
        (Registration(), CODE),
        (Registration(), {"grant_type": "refresh_token", "refresh_token": "r"}),
        (Registration(grant_types=("client_credentials",)), {"grant_type": "client_credentials"}),
    ],
    ids=["a code", "a code and a refresh token", "a refresh", "client credentials"],
)
def test_it_has_a_statement_for_many(registered: Registration, fields: dict[str, Any]) -> None:
    store = Watched()
    server = assemble(settings.Settings(database="memory://"), store)
    now = server.clock()
    app = Client("app", 1, "App", "web", "oauth21", (), now, (mint.kept("s", now),), registered=registered)
    root = Authorization(1, 1, "app", ("basic",), now)
    code = AuthorizationCode(digest("c"), root, "", now + 60, s256(VERIFIER))
    refresh = RefreshToken(digest("r"), root, now, now + 60)
    owner = Account(1, "owner", "owner", "Owner", "", "argon2", now)
    own = Authorization(2, NOBODY, "app", (), now)
    at_once(store.apply(tuple(map(Save, (owner, app, root, code, refresh, own)))))
    asked = Params(({"client_id": "app", "client_secret": "s"} | fields).items())
    reply = at_once(acts.token(server, OAUTH21, asked, NOTHING, NO_HEADERS))
    assert reply.status == 200, reply
    shape = tuple(step.statement for step in steps_of(store.last))
    for keys in range(3):  # of an assertion, of a proof
        assert (NEW_ONCE,) * keys + shape in SHAPES


class Again(Watched):
    """It has been asked before for what an app has for itself."""

    def own_at_hand(self, client_id: str) -> ExchangeFacts | None:
        return replace(at_once(self.own_facts(client_id)), edition=0)


def test_what_is_decided_on_what_was_kept_has_one_too() -> None:
    store = Again()
    server = assemble(settings.Settings(database="memory://"), store)
    now = server.clock()
    registered = Registration(grant_types=("client_credentials",))
    app = Client("app", 1, "App", "web", "oauth21", (), now, (mint.kept("s", now),), registered=registered)
    at_once(store.apply((Save(app), Save(Authorization(2, NOBODY, "app", (), now)))))
    asked = {"client_id": "app", "client_secret": "s", "grant_type": "client_credentials"}
    work = acts.token(server, OAUTH21, Params(asked.items()), NOTHING, NO_HEADERS)
    assert at_once(work).status == 200
    assert store.last[0] == Still(0)
    assert tuple(step.statement for step in steps_of(store.last)) in SHAPES
