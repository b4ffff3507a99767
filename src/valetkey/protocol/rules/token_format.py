"""Which form has an access token: opaque, or a JWT that its server reads by itself (RFC 9068)?"""

from valetkey.protocol.decision import Granted
from valetkey.protocol.model import Client
from valetkey.protocol.rules.rulebook import Rulebook

JWT = "jwt"


def is_jwt(granted: Granted, client: Client, book: Rulebook) -> bool:
    """The servers that it is for decide, as the operator named them; where none is named, the client does.

    What has no end is never a JWT: whoever reads it alone could not know that it was taken back.
    """
    if granted.lifetime is None:
        return False
    named = granted.terms.resource or granted.authorization.terms.resource
    if not named:
        return client.registered.access_token_format == JWT
    forms = [book.resources[uri].token_format for uri in named if uri in book.resources]
    return JWT in (forms or [client.registered.access_token_format])
