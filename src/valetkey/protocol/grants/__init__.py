"""What a client may hand in for a token (RFC 6749 4): one file a grant_type, one line here."""

from valetkey.protocol.grants.authorization_code import AUTHORIZATION_CODE
from valetkey.protocol.grants.client_credentials import CLIENT_CREDENTIALS
from valetkey.protocol.grants.device_code import DEVICE_CODE
from valetkey.protocol.grants.jwt_bearer import JWT_BEARER
from valetkey.protocol.grants.refresh_token import REFRESH_TOKEN
from valetkey.protocol.grants.token_exchange import TOKEN_EXCHANGE
from valetkey.protocol.rules.grant import Grant

GRANTS: dict[str, Grant] = {
    grant.name: grant
    for grant in (
        AUTHORIZATION_CODE,
        REFRESH_TOKEN,
        CLIENT_CREDENTIALS,
        DEVICE_CODE,
        TOKEN_EXCHANGE,
        JWT_BEARER,
    )
}
