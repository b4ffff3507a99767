"""What each change writes, as statements for both databases; see steps.py for which of them must find a row."""

from valetkey.protocol.model import AuthorizationCode, DeviceRequest, PushedRequest, RefreshToken, Ticket
from valetkey.store.rows import (
    ACCOUNT,
    AUTHORIZATION,
    CLIENT,
    DEVICE,
    KEY,
    NOTICE,
    PUSHED,
    REGISTRATION_TOKEN,
    SESSION,
    TICKET,
)


def _insert(table: str, names: list[str]) -> str:
    values = ", ".join(f"${n}" for n in range(1, len(names) + 1))
    return f"INSERT INTO {table}({', '.join(names)}) VALUES({values}) ON CONFLICT DO NOTHING"


def _update(table: str, names: list[str]) -> str:
    """Write version n of a record over version n-1; the key comes first, the version last."""
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(names[1:], 2))
    return f"UPDATE {table} SET {sets} WHERE id = $1 AND version = ${len(names)} - 1"  # noqa: S608


NEW_ACCOUNT, NEXT_ACCOUNT = _insert("accounts", ACCOUNT), _update("accounts", ACCOUNT)
NEW_CLIENT, NEXT_CLIENT = _insert("clients", CLIENT), _update("clients", CLIENT)
# With every change of a client that was there.
NEXT_EDITION = (
    "INSERT INTO editions(id, clients) VALUES(1, 1) "
    "ON CONFLICT(id) DO UPDATE SET clients = editions.clients + 1"
)
STILL = "SELECT 1 WHERE COALESCE((SELECT clients FROM editions WHERE id = 1), 0) = $1"
NEW_KEY, NEXT_KEY = _insert("sealed_keys", KEY), _update("sealed_keys", KEY)
NEW_SESSION, NEW_TICKET = _insert("sessions", SESSION), _insert("tickets", TICKET)
NEW_AUTHORIZATION = _insert("authorizations", AUTHORIZATION)
NEW_CODE = _insert("codes", "digest authorization_id redirect_uri expires_at challenge spent_at".split())
NEW_TOKEN = _insert("tokens", "digest authorization_id created_at expires_at terms".split())
NEW_REFRESH = _insert(
    "refresh_tokens", "digest authorization_id created_at expires_at terms spent_at".split()
)
NEW_SUCCESSOR = _insert("successors", "digest successor content expires_at terms".split())
NEW_PUSHED = _insert("pushed_requests", PUSHED)
NEW_DEVICE = _insert("device_requests", [*DEVICE, "authorization_id"])
NEW_ONCE, NEW_NOTICE = _insert("once", ["key", "until"]), _insert("notices", NOTICE)
NEW_REGISTRATION_TOKEN = _insert("registration_tokens", REGISTRATION_TOKEN)
DRAW = "UPDATE registration_tokens SET uses = uses - 1 WHERE digest = $1 AND uses > 0 AND expires_at > $2"
DISCARD = "DELETE FROM registration_tokens WHERE digest = $1"
PUT_CONSENT = (
    "INSERT INTO consents(account_id, client_id, scope, granted_at, refused, resource) "
    "VALUES($1, $2, $3, $4, $5, $6) ON CONFLICT(account_id, client_id) DO UPDATE SET scope = excluded.scope, "
    "granted_at = excluded.granted_at, refused = excluded.refused, resource = excluded.resource"
)
# A picture is loose while its account does not show it; the last step of a list says which one that is.
PUT_PICTURE = (
    "INSERT INTO pictures(account_id, name, content, loose) VALUES($1, $2, $3, "
    "CASE WHEN EXISTS (SELECT 1 FROM accounts WHERE id = $1 AND picture = $2) THEN 0 ELSE 1 END) "
    "ON CONFLICT(account_id, name) DO UPDATE SET loose = excluded.loose"
)
SHOW_PICTURE = "UPDATE pictures SET loose = CASE WHEN name = $2 THEN 0 ELSE 1 END WHERE account_id = $1"
SPEND_CODE, SPEND_REFRESH, SPEND_PUSHED, SPEND_DEVICE = (
    f"UPDATE {table} SET spent_at = $1 WHERE digest = $2 AND spent_at IS NULL"  # noqa: S608
    for table in ("codes", "refresh_tokens", "pushed_requests", "device_requests")
)
POLL = "UPDATE device_requests SET polled_at = $1 WHERE digest = $2 AND COALESCE(polled_at, 0) = $3"
POLL_SLOWER = (
    "UPDATE device_requests SET polled_at = $1, interval = device_requests.interval + $2 WHERE digest = $3"
)
ANSWER_DEVICE = "UPDATE device_requests SET said = $1, authorization_id = $2 WHERE digest = $3 AND said = ''"
# Who ends the session waits for the list under way, and then finds what it wrote (decision 0014).
SPEND_TICKET = (
    "UPDATE tickets SET spent_at = $1 WHERE digest = $2 AND spent_at IS NULL AND EXISTS "
    "(SELECT 1 FROM sessions WHERE sessions.digest = tickets.session_digest FOR KEY SHARE)"
)
EXTEND = "UPDATE refresh_tokens SET expires_at = $1 WHERE digest = $2 AND expires_at < $1"
EXPIRE = "UPDATE tokens SET expires_at = $1 WHERE digest = $2 AND (expires_at IS NULL OR expires_at > $1)"
REVOKE = "UPDATE authorizations SET revoked_at = $1 WHERE revoked_at IS NULL AND id = $2"
REVOKE_ALL = "UPDATE authorizations SET revoked_at = $1 WHERE revoked_at IS NULL AND account_id = $2"
REVOKE_PAIR = f"{REVOKE_ALL} AND client_id = $3"
HOLD = "SELECT 1 FROM consents WHERE account_id = $1 AND client_id = $2 FOR KEY SHARE"
# Who changes the account waits for the list under way, and then ends the session that it wrote (decision 0014).
STANDS = "SELECT 1 FROM accounts WHERE id = $1 AND version = $2 FOR SHARE"
DROP_CONSENT = "DELETE FROM consents WHERE account_id = $1 AND client_id = $2"
DROP_CONSENTS = "DELETE FROM consents WHERE account_id = $1"
SEEN = "UPDATE sessions SET last_seen_at = $1, expires_at = $2 WHERE digest = $3"
END = "DELETE FROM sessions WHERE digest = $1 AND account_id = $2"
END_ALL = "DELETE FROM sessions WHERE account_id = $1"
END_OTHERS = "DELETE FROM sessions WHERE account_id = $1 AND digest <> $2"
# Consents first: a grant that holds on to one (HOLD) is waited for, and what it wrote is found by those that follow.
REMOVE = (
    "DELETE FROM consents WHERE client_id = $1",
    "DELETE FROM codes WHERE authorization_id IN (SELECT id FROM authorizations WHERE client_id = $1)",
    "DELETE FROM tokens WHERE authorization_id IN (SELECT id FROM authorizations WHERE client_id = $1)",
    "DELETE FROM refresh_tokens WHERE authorization_id IN (SELECT id FROM authorizations WHERE client_id = $1)",
    "DELETE FROM authorizations WHERE client_id = $1",
    "DELETE FROM notices WHERE client_id = $1",
    "DELETE FROM clients WHERE id = $1",
)

SPENDS: dict[type, str] = {
    AuthorizationCode: SPEND_CODE,
    Ticket: SPEND_TICKET,
    RefreshToken: SPEND_REFRESH,
    PushedRequest: SPEND_PUSHED,
    DeviceRequest: SPEND_DEVICE,
}
# When a statement has its turn in a list: what is most likely to conflict comes first; whatever is not here is 2.
TURNS = (
    dict.fromkeys(
        (HOLD, STANDS, STILL, DRAW, NEW_ONCE, POLL, POLL_SLOWER, ANSWER_DEVICE, *SPENDS.values()), 0
    )
    | dict.fromkeys((NEW_ACCOUNT, NEXT_ACCOUNT, NEW_CLIENT, NEXT_CLIENT, NEW_KEY, NEXT_KEY), 1)
    | {SHOW_PICTURE: 3, NEXT_EDITION: 3}
)
