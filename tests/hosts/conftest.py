"""What these tests ask for."""

from tests.house import build, database, house_postgres

__all__ = ["build", "database", "house_postgres"]
