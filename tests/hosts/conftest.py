"""What these tests ask for."""

from tests.house import build, clock, database, house_postgres

__all__ = ["build", "clock", "database", "house_postgres"]
