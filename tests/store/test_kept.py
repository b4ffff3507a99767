"""Kept records: only in the version that was asked for, not too many, and not for long."""

import pytest

from tests.store.samples import account
from valetkey.store import kept
from valetkey.store.kept import MOST, SECONDS, Kept


class FakeTime:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    clock = FakeTime()
    monkeypatch.setattr(kept, "time", clock)
    return clock


def test_a_record_is_found_in_its_version_only(time: FakeTime) -> None:
    accounts: Kept = Kept()
    assert accounts.find(1, 1) is None
    accounts.keep(1, account(version=2), 2)
    assert accounts.find(1, 2) == account(version=2)
    assert accounts.find(1, 1) is None and accounts.find(1, 3) is None and accounts.find(2, 2) is None
    accounts.keep(1, account(version=3), 3)
    assert accounts.find(1, 2) is None and accounts.find(1, 3) == account(version=3)


def test_after_a_minute_it_is_read_again_whatever_its_version(time: FakeTime) -> None:
    accounts: Kept = Kept()
    accounts.keep(1, account(), 1)
    time.now += SECONDS
    assert accounts.find(1, 1) == account()
    time.now += 0.1
    assert accounts.find(1, 1) is None


def test_the_oldest_goes_when_there_are_too_many(time: FakeTime) -> None:
    accounts: Kept = Kept()
    for key in range(MOST + 10):
        assert accounts.full == (key >= MOST)
        accounts.keep(key, account(key), 1)
        accounts.keep(10, account(10), 1)  # read again and again
    assert [key for key in range(MOST + 10) if accounts.find(key, 1) is None] == list(range(10))
