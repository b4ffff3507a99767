"""Ten thousand interleavings of holders, tabs, lost answers, crashes, clocks and thieves keep what 0026 promises.

So that this says something, the same search must find every fault that is planted in the rule.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.torture import replay
from tests.torture.family import interleaving
from valetkey import settings
from valetkey.protocol.changes import Revoke
from valetkey.protocol.decision import Granted, Renewal, Repeated
from valetkey.protocol.errors import InvalidGrant
from valetkey.protocol.grants import refresh_token
from valetkey.protocol.model import Account, RefreshToken
from valetkey.protocol.rules.grant import Proven
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.store.base import Conflict
from valetkey.store.memory import MemoryStore
from valetkey.store.memory_tables import Tables

pytestmark = pytest.mark.torture
INTERLEAVINGS = 10_000
KINDS = {"rotated", "told again", "asked again", "lost", "crashed", "alone", "found before", "found at last"}


@pytest.fixture
def server() -> AuthorizationServer:
    return assemble(settings.Settings(database="memory://"), MemoryStore())


def search(server: AuthorizationServer, chance: random.Random, count: int) -> Counter[str]:
    """So many interleavings; the one that breaks a promise is named."""
    seen = Counter[str]()
    for number in range(count):
        seed = chance.randrange(10**12)
        try:
            seen += interleaving(server, random.Random(seed))
        except AssertionError as error:
            raise AssertionError(f"interleaving {number}, Random({seed}): {error}") from error
    return seen


def test_no_fork_no_false_revocation_and_every_theft_is_found(
    server: AuthorizationServer, long_torture: bool
) -> None:
    began = time.monotonic()
    seen = search(server, replay.chance(long_torture), INTERLEAVINGS * (10 if long_torture else 1))
    print(f"{dict(seen)} in {time.monotonic() - began:.1f} s")
    assert set(seen) == KINDS


# --- faults, each of which the search must find -----------------------------------------------------------------------

Again = Callable[[Proven, RefreshToken, Account, int], Granted | Repeated]
AGAIN: Again = refresh_token.again


def with_seal(**fields: Any) -> Again:
    """The rule, and a seal that says something else."""

    def again(asked: Proven, refresh: RefreshToken, account: Account, at: int) -> Granted | Repeated:
        seal = asked.facts.successor
        seal = replace(seal, **fields) if seal else None
        return AGAIN(replace(asked, facts=replace(asked.facts, successor=seal)), refresh, account, at)

    return again


def no_retry(asked: Proven, refresh: RefreshToken, account: Account, at: int) -> Granted | Repeated:
    return AGAIN(replace(asked, facts=replace(asked.facts, successor=None)), refresh, account, at)


def nobody_ended(asked: Proven, refresh: RefreshToken, account: Account, at: int) -> Granted | Repeated:
    try:
        return AGAIN(asked, refresh, account, at)
    except InvalidGrant as error:
        error.changes = ()
        raise


def nobody_told(asked: Proven, refresh: RefreshToken, account: Account, at: int) -> Granted | Repeated:
    try:
        return AGAIN(asked, refresh, account, at)
    except InvalidGrant as error:
        error.changes = tuple(change for change in error.changes if isinstance(change, Revoke))
        raise


def grace(asked: Proven, refresh: RefreshToken, account: Account, at: int) -> Granted | Repeated:
    """What others do in the window: one successor more."""
    found = AGAIN(asked, refresh, account, at)
    root, profile = refresh.authorization, asked.profile
    assert isinstance(found, Granted | Repeated)
    return Granted(root, account, profile, profile.token_lifetime, (), renew=Renewal(3600))


RULES: dict[str, Again] = {
    "a retry is taken for a theft": no_retry,
    "a retry gets another successor": grace,
    "reuse ends nothing": nobody_ended,
    "nobody is told": nobody_told,
    "the window never shuts": with_seal(expires_at=10**12),
    "use of the successor is not seen": with_seal(used_at=None),
    "every retry is too late": with_seal(used_at=0),
}


@pytest.mark.parametrize("again", RULES.values(), ids=RULES)
def test_a_fault_in_the_rule_is_found(
    server: AuthorizationServer, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh_token, "again", again)
    with pytest.raises(AssertionError, match=r"Random\(\d+\)"):
        search(server, random.Random(4), 2000)


def test_a_token_that_can_be_spent_twice_is_found(
    server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes two faults: the seal, of which a token has one, is a second lock."""

    def spend(tables: Tables, change: Any) -> None:
        found = tables.refreshes.get(change.digest)
        if found is None:
            raise Conflict
        tables._put(tables.refreshes, change.digest, replace(found, spent_at=change.at))

    monkeypatch.setattr(Tables, "_spend", spend)
    search(server, random.Random(4), 200)
    monkeypatch.setattr(Tables, "_put_new", Tables._put)
    with pytest.raises(AssertionError, match=r"two successors|refresh tokens can be used"):
        search(server, random.Random(4), 2000)
