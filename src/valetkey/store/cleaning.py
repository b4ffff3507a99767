"""What no rule can need any more, and the statements that remove it; what lives is never read on the way."""

from msgspec import Struct

from valetkey.store.statements import NEXT_EDITION


class Dead(Struct, frozen=True):
    """Rows of a table that are over by the time $2; they are found by an index on their end.

    `rooted` rows take the authorization above them along when they are its last. `source` is where their end stands,
    if not in themselves. `first`: statements before, which put off the end of what lives on; `after`: one for when
    some went, and what they had for themselves behind them.
    """

    table: str
    key: str
    end: str
    over: str = "{end} <= $2"
    rooted: bool = False
    source: str = ""
    first: tuple[str, ...] = ()
    after: str = ""

    @property
    def told(self) -> str:
        """The column that says of each what may go along."""
        return "authorization_id" if self.rooted else self.key if self.after else ""

    def found(self, what: str) -> str:
        source = self.source or f"{self.table} t"
        return f"SELECT {what} FROM {source} WHERE {self.over.format(end=self.end)}"  # noqa: S608

    def single(self) -> str:
        """Remove up to $1 of them, for SQLite; those that take others along say so."""
        keys = ", ".join(f"t.{name}" for name in self.key.split(", "))
        remove = f"DELETE FROM {self.table} WHERE ({self.key}) IN ({self.found(keys)} LIMIT $1)"  # noqa: S608
        return f"{remove} RETURNING {self.told}" if self.told else remove

    def many(self) -> str:
        """The same for PostgreSQL, which goes on at the end $3 where it left off and says how far it came.

        An index keeps its entries of removed rows until the next vacuum: whoever begins at its front reads them all.
        The rows' places need no look into the index of keys, and come in the order in which they were written.
        """
        found = (
            f"{self.found(f't.ctid AS place, {self.end} AS at')} AND {self.end} >= $3 ORDER BY at LIMIT $1"
        )
        still = (
            "" if self.source else f" AND {self.over.format(end=self.end)}"
        )  # its end may have moved meanwhile
        told = self.told or "NULL"
        return (
            f"WITH found AS ({found}) DELETE FROM {self.table} AS t "  # noqa: S608
            f"WHERE ctid = ANY(ARRAY(SELECT place FROM found)){still} RETURNING {told}, (SELECT max(at) FROM found)"
        )


NOTICED = 90 * 24 * 3600  # seconds for which people can read a notice

# Of clients that are due those that somebody uses are looked at again in a day: they would be read in every round. A
# disabled one stays, since it could come back by itself.
_DUE = "t.id IN (SELECT id FROM clients WHERE lapses_at <= $2 ORDER BY lapses_at LIMIT $1)"
_IDLE = (
    "t.disabled_at IS NULL AND NOT EXISTS (SELECT 1 FROM consents k WHERE k.client_id = t.id) "
    "AND NOT EXISTS (SELECT 1 FROM authorizations a WHERE a.client_id = t.id AND "
    "(a.account_id <> 0 OR EXISTS (SELECT 1 FROM tokens WHERE authorization_id = a.id)))"
)
_IN_USE = f"UPDATE clients AS t SET lapses_at = CAST($2 AS BIGINT) + 86400 WHERE {_DUE} AND NOT ({_IDLE})"  # noqa: S608
# A worker may still report the calls of the hour before. For an hour after its end stays a code, so that showing it
# again is known for a replay, a device, so that it is told why, and a pushed request, which people still think about.
DEAD = (
    Dead("sessions", "digest", "t.expires_at"),
    Dead("tickets", "digest", "t.expires_at"),
    Dead("successors", "digest", "t.expires_at"),
    Dead("pushed_requests", "digest", "t.expires_at", "{end} <= CAST($2 AS BIGINT) - 3600"),
    Dead("device_requests", "digest", "t.expires_at", "{end} <= CAST($2 AS BIGINT) - 3600", rooted=True),
    Dead("registration_tokens", "digest", "t.expires_at"),
    Dead("once", "key", "t.until"),
    Dead("notices", "authorization_id", "t.at", f"{{end}} <= CAST($2 AS BIGINT) - {NOTICED}"),
    Dead("counters", "key", "t.until"),
    Dead("usage", "key, hour", "t.hour", "{end} < CAST($2 AS BIGINT) / 3600 - 1"),
    Dead("pictures", "account_id, name", "t.loose", "{end} = 1 AND {end} < $2"),
    Dead("sealed_keys", "id", "t.gone_at"),
    Dead("codes", "authorization_id", "t.expires_at", "{end} <= CAST($2 AS BIGINT) - 3600", rooted=True),
    Dead("tokens", "digest", "t.expires_at", rooted=True),
    Dead("refresh_tokens", "digest", "t.expires_at", rooted=True),
    *(
        Dead(
            *(table, "digest", "a.revoked_at"),
            rooted=True,
            source=f"authorizations a JOIN {table} t ON t.authorization_id = a.id",
        )
        for table in ("tokens", "refresh_tokens")
    ),
    # last, when what they held is gone
    Dead(
        *("clients", "id", "t.lapses_at", f"{{end}} <= $2 AND {_DUE} AND {_IDLE}"),
        first=(_IN_USE,),
        after=NEXT_EDITION,
    ),
)

# Which of these authorizations ($1, a list) have neither code, token nor device left. They go with the last of them;
# that of an app for itself stays for its next token, and goes with the app.
_BARE = (
    "DELETE FROM authorizations AS a WHERE a.id {among} AND (a.account_id <> 0 OR a.revoked_at IS NOT NULL) "
    "AND NOT EXISTS (SELECT 1 FROM codes WHERE authorization_id = a.id) "
    "AND NOT EXISTS (SELECT 1 FROM tokens WHERE authorization_id = a.id) "
    "AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE authorization_id = a.id) "
    "AND NOT EXISTS (SELECT 1 FROM device_requests WHERE authorization_id = a.id)"
)
BARE_SQLITE = _BARE.format(among="IN (SELECT value FROM json_each($1))")
BARE_POSTGRES = _BARE.format(among="= ANY($1::bigint[])")

# What apps that went ($1, a list) had for themselves. It goes behind them: one that is allowed something just now stays
# with all that it has.
_OWN = "DELETE FROM authorizations WHERE account_id = 0 AND client_id {among}"
OWN_SQLITE = _OWN.format(among="IN (SELECT value FROM json_each($1))")
OWN_POSTGRES = _OWN.format(among="= ANY($1::text[])")

# Up to $2 authorizations of an app that goes ($1), up to $2 rows of each kind that hang on these ($1, a list), and
# then they themselves. All in one go would take minutes where there is much, and everybody waits.
OF_APP = "SELECT id FROM authorizations WHERE client_id = $1 LIMIT $2"
_HANGING = tuple(
    f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE authorization_id {{among}} LIMIT $2)"  # noqa: S608
    for table, key in (("codes", "authorization_id"), ("tokens", "digest"), ("refresh_tokens", "digest"))
)
_ROOTS = "DELETE FROM authorizations WHERE id {among}"


class Emptying(Struct, frozen=True):
    """The statements that empty an app, for one database."""

    hanging: tuple[str, ...]
    roots: str


def _emptying(among: str) -> Emptying:
    return Emptying(tuple(each.format(among=among) for each in _HANGING), _ROOTS.format(among=among))


EMPTYING_SQLITE = _emptying("IN (SELECT value FROM json_each($1))")
EMPTYING_POSTGRES = _emptying("= ANY($1::bigint[])")
