"""Every attack is made on each kind of database, with all that a story has."""

from tests.flows.conftest import *  # noqa: F403
