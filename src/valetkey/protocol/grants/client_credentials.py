"""client_credentials: an app asks for itself (RFC 6749 4.4). Nobody's data, and no refresh token (4.4.3)."""

from valetkey.protocol.decision import Granted
from valetkey.protocol.errors import UnauthorizedClient
from valetkey.protocol.model import NOBODY, Authorization
from valetkey.protocol.rules import scope as scopes
from valetkey.protocol.rules.grant import Grant, Proven


def decide(asked: Proven) -> Granted:
    """What the client registered is all that it can ask for itself."""
    client, profile = asked.client, asked.profile
    if not client.confidential:
        raise UnauthorizedClient("client_public", "only a client that can keep a secret may ask for itself")
    named = asked.params.get("scope") or " ".join(client.registered.scope)
    scope = scopes.read(named, profile.always_scope, asked.book.catalogue)
    scopes.check_registered(scope, client)
    root = Authorization(0, NOBODY, client.id, scope, asked.now)
    return Granted(root, None, profile, profile.token_lifetime, (), asked.sender, new=True)


CLIENT_CREDENTIALS = Grant(name="client_credentials", redeems="", decide=decide)
