"""The statements of counters, usage and leases, for both databases: one conditional write each."""

# A counter counts within a window that begins at its first attempt ($2, until $3); after it, the next begins another.
# It never ends later than a window from now: a host whose clock was ahead shuts nobody out for longer.
ATTEMPT = (
    "INSERT INTO counters(key, count, until) VALUES($1, 1, $3) ON CONFLICT(key) DO UPDATE SET "
    "count = CASE WHEN counters.until <= $2 THEN 1 ELSE counters.count + 1 END, "
    "until = CASE WHEN counters.until <= $2 THEN excluded.until ELSE min(counters.until, excluded.until) END "
    "RETURNING count"
)
FORGET = "DELETE FROM counters WHERE key = $1"
CALLS = (
    "INSERT INTO usage(key, hour, calls) VALUES($1, $2, $3) "
    "ON CONFLICT(key, hour) DO UPDATE SET calls = usage.calls + excluded.calls RETURNING calls"
)
USED = "UPDATE authorizations SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)"
# The lease is free for another holder from $3 on, and then taken until $4; also while it reaches so far into the future
# that only a wrong clock can have written it.
LEASE = (
    "INSERT INTO leases(name, holder, until) VALUES($1, $2, $4) ON CONFLICT(name) DO UPDATE SET "
    "holder = excluded.holder, until = excluded.until WHERE leases.holder = excluded.holder "
    "OR leases.until <= $3 OR leases.until - 3600 > $4"
)
