"""Ten thousand interleavings of holders, tabs, lost answers, crashes, clocks and thieves keep what 0026 promises.

So that this says something, the same search must find every fault that is planted in the rule.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace as other
from typing import Any

import pytest
from msgspec.structs import replace

from tests.torture import replay
from tests.torture.family import interleaving
from valetkey import settings
from valetkey.protocol.changes import Revoke
from valetkey.protocol.decision import Granted, Renewal
from valetkey.protocol.errors import InvalidGrant
from valetkey.protocol.grants import GRANTS
from valetkey.protocol.grants.refresh_token import REFRESH_TOKEN
from valetkey.protocol.rules.grant import Proven
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.store.base import Conflict
from valetkey.store.memory import MemoryStore
from valetkey.store.memory_log import Log
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

Rule = Callable[[Proven], Granted]
DECIDE: Rule = REFRESH_TOKEN.decide


def with_seal(**fields: Any) -> Rule:
    """The rule, and a seal that says something else."""

    def decide(asked: Proven) -> Granted:
        seal = asked.facts.successor
        seal = replace(seal, **fields) if seal else None
        return DECIDE(replace(asked, facts=replace(asked.facts, successor=seal)))

    return decide


def no_retry(asked: Proven) -> Granted:
    return DECIDE(replace(asked, facts=replace(asked.facts, successor=None)))


def nobody_ended(asked: Proven) -> Granted:
    try:
        return DECIDE(asked)
    except InvalidGrant as error:
        error.changes = ()
        raise


def nobody_told(asked: Proven) -> Granted:
    try:
        return DECIDE(asked)
    except InvalidGrant as error:
        error.changes = tuple(change for change in error.changes if isinstance(change, Revoke))
        raise


def grace(asked: Proven) -> Granted:
    """What others do in the window: one successor more."""
    granted = DECIDE(asked)
    return replace(granted, beside=None, renew=Renewal(3600)) if granted.beside else granted


RULES: dict[str, Rule] = {
    "a retry is taken for a theft": no_retry,
    "a retry gets another successor": grace,
    "reuse ends nothing": nobody_ended,
    "nobody is told": nobody_told,
    "the window never shuts": with_seal(expires_at=10**12),
    "use of the successor is not seen": with_seal(used_at=None),
    "every retry is too late": with_seal(used_at=0),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_fault_in_the_rule_is_found(
    server: AuthorizationServer, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(GRANTS, "refresh_token", other(REFRESH_TOKEN, decide=rule))
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
        tables._log.put(tables.refreshes, change.digest, replace(found, spent_at=change.at))

    monkeypatch.setattr(Tables, "_spend", spend)
    search(server, random.Random(4), 200)
    monkeypatch.setattr(Log, "put_new", Log.put)
    with pytest.raises(AssertionError, match=r"two successors|refresh tokens can be used"):
        search(server, random.Random(4), 2000)
