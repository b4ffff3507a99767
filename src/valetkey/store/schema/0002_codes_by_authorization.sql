-- A code is one of its authorization's, and ids of authorizations grow with time: keyed by them, new codes append, and
-- the page that a code is spent in is still at hand. One random page a code remains, that of its digest.

ALTER TABLE codes RENAME TO codes_by_digest;
DROP INDEX codes_authorization;
DROP INDEX codes_end;
CREATE TABLE codes(
  authorization_id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  redirect_uri TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  challenge TEXT,
  spent_at INTEGER
);
INSERT INTO codes SELECT authorization_id, digest, redirect_uri, expires_at, challenge, spent_at FROM codes_by_digest;
DROP TABLE codes_by_digest;
CREATE INDEX codes_end ON codes(expires_at);
