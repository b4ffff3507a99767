"""Changes become statements: what each writes, and which must find a row lest the whole list be a Conflict."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from valetkey.protocol.changes import (
    Change,
    Changes,
    End,
    EndAll,
    Expire,
    Extend,
    Hold,
    Once,
    Remove,
    Revoke,
    Save,
    Seen,
    Spend,
    Withdraw,
)
from valetkey.protocol.model import (
    AccessToken,
    Account,
    Authorization,
    AuthorizationCode,
    Client,
    Consent,
    DeviceRequest,
    Notice,
    Picture,
    PushedRequest,
    RefreshToken,
    SealedSuccessor,
    Session,
    Ticket,
)
from valetkey.protocol.sealed_key import SealedKey
from valetkey.store.rows import (
    ACCOUNT,
    AUTHORIZATION,
    CLIENT,
    DEVICE,
    KEY,
    NOTICE,
    PUSHED,
    SESSION,
    TICKET,
    bound,
    client_row,
    words,
)


class Step(NamedTuple):
    """One statement with its values; `must` says that finding no row is a Conflict, `long` that there may be many."""

    statement: str
    values: tuple[Any, ...]
    must: bool = False
    long: bool = False


def steps_of(changes: Changes) -> list[Step]:
    """The statements of a list of changes: those that may conflict come first, so that a loser has written nothing.

    Raises ValueError as check does.
    """
    found = [step for change in changes for step in _STEPS[type(change)](change)]
    if len(found) > 1:
        found.sort(key=_turn)
    for step in found:
        check(step.values)
    return found


def check(values: Iterable[object]) -> None:
    """Raises ValueError for what no database keeps: text with NUL or lone surrogates, numbers beyond 64 bits."""
    if not all(map(storable, values)):
        raise ValueError(
            "a value cannot be stored: text with NUL or lone surrogates, or a number beyond 64 bits"
        )


def storable(value: object) -> bool:
    if isinstance(value, str):
        return "\0" not in value and (value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value))
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _turn(step: Step) -> int:
    return _TURNS.get(step.statement, 2)


def _insert(table: str, names: list[str]) -> str:
    values = ", ".join(f"${n}" for n in range(1, len(names) + 1))
    return f"INSERT INTO {table}({', '.join(names)}) VALUES({values}) ON CONFLICT DO NOTHING"


def _update(table: str, names: list[str]) -> str:
    """Write version n of a record over version n-1; the key comes first, the version last."""
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(names[1:], 2))
    return f"UPDATE {table} SET {sets} WHERE id = $1 AND version = ${len(names)} - 1"  # noqa: S608


NEW_ACCOUNT, NEXT_ACCOUNT = _insert("accounts", ACCOUNT), _update("accounts", ACCOUNT)
NEW_CLIENT, NEXT_CLIENT = _insert("clients", CLIENT), _update("clients", CLIENT)
NEW_KEY, NEXT_KEY = _insert("sealed_keys", KEY), _update("sealed_keys", KEY)
NEW_SESSION, NEW_TICKET = _insert("sessions", SESSION), _insert("tickets", TICKET)
NEW_AUTHORIZATION = _insert("authorizations", AUTHORIZATION)
NEW_CODE = _insert("codes", "digest authorization_id redirect_uri expires_at challenge spent_at".split())
NEW_TOKEN = _insert("tokens", "digest authorization_id created_at expires_at terms".split())
NEW_REFRESH = _insert(
    "refresh_tokens", "digest authorization_id created_at expires_at terms spent_at".split()
)
NEW_SUCCESSOR = _insert("successors", "digest successor content expires_at terms".split())
NEW_PUSHED, NEW_DEVICE = _insert("pushed_requests", PUSHED), _insert("device_requests", DEVICE)
NEW_ONCE, NEW_NOTICE = _insert("once", ["key", "until"]), _insert("notices", NOTICE)
PUT_CONSENT = (
    "INSERT INTO consents(account_id, client_id, scope, granted_at) VALUES($1, $2, $3, $4) "
    "ON CONFLICT(account_id, client_id) DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at"
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
# Who ends the session waits for the list under way, and then finds what it wrote (decision 0014).
SPEND_TICKET = (
    "UPDATE tickets SET spent_at = $1 WHERE digest = $2 AND spent_at IS NULL AND EXISTS "
    "(SELECT 1 FROM sessions WHERE sessions.digest = tickets.session_digest FOR KEY SHARE)"
)
EXTEND = "UPDATE refresh_tokens SET expires_at = $1 WHERE digest = $2 AND expires_at < $1"
REVOKE = "UPDATE authorizations SET revoked_at = $1 WHERE revoked_at IS NULL AND id = $2"
EXPIRE = "UPDATE tokens SET expires_at = $1 WHERE digest = $2 AND (expires_at IS NULL OR expires_at > $1)"
REVOKE_ALL = "UPDATE authorizations SET revoked_at = $1 WHERE revoked_at IS NULL AND account_id = $2"
REVOKE_PAIR = f"{REVOKE_ALL} AND client_id = $3"
HOLD = "SELECT 1 FROM consents WHERE account_id = $1 AND client_id = $2 FOR KEY SHARE"
DROP_CONSENT = "DELETE FROM consents WHERE account_id = $1 AND client_id = $2"
DROP_CONSENTS = "DELETE FROM consents WHERE account_id = $1"
SEEN = "UPDATE sessions SET last_seen_at = $1, expires_at = $2 WHERE digest = $3"
END = "DELETE FROM sessions WHERE digest = $1 AND account_id = $2"
END_ALL = "DELETE FROM sessions WHERE account_id = $1"
END_OTHERS = "DELETE FROM sessions WHERE account_id = $1 AND digest <> $2"
REMOVE = (
    "DELETE FROM codes WHERE authorization_id IN (SELECT id FROM authorizations WHERE client_id = $1)",
    "DELETE FROM tokens WHERE authorization_id IN (SELECT id FROM authorizations WHERE client_id = $1)",
    "DELETE FROM refresh_tokens WHERE authorization_id IN (SELECT id FROM authorizations WHERE client_id = $1)",
    "DELETE FROM authorizations WHERE client_id = $1",
    "DELETE FROM consents WHERE client_id = $1",
    "DELETE FROM notices WHERE client_id = $1",
    "DELETE FROM clients WHERE id = $1",
)
_SPENDS = {
    AuthorizationCode: SPEND_CODE,
    Ticket: SPEND_TICKET,
    RefreshToken: SPEND_REFRESH,
    PushedRequest: SPEND_PUSHED,
    DeviceRequest: SPEND_DEVICE,
}
_TURNS = (
    dict.fromkeys((HOLD, NEW_ONCE, *_SPENDS.values()), 0)
    | dict.fromkeys((NEW_ACCOUNT, NEXT_ACCOUNT, NEW_CLIENT, NEXT_CLIENT, NEW_KEY, NEXT_KEY), 1)
    | {SHOW_PICTURE: 3}
)


def _save(change: Save) -> list[Step]:
    return _SAVES[type(change.record)](change.record)


def _save_account(record: Account) -> list[Step]:
    row = tuple(getattr(record, name) for name in ACCOUNT)
    first = Step(NEW_ACCOUNT if record.version == 1 else NEXT_ACCOUNT, row, must=True)
    return [first, Step(SHOW_PICTURE, (record.id, record.picture))]


def _save_client(record: Client) -> list[Step]:
    return [Step(NEW_CLIENT if record.version == 1 else NEXT_CLIENT, client_row(record), must=True)]


def _save_key(record: SealedKey) -> list[Step]:
    row = tuple(getattr(record, name) for name in KEY)
    return [Step(NEW_KEY if record.version == 1 else NEXT_KEY, row, must=True)]


def _save_session(record: Session) -> list[Step]:
    return [Step(NEW_SESSION, tuple(getattr(record, name) for name in SESSION), must=True)]


def _save_consent(record: Consent) -> list[Step]:
    return [Step(PUT_CONSENT, (record.account_id, record.client_id, words(record.scope), record.granted_at))]


def _save_ticket(record: Ticket) -> list[Step]:
    return [Step(NEW_TICKET, tuple(getattr(record, name) for name in TICKET), must=True)]


def _save_authorization(record: Authorization) -> list[Step]:
    scope, who = words(record.scope), (record.id, record.account_id, record.client_id)
    row = (*who, scope, record.granted_at, record.revoked_at, bound(record.terms))
    return [Step(NEW_AUTHORIZATION, row, must=True)]


def _save_code(record: AuthorizationCode) -> list[Step]:
    root, end = record.authorization.id, record.expires_at
    row = (record.digest, root, record.redirect_uri, end, record.challenge, record.spent_at)
    return [Step(NEW_CODE, row, must=True)]


def _save_token(record: AccessToken) -> list[Step]:
    row = (record.digest, record.authorization.id, record.created_at, record.expires_at, bound(record.terms))
    return [Step(NEW_TOKEN, row, must=True)]


def _save_refresh(record: RefreshToken) -> list[Step]:
    row = (record.digest, record.authorization.id, record.created_at, record.expires_at, bound(record.terms))
    return [Step(NEW_REFRESH, (*row, record.spent_at), must=True)]


def _save_successor(record: SealedSuccessor) -> list[Step]:
    row = (record.digest, record.successor, record.content, record.expires_at, bound(record.terms))
    return [Step(NEW_SUCCESSOR, row, must=True)]


def _save_notice(record: Notice) -> list[Step]:
    return [Step(NEW_NOTICE, tuple(getattr(record, name) for name in NOTICE))]


def _save_pushed(record: PushedRequest) -> list[Step]:
    return [Step(NEW_PUSHED, tuple(getattr(record, name) for name in PUSHED), must=True)]


def _save_device(record: DeviceRequest) -> list[Step]:
    who, scope = (record.digest, record.user_code, record.client_id), words(record.scope)
    waits = (record.expires_at, record.interval, bound(record.terms), record.polled_at)
    row = (*who, scope, *waits, record.said, record.authorization_id, record.spent_at)
    return [Step(NEW_DEVICE, row, must=True)]


def _save_picture(record: Picture) -> list[Step]:
    return [Step(PUT_PICTURE, (record.account_id, record.name, record.content))]


def _spend(change: Spend) -> list[Step]:
    return [Step(_SPENDS[change.kind], (change.at, change.digest), must=True)]


def _withdraw(change: Withdraw) -> list[Step]:
    if change.client_id is None:
        return [Step(DROP_CONSENTS, (change.account_id,)), Step(REVOKE_ALL, (change.at, change.account_id))]
    pair = (change.account_id, change.client_id)
    return [Step(DROP_CONSENT, pair), Step(REVOKE_PAIR, (change.at, *pair))]


def _end_all(change: EndAll) -> list[Step]:
    if change.keep is None:
        return [Step(END_ALL, (change.account_id,))]
    return [Step(END_OTHERS, (change.account_id, change.keep))]


_SAVES: dict[type, Callable[[Any], list[Step]]] = {
    Account: _save_account,
    Client: _save_client,
    Session: _save_session,
    Consent: _save_consent,
    Ticket: _save_ticket,
    Authorization: _save_authorization,
    AuthorizationCode: _save_code,
    AccessToken: _save_token,
    RefreshToken: _save_refresh,
    SealedSuccessor: _save_successor,
    PushedRequest: _save_pushed,
    DeviceRequest: _save_device,
    Notice: _save_notice,
    Picture: _save_picture,
    SealedKey: _save_key,
}
_STEPS: dict[type[Change], Callable[[Any], list[Step]]] = {
    Save: _save,
    Spend: _spend,
    Revoke: lambda change: [Step(REVOKE, (change.at, change.authorization_id))],
    Extend: lambda change: [Step(EXTEND, (change.expires_at, change.digest))],
    Expire: lambda change: [Step(EXPIRE, (change.at, change.digest))],
    Withdraw: _withdraw,
    Hold: lambda change: [Step(HOLD, (change.account_id, change.client_id), must=True)],
    Seen: lambda change: [Step(SEEN, (change.at, change.expires_at, change.session_digest))],
    End: lambda change: [Step(END, (change.session_digest, change.account_id))],
    EndAll: _end_all,
    Remove: lambda change: [Step(statement, (change.client_id,), long=True) for statement in REMOVE],
    Once: lambda change: [Step(NEW_ONCE, (change.key, change.until), must=True)],
}
