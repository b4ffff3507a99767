"""client_credentials: an app asks for itself (RFC 6749 4.4). Nobody's data, and no refresh token (4.4.3)."""

from msgspec.structs import replace

from valetkey.protocol.decision import Granted
from valetkey.protocol.errors import UnauthorizedClient
from valetkey.protocol.model import NOBODY, Authorization
from valetkey.protocol.rules import scope as scopes
from valetkey.protocol.rules.grant import Grant, Proven


def decide(asked: Proven) -> Granted:
    """What the client registered is all that it can ask for itself. One authorization stands above all its tokens, each
    of which has a scope of its own."""
    client, profile = asked.client, asked.profile
    if not client.confidential:
        raise UnauthorizedClient("client_public", "only a client that can keep a secret may ask for itself")
    named = asked.params.get("scope") or " ".join(client.registered.scope)
    scope = scopes.read(named, profile.always_scope, asked.book.catalogue)
    scopes.check_registered(scope, client)
    terms, own = replace(asked.sender, scope=scope), asked.facts.own
    root = own or Authorization(0, NOBODY, client.id, (), asked.now)
    return Granted(root, None, profile, profile.token_lifetime, (), terms, new=own is None)


CLIENT_CREDENTIALS = Grant(name="client_credentials", redeems="", decide=decide)
