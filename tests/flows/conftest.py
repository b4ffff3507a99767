"""Every story runs on each kind of database."""

from tests.flows.devices import box
from tests.house import app, browser, build, clock, database, house, house_postgres, snoop
from tests.proofs import key
from tests.publisher import site

__all__ = [
    "app",
    "box",
    "browser",
    "build",
    "clock",
    "database",
    "house",
    "house_postgres",
    "key",
    "site",
    "snoop",
]
