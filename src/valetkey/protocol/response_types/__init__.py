"""What the browser carries back (RFC 6749 3.1.1): one file a response_type, one line here."""

from valetkey.protocol.response_types.code import CODE
from valetkey.protocol.response_types.token import TOKEN
from valetkey.protocol.rules.response_type import ResponseType

RESPONSE_TYPES: dict[str, ResponseType] = {kind.name: kind for kind in (CODE, TOKEN)}
