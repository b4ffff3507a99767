"""Residence: does this client live where the endpoint is, and under which rules? (classic.md 3: two token endpoints)"""

from valetkey.protocol.model import Client
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules.rulebook import Rulebook


def at(profile: Profile, client: Client | None, book: Rulebook) -> tuple[Client | None, Profile]:
    """The client and its own profile; nobody, and the endpoint's profile, for one that lives elsewhere."""
    own = profile if client is None else book.profiles[client.profile]
    return (client, own) if own.token_path == profile.token_path else (None, profile)
