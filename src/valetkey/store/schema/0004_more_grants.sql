-- Refresh tokens, requests handed in beforehand, devices that wait; and what clients, authorizations and tokens are
-- bound to beyond their scope, as JSON where there is anything to say.

ALTER TABLE clients ADD COLUMN registered TEXT NOT NULL DEFAULT '{}';
ALTER TABLE clients ADD COLUMN lapses_at INTEGER;
CREATE INDEX clients_lapse ON clients(lapses_at) WHERE lapses_at IS NOT NULL;
ALTER TABLE authorizations ADD COLUMN terms TEXT;
-- What an app is granted for itself is one authorization, whichever tokens it asks for.
CREATE UNIQUE INDEX authorizations_own ON authorizations(client_id) WHERE account_id = 0 AND revoked_at IS NULL;
ALTER TABLE consents ADD COLUMN refused TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN resource TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN terms TEXT;

-- A spent one stays until its end, so that its reuse is known.
CREATE TABLE refresh_tokens(
  digest BLOB PRIMARY KEY,
  authorization_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  terms TEXT,
  spent_at INTEGER
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_authorization ON refresh_tokens(authorization_id);
CREATE INDEX refresh_tokens_end ON refresh_tokens(expires_at);

-- The answers that spent ones were given, sealed under them, for as long as they may ask again.
CREATE TABLE successors(
  digest BLOB PRIMARY KEY,
  successor BLOB NOT NULL,
  content BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  terms TEXT
) WITHOUT ROWID;
CREATE INDEX successors_end ON successors(expires_at);

-- Access that we ended, for its person and the app's developer to read.
CREATE TABLE notices(
  authorization_id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  client_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX notices_pair ON notices(account_id, client_id);
CREATE INDEX notices_client ON notices(client_id, at);
CREATE INDEX notices_end ON notices(at);

CREATE TABLE pushed_requests(
  digest BLOB PRIMARY KEY,
  client_id TEXT NOT NULL,
  query BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  spent_at INTEGER
) WITHOUT ROWID;
CREATE INDEX pushed_requests_end ON pushed_requests(expires_at);

CREATE TABLE device_requests(
  digest BLOB PRIMARY KEY,
  user_code TEXT NOT NULL UNIQUE,
  client_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  interval INTEGER NOT NULL,
  terms TEXT,
  polled_at INTEGER,
  said TEXT NOT NULL,
  authorization_id INTEGER,
  spent_at INTEGER
) WITHOUT ROWID;
CREATE INDEX device_requests_end ON device_requests(expires_at);
CREATE INDEX device_requests_authorization ON device_requests(authorization_id) WHERE authorization_id IS NOT NULL;

-- Key pairs and the one secret, sealed under the master key. Each follows another or, the first, its algorithm's name:
-- of two workers that make the next one, one is too late.
CREATE TABLE sealed_keys(
  id TEXT PRIMARY KEY,
  alg TEXT NOT NULL,
  public TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  active_from INTEGER NOT NULL,
  follows TEXT NOT NULL UNIQUE,
  retires_at INTEGER,
  gone_at INTEGER,
  version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sealed_keys_gone ON sealed_keys(gone_at) WHERE gone_at IS NOT NULL;

-- What an operator hands out so that clients can be registered with it (RFC 7591 1.2).
CREATE TABLE registration_tokens(
  digest BLOB PRIMARY KEY,
  hint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  uses INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX registration_tokens_end ON registration_tokens(expires_at);

-- What stands behind its name migrate.py says to PostgreSQL alone. As in step 0003: room beside what changes, and
-- removed rows are swept up early.
-- postgresql: ALTER TABLE refresh_tokens SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_limit = 1000);
-- postgresql: ALTER TABLE successors SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_limit = 1000);
-- postgresql: ALTER TABLE notices SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
-- postgresql: ALTER TABLE pushed_requests SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
-- postgresql: ALTER TABLE device_requests SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
