"""The way to PostgreSQL: nobody is given a server that another connection knows to be replaced."""

from typing import Any

import pytest

from valetkey.store import Unavailable, postgres_way
from valetkey.store.address import Address
from valetkey.store.postgres_way import Reached, Way


class Connection:
    gone = False

    def terminate(self) -> None:
        self.gone = True


async def test_who_was_replaced_while_we_connected_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    old, way = Connection(), Way(Address("postgresql", "a", others=("b",)))

    async def reach(*_: Any) -> Reached:
        way.timeline = "00000002"  # another connection finds the new primary meanwhile
        return Reached("00000001", old)

    monkeypatch.setattr(postgres_way, "reach", reach)
    with pytest.raises(Unavailable, match="promoted"):
        await way.connect()
    assert old.gone and way.timeline == "00000002"


async def test_who_is_not_looked_for_again_at_once_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up asks twice, and the log has what the second one says."""
    tries, way = [], Way(Address("postgresql", "a"))

    async def reach(*_: Any) -> Reached:
        tries.append(1)
        raise Unavailable("PostgreSQL: connection refused")

    monkeypatch.setattr(postgres_way, "reach", reach)
    for _ in range(2):
        with pytest.raises(Unavailable, match="connection refused"):
            await way.connect()
    assert len(tries) == 1
