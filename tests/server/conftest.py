"""What these tests ask for."""

from tests.house import clock
from tests.publisher import site

__all__ = ["clock", "site"]
