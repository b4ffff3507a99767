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
