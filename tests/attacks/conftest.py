"""Every attack is made on each kind of database."""

from tests.house import build, database, house, house_postgres

__all__ = ["build", "database", "house", "house_postgres"]
