"""How a client proves who it is (RFC 6749 2.3): one file a method, one line here."""

from valetkey.protocol.client_auth.basic import CLIENT_SECRET_BASIC
from valetkey.protocol.client_auth.none import NONE
from valetkey.protocol.client_auth.post import CLIENT_SECRET_POST
from valetkey.protocol.rules.credentials import ClientAuth

METHODS: dict[str, ClientAuth] = {
    method.name: method for method in (CLIENT_SECRET_BASIC, CLIENT_SECRET_POST, NONE)
}
