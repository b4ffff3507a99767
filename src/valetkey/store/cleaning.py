"""What no rule can need any more, and the statements that remove it; what lives is never read on the way."""

# Each takes a limit and the time, and finds its rows by an index on their end.
DEAD = (
    "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE expires_at <= $2 LIMIT $1)",
    "DELETE FROM tickets WHERE digest IN (SELECT digest FROM tickets WHERE expires_at <= $2 LIMIT $1)",
    "DELETE FROM once WHERE key IN (SELECT key FROM once WHERE until <= $2 LIMIT $1)",
    "DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE until <= $2 LIMIT $1)",
    # a worker may still report the calls of the hour before
    "DELETE FROM usage WHERE (key, hour) IN "
    "(SELECT key, hour FROM usage WHERE hour < CAST($2 AS BIGINT) / 3600 - 1 LIMIT $1)",
    "DELETE FROM pictures WHERE (account_id, name) IN "
    "(SELECT account_id, name FROM pictures WHERE loose = 1 AND loose < $2 LIMIT $1)",
)

# The same, and the authorizations above them: these go with the last of their codes and tokens.
# A code stays for an hour after its end, so that showing it again is known for a replay.
DEAD_UNDER = (
    "DELETE FROM codes WHERE digest IN "
    "(SELECT digest FROM codes WHERE expires_at <= CAST($2 AS BIGINT) - 3600 LIMIT $1) RETURNING authorization_id",
    "DELETE FROM tokens WHERE digest IN "
    "(SELECT digest FROM tokens WHERE expires_at <= $2 LIMIT $1) RETURNING authorization_id",
    "DELETE FROM tokens WHERE digest IN (SELECT t.digest FROM authorizations a "
    "JOIN tokens t ON t.authorization_id = a.id WHERE a.revoked_at <= $2 LIMIT $1) RETURNING authorization_id",
)
BARE = (
    "DELETE FROM authorizations WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM codes WHERE authorization_id = $1) "
    "AND NOT EXISTS (SELECT 1 FROM tokens WHERE authorization_id = $1)"
)

BATCH = 200  # rows removed in one transaction, so that nobody waits long for it
