"""The statements that only PostgreSQL knows: sets of rows in one statement."""

from valetkey.store.statements import (
    HOLD,
    NEW_AUTHORIZATION,
    NEW_CODE,
    NEW_REFRESH,
    NEW_SUCCESSOR,
    NEW_TOKEN,
    SPEND_CODE,
    SPEND_REFRESH,
)


def _given(columns: str) -> str:
    """Arrays of values as rows `x`, numbered by `n`: "digest bytea, at bigint" takes $1 and $2."""
    pairs = [column.split() for column in columns.split(", ")]
    arrays = ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(pairs, 1))
    names = ", ".join(name for name, _ in pairs)
    return f"x AS (SELECT * FROM unnest({arrays}) WITH ORDINALITY AS x({names}, n))"  # noqa: S608


def _put(table: str, columns: str, values: str, source: str) -> str:
    return f"INSERT INTO {table}({columns}) SELECT {values} FROM {source}"  # noqa: S608


def _batch(given: str, *parts: str, written: str) -> str:
    """One statement that writes the parts for every row given and returns the numbers of those written."""
    return f"WITH {', '.join((_given(given), *parts))} SELECT n FROM {written}"  # noqa: S608


_CODE = "code bytea, root bigint, redirect_uri text, expires_at bigint, challenge text, spent_at bigint"
_TOKEN = "token bytea, root bigint, created_at bigint, expires_at bigint, terms text"
_REFRESH = (
    "refresh bytea, refresh_root bigint, refresh_at bigint, refresh_end bigint, refresh_terms text, "
    "refresh_spent bigint"
)
_ROOT = "id bigint, account_id bigint, client_id text, scope text, granted_at bigint, revoked_at bigint, bound text"
_ROOT_COLUMNS = (
    "authorizations",
    "id, account_id, client_id, scope, granted_at, revoked_at, terms",
    "id, account_id, client_id, scope, granted_at, revoked_at, bound",
)
_CODE_COLUMNS = (
    "codes",
    "digest, authorization_id, redirect_uri, expires_at, challenge, spent_at",
    "code, root, redirect_uri, expires_at, challenge, spent_at",
)
_TOKEN_COLUMNS = (
    "tokens",
    "digest, authorization_id, created_at, expires_at, terms",
    "token, root, created_at, expires_at, terms",
)
_REFRESH_COLUMNS = (
    "refresh_tokens",
    "digest, authorization_id, created_at, expires_at, terms, spent_at",
    "refresh, refresh_root, refresh_at, refresh_end, refresh_terms, refresh_spent",
)
_SEALED = "spent_refresh bytea, successor bytea, content bytea, sealed_end bigint, sealed_terms text"
_SEALED_COLUMNS = (
    "successors",
    "digest, successor, content, expires_at, terms",
    "spent_refresh, successor, content, sealed_end, sealed_terms",
)


def _spent(table: str) -> tuple[str, str]:
    """What is used once is spent: `digest` of x at `at`. Locked in the order of their digests, so that batches with the
    same ones wait for one another but not in a circle."""
    held = (
        f"SELECT digest FROM {table} WHERE digest = ANY($2::bytea[]) AND spent_at IS NULL "  # noqa: S608
        "ORDER BY digest FOR NO KEY UPDATE"
    )
    spent = (
        f"UPDATE {table} SET spent_at = x.at FROM held JOIN x ON x.shown = held.digest "  # noqa: S608
        f"WHERE {table}.digest = held.digest AND {table}.spent_at IS NULL RETURNING x.*"
    )
    return f"held AS ({held})", f"spent AS ({spent})"


# In the order of the keys, as whoever takes back several consents finds them.
_CONSENTED = (
    "SELECT account_id, client_id FROM consents WHERE (account_id, client_id) IN (SELECT holder, app FROM x) "
    "ORDER BY account_id, client_id FOR KEY SHARE"
)
_ALLOWED = "SELECT x.* FROM x JOIN consented c ON c.account_id = x.holder AND c.client_id = x.app"

# The lists of changes that come often, by their steps: many such lists in one statement, one round trip, one commit.
# A key that is taken fails it whole; the lists are then applied one by one.
SHAPES: dict[tuple[str, ...], str] = {
    # A token is kept only where the code was spent; of several lists with the same code, one spends it.
    (SPEND_CODE, NEW_TOKEN): _batch(
        f"at bigint, shown bytea, {_TOKEN}",
        *_spent("codes"),
        f"kept AS ({_put(*_TOKEN_COLUMNS, 'spent')})",
        written="spent",
    ),
    (SPEND_CODE, NEW_TOKEN, NEW_REFRESH): _batch(
        f"at bigint, shown bytea, {_TOKEN}, {_REFRESH}",
        *_spent("codes"),
        f"kept AS ({_put(*_TOKEN_COLUMNS, 'spent')})",
        f"renewable AS ({_put(*_REFRESH_COLUMNS, 'spent')})",
        written="spent",
    ),
    (SPEND_REFRESH, NEW_TOKEN, NEW_REFRESH, NEW_SUCCESSOR): _batch(
        f"at bigint, shown bytea, {_TOKEN}, {_REFRESH}, {_SEALED}",
        *_spent("refresh_tokens"),
        f"kept AS ({_put(*_TOKEN_COLUMNS, 'spent')})",
        f"renewed AS ({_put(*_REFRESH_COLUMNS, 'spent')})",
        f"sealed AS ({_put(*_SEALED_COLUMNS, 'spent')})",
        written="spent",
    ),
    # A refresh token that stays, and whatever else is given without anything being spent.
    (NEW_TOKEN,): _batch(_TOKEN, f"kept AS ({_put(*_TOKEN_COLUMNS, 'x')})", written="x"),
    # A code is kept only where the consent was not taken back meanwhile.
    (HOLD, NEW_AUTHORIZATION, NEW_CODE): _batch(
        f"holder bigint, app text, {_ROOT}, {_CODE}",
        f"consented AS ({_CONSENTED})",
        f"allowed AS ({_ALLOWED})",
        f"roots AS ({_put(*_ROOT_COLUMNS, 'allowed')})",
        f"kept AS ({_put(*_CODE_COLUMNS, 'allowed')})",
        written="allowed",
    ),
    # An app asks for itself.
    (NEW_AUTHORIZATION, NEW_TOKEN): _batch(
        f"{_ROOT}, {_TOKEN}",
        f"roots AS ({_put(*_ROOT_COLUMNS, 'x')})",
        f"kept AS ({_put(*_TOKEN_COLUMNS, 'x')})",
        written="x",
    ),
}

# Rows are locked in the order of their keys, so that two workers do not wait for one another.
ATTEMPT = (
    "INSERT INTO counters(key, count, until) SELECT key, 1, $3 FROM unnest($1::text[]) AS x(key) ORDER BY key "
    "ON CONFLICT(key) DO UPDATE SET "
    "count = CASE WHEN counters.until <= $2 THEN 1 ELSE counters.count + 1 END, "
    "until = CASE WHEN counters.until <= $2 THEN excluded.until ELSE LEAST(counters.until, excluded.until) END "
    "RETURNING key, count"
)
FORGET = "DELETE FROM counters WHERE key = ANY($1::text[])"
CALLS = (
    "INSERT INTO usage(key, hour, calls) SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) "
    "AS x(key, hour, calls) ORDER BY key, hour ON CONFLICT(key, hour) DO UPDATE SET "
    "calls = usage.calls + excluded.calls RETURNING key, hour, calls"
)
USED = (
    "WITH x AS (SELECT a.id, x.at FROM unnest($1::bigint[], $2::bigint[]) AS x(id, at) "
    "JOIN authorizations a ON a.id = x.id WHERE a.last_used_at IS NULL OR a.last_used_at < x.at "
    "ORDER BY a.id FOR NO KEY UPDATE OF a) "
    "UPDATE authorizations SET last_used_at = GREATEST(last_used_at, x.at) FROM x WHERE authorizations.id = x.id"
)
