"""What is asked of either database: look-ups by key, of which PostgreSQL joins many into one, and listings."""

from dataclasses import dataclass, replace
from functools import cached_property

from valetkey.store.rows import (
    ACCOUNT,
    AUTHORIZATION,
    CLIENT,
    CODE,
    CONSENT,
    DEVICE,
    KEY,
    NOTICE,
    PUSHED,
    REFRESH,
    REGISTRATION_TOKEN,
    SESSION,
    SUCCESSOR,
    TICKET,
    TOKEN,
    columns,
)


def select(what: str, source: str) -> str:
    return f"SELECT {what} FROM {source}"  # noqa: S608 (constants of this file)


@dataclass(frozen=True, eq=False)
class Point:
    """A look-up by one or two keys, `x.a` and `x.b`, that finds at most one row.

    With `first`, a table and its column, it is by one key, which stands there; where it does not, nothing is found, nor
    where what `also` says is not so. `at_once`: nothing is written on what is found (decision 0038).
    """

    keys: tuple[str, ...]
    columns: str
    tables: str
    first: tuple[str, str] | None = None
    also: str = "true"
    at_once: bool = False

    @cached_property
    def single(self) -> str:
        """The look-up of one, for SQLite."""
        if self.first is not None:
            table, column = self.first
            return select(self.columns, f"{table} {self.tables} WHERE {column} = ? AND {self.also}")
        given = ", ".join(f"? AS {name}" for name in "ab"[: len(self.keys)])
        return select(self.columns, f"(SELECT {given}) x {self.tables}")

    @cached_property
    def many(self) -> str:
        """The look-up of many in one round trip, for PostgreSQL; the first column tells whose row it is: the key, or
        where a row need not have it the number of who asked.

        Keys as one list have their index asked once for all of them, at half the cost of a join.
        """
        if self.first is not None:
            table, column = self.first
            among = f"{column} = ANY($1::{self.keys[0]}[])"
            return select(f"{column}, {self.columns}", f"{table} {self.tables} WHERE {among} AND {self.also}")
        given = ", ".join(f"${n}::{key}[]" for n, key in enumerate(self.keys, 1))
        names = ", ".join("ab"[: len(self.keys)])
        return select(
            f"x.n, {self.columns}",
            f"unnest({given}) WITH ORDINALITY AS x({names}, n) {self.tables}",
        )


_client, _account = columns("c", CLIENT), columns("u", ACCOUNT)
_developer = "CASE WHEN d.full_name <> '' THEN d.full_name ELSE d.username END"
_root, _code, _token = columns("a", AUTHORIZATION), columns("o", CODE), columns("t", TOKEN)

# Clients and accounts are kept (kept.py): the endpoints' look-ups read the version only, of an account its own, of
# clients that of all of them together, which needs no look at any.
_edition = "(SELECT clients FROM editions WHERE id = 1)"
AUTHORIZE = Point(
    ("text", "bytea"),
    f"{_edition}, d.id, d.version, u.version, {columns('s', SESSION)}, {columns('k', CONSENT)}",
    "LEFT JOIN clients c ON c.id = x.a LEFT JOIN accounts d ON d.id = c.owner_id "
    "LEFT JOIN sessions s ON s.digest = x.b LEFT JOIN accounts u ON u.id = s.account_id "
    "LEFT JOIN consents k ON k.account_id = u.id AND k.client_id = c.id",
)
EXCHANGE = Point(
    ("bytea",),
    f"{_edition}, u.version, {_code}, {_root}",
    "JOIN authorizations a ON a.id = o.authorization_id LEFT JOIN accounts u ON u.id = a.account_id",
    ("codes o", "o.digest"),
)
OWN = Point(
    ("text",),
    f"{_edition}, {_root}",
    "",
    ("authorizations a", "a.client_id"),
    "a.account_id = 0 AND a.revoked_at IS NULL",
)
BEARER = Point(
    ("bytea",),
    f"{_edition}, u.version, a.last_used_at, {_token}, {_root}",
    "JOIN authorizations a ON a.id = t.authorization_id LEFT JOIN accounts u ON u.id = a.account_id",
    ("tokens t", "t.digest"),
    at_once=True,
)
REFRESHED = Point(
    ("bytea",),
    f"{_edition}, u.version, n.spent_at, {columns('w', SUCCESSOR)}, {columns('r', REFRESH)}, {_root}",
    "JOIN authorizations a ON a.id = r.authorization_id LEFT JOIN accounts u ON u.id = a.account_id "
    "LEFT JOIN successors w ON w.digest = r.digest LEFT JOIN refresh_tokens n ON n.digest = w.successor",
    ("refresh_tokens r", "r.digest"),
)
# The same with all of the account, for where there are too many of them to be kept.
WHOLE = {
    point: replace(point, columns=f"{point.columns}, {_account}")
    for point in (AUTHORIZE, EXCHANGE, BEARER, REFRESHED)
}
ONCE_BY_KEY = Point(("bytea",), "o.key", "", ("once o", "o.key"))
PUSHED_BY_DIGEST = Point(("bytea",), columns("p", PUSHED), "", ("pushed_requests p", "p.digest"))
DEVICE_ASKS = Point(
    ("bytea",),
    f"{_edition}, u.version, {columns('d', DEVICE)}, {_root}",
    "LEFT JOIN authorizations a ON a.id = d.authorization_id LEFT JOIN accounts u ON u.id = a.account_id",
    ("device_requests d", "d.digest"),
)
DEVICE_SHOWN = Point(
    ("text",),
    f"{columns('d', DEVICE)}, {_root}",
    "LEFT JOIN authorizations a ON a.id = d.authorization_id",
    ("device_requests d", "d.user_code"),
)
REGISTRATION_TOKEN_BY_DIGEST = Point(
    ("bytea",), columns("r", REGISTRATION_TOKEN), "", ("registration_tokens r", "r.digest")
)
SIGNED_IN = Point(
    ("bytea",),
    f"{columns('s', SESSION)}, {_account}",
    "JOIN accounts u ON u.id = s.account_id",
    ("sessions s", "s.digest"),
)
CONSENT_OF = Point(
    ("bigint", "text"),
    columns("k", CONSENT),
    "JOIN consents k ON k.account_id = x.a AND k.client_id = x.b",
)
TICKET_BY_DIGEST = Point(("bytea",), columns("t", TICKET), "", ("tickets t", "t.digest"))
CLIENT_BY_ID = Point(("text",), f"{_edition}, {_client}", "", ("clients c", "c.id"))
ACCOUNT_BY_ID = Point(("bigint",), _account, "", ("accounts u", "u.id"))
ACCOUNT_BY_NAME = Point(("text",), _account, "", ("accounts u", "u.canonical"))

# Listings take time in proportion to what they list; SQLite runs them beside the event loop.
SESSIONS_OF = select(
    columns("s", SESSION), "sessions s WHERE s.account_id = $1 ORDER BY s.last_seen_at DESC, s.digest"
)
_LAST_USED = select(
    "max(a.last_used_at)", "authorizations a WHERE a.account_id = k.account_id AND a.client_id = c.id"
)
_ENDED = select("max(n.at)", "notices n WHERE n.account_id = k.account_id AND n.client_id = c.id")
CONNECTED_APPS = select(
    f"{_client}, {_developer}, k.scope, k.granted_at, ({_LAST_USED}), ({_ENDED}), k.resource",
    "consents k JOIN clients c ON c.id = k.client_id LEFT JOIN accounts d ON d.id = c.owner_id "
    "WHERE k.account_id = $1 ORDER BY k.granted_at DESC, k.client_id",
)
NOTICES = select(
    columns("n", NOTICE),
    "notices n WHERE n.client_id = $1 ORDER BY n.at DESC, n.authorization_id DESC LIMIT $2",
)
CLIENTS_OF = select(_client, "clients c WHERE c.owner_id = $1 ORDER BY c.created_at, c.id")
CLIENTS = select(_client, "clients c WHERE c.id > $1 ORDER BY c.id LIMIT $2")
REGISTRATION_TOKENS = select(
    columns("r", REGISTRATION_TOKEN), "registration_tokens r ORDER BY r.created_at, r.digest"
)
# Those that are described by a document have its address for their id.
SELF_MADE = select(
    "count(*), coalesce(sum(CASE WHEN c.id LIKE 'https://%' THEN 1 ELSE 0 END), 0)",
    "clients c WHERE c.owner_id = 0",
)
ACCOUNTS = select(_account, "accounts u WHERE u.id > $1 ORDER BY u.id LIMIT $2")
KEYS = select(columns("k", KEY), "sealed_keys k ORDER BY k.created_at, k.id")
PICTURE = select("p.content", "pictures p WHERE p.name = $1 LIMIT 1")
