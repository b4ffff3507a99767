"""The statements that only PostgreSQL knows: sets of rows in one statement."""

from collections.abc import Iterator

from valetkey.store.statements import (
    HOLD,
    NEW_AUTHORIZATION,
    NEW_CODE,
    NEW_ONCE,
    NEW_REFRESH,
    NEW_SUCCESSOR,
    NEW_TOKEN,
    SPEND_CODE,
    SPEND_REFRESH,
    STILL,
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
# What is given: the values of its step, and where they go.
_GIVEN = {
    NEW_AUTHORIZATION: (_ROOT, _ROOT_COLUMNS),
    NEW_TOKEN: (
        "token bytea, root bigint, created_at bigint, expires_at bigint, terms text",
        (
            "tokens",
            "digest, authorization_id, created_at, expires_at, terms",
            "token, root, created_at, expires_at, terms",
        ),
    ),
    NEW_REFRESH: (
        "refresh bytea, refresh_root bigint, refresh_at bigint, refresh_end bigint, refresh_terms text, "
        "refresh_spent bigint",
        (
            "refresh_tokens",
            "digest, authorization_id, created_at, expires_at, terms, spent_at",
            "refresh, refresh_root, refresh_at, refresh_end, refresh_terms, refresh_spent",
        ),
    ),
    NEW_SUCCESSOR: (
        "spent_refresh bytea, successor bytea, content bytea, sealed_end bigint, sealed_terms text",
        (
            "successors",
            "digest, successor, content, expires_at, terms",
            "spent_refresh, successor, content, sealed_end, sealed_terms",
        ),
    ),
}
_TABLES = {SPEND_CODE: "codes", SPEND_REFRESH: "refresh_tokens"}


def _spent(table: str, value: int) -> tuple[str, str]:
    """What is used once is spent: `shown` of x, which is the value of this number, at `at`.

    Locked in the order of their digests, so that batches with the same ones wait for one another but not in a circle.
    """
    held = (
        f"SELECT digest FROM {table} WHERE digest = ANY(${value}::bytea[]) AND spent_at IS NULL "  # noqa: S608
        "ORDER BY digest FOR NO KEY UPDATE"
    )
    spent = (
        f"UPDATE {table} SET spent_at = x.at FROM held JOIN x ON x.shown = held.digest "  # noqa: S608
        f"WHERE {table}.digest = held.digest AND {table}.spent_at IS NULL RETURNING x.*"
    )
    return f"held AS ({held})", f"spent AS ({spent})"


def _grants(*steps: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The statement for lists of these steps, also with one or two one-time keys before them: those of a client's
    assertion and of a DPoP proof.

    Of several lists that spend the same thing one does, and what the others give is not kept.
    """
    spends, gives = [step for step in steps if step in _TABLES], [step for step in steps if step in _GIVEN]
    source = "spent" if spends else "x"
    puts = [f"kept{n} AS ({_put(*_GIVEN[step][1], source)})" for n, step in enumerate(gives)]
    for keys in range(3):
        given = [f"key{n} bytea, until{n} bigint" for n in range(keys)]
        given += ["at bigint, shown bytea" for _ in spends] + [_GIVEN[step][0] for step in gives]
        parts = [part for step in spends for part in _spent(_TABLES[step], 2 * keys + 2)]
        parts += [
            f"once{n} AS ({_put('once', 'key, until', f'key{n}, until{n}', source)})" for n in range(keys)
        ]
        yield (NEW_ONCE,) * keys + steps, _batch(", ".join(given), *parts, *puts, written=source)


# In the order of the keys, as whoever takes back several consents finds them.
_CONSENTED = (
    "SELECT account_id, client_id FROM consents WHERE (account_id, client_id) IN (SELECT holder, app FROM x) "
    "ORDER BY account_id, client_id FOR KEY SHARE"
)
_ALLOWED = "SELECT x.* FROM x JOIN consented c ON c.account_id = x.holder AND c.client_id = x.app"

# The lists of changes that come often, by their steps: many such lists in one statement, one round trip, one commit.
# A key that is taken fails it whole; the lists are then applied one by one.
SHAPES: dict[tuple[str, ...], str] = {
    **dict(_grants(SPEND_CODE, NEW_TOKEN)),
    **dict(_grants(SPEND_CODE, NEW_TOKEN, NEW_REFRESH)),
    **dict(_grants(SPEND_REFRESH, NEW_TOKEN, NEW_REFRESH, NEW_SUCCESSOR)),
    (STILL, NEW_TOKEN): _batch(
        f"edition bigint, {_GIVEN[NEW_TOKEN][0]}",
        "now AS (SELECT COALESCE((SELECT clients FROM editions WHERE id = 1), 0) AS edition)",
        "still AS (SELECT x.* FROM x WHERE x.edition = (SELECT edition FROM now))",
        f"kept AS ({_put(*_GIVEN[NEW_TOKEN][1], 'still')})",
        written="still",
    ),
    **dict(_grants(NEW_TOKEN)),  # for a refresh token that stays, or an app itself
    # A code is kept only where the consent was not taken back meanwhile.
    (HOLD, NEW_AUTHORIZATION, NEW_CODE): _batch(
        f"holder bigint, app text, {_ROOT}, {_CODE}",
        f"consented AS ({_CONSENTED})",
        f"allowed AS ({_ALLOWED})",
        f"roots AS ({_put(*_ROOT_COLUMNS, 'allowed')})",
        f"kept AS ({_put(*_CODE_COLUMNS, 'allowed')})",
        written="allowed",
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
