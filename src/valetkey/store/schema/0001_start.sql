-- The first schema, for both databases. migrate.py turns it into a dialect: SQLite takes it as it is;
-- PostgreSQL reads BLOB as BYTEA, INTEGER as BIGINT, TEXT as TEXT in byte order, and knows no WITHOUT ROWID.
-- Only forward: a later change is a new file. Every statement ends with a semicolon at the end of its line.
-- Times are seconds since 1970. Lists are JSON, a scope is its names with a space between.

CREATE TABLE accounts(
  id INTEGER PRIMARY KEY,
  username TEXT NOT NULL,
  canonical TEXT NOT NULL UNIQUE,
  full_name TEXT NOT NULL,
  email TEXT NOT NULL,
  password TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  bio TEXT NOT NULL,
  website TEXT NOT NULL,
  picture TEXT NOT NULL,
  disabled_at INTEGER,
  version INTEGER NOT NULL
);

CREATE TABLE clients(
  id TEXT PRIMARY KEY,
  owner_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  profile TEXT NOT NULL,
  redirect_uris TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  secrets TEXT NOT NULL,
  description TEXT NOT NULL,
  website TEXT NOT NULL,
  allow_implicit INTEGER NOT NULL,
  sandbox INTEGER NOT NULL,
  testers TEXT NOT NULL,
  signed_requests INTEGER NOT NULL,
  rate_limit INTEGER,
  disabled_at INTEGER,
  version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX clients_owner ON clients(owner_id);

CREATE TABLE sessions(
  digest BLOB PRIMARY KEY,
  account_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  user_agent TEXT NOT NULL,
  network TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions(account_id);
CREATE INDEX sessions_end ON sessions(expires_at);

CREATE TABLE consents(
  account_id INTEGER NOT NULL,
  client_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  PRIMARY KEY(account_id, client_id)
) WITHOUT ROWID;
CREATE INDEX consents_client ON consents(client_id);

CREATE TABLE tickets(
  digest BLOB PRIMARY KEY,
  session_digest BLOB NOT NULL,
  query BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  spent_at INTEGER
) WITHOUT ROWID;
CREATE INDEX tickets_end ON tickets(expires_at);

CREATE TABLE authorizations(
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  client_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  revoked_at INTEGER,
  last_used_at INTEGER
);
CREATE INDEX authorizations_pair ON authorizations(account_id, client_id);
CREATE INDEX authorizations_client ON authorizations(client_id);
CREATE INDEX authorizations_revoked ON authorizations(revoked_at) WHERE revoked_at IS NOT NULL;

-- Codes and tokens name the authorization they come from; what they may do and for whom stands there only.
CREATE TABLE codes(
  digest BLOB PRIMARY KEY,
  authorization_id INTEGER NOT NULL,
  redirect_uri TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  challenge TEXT,
  spent_at INTEGER
) WITHOUT ROWID;
CREATE INDEX codes_authorization ON codes(authorization_id);
CREATE INDEX codes_end ON codes(expires_at);

CREATE TABLE tokens(
  digest BLOB PRIMARY KEY,
  authorization_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) WITHOUT ROWID;
CREATE INDEX tokens_authorization ON tokens(authorization_id);
CREATE INDEX tokens_end ON tokens(expires_at) WHERE expires_at IS NOT NULL;

-- `loose` is 1 while the account does not show the picture.
CREATE TABLE pictures(
  account_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  content BLOB NOT NULL,
  loose INTEGER NOT NULL,
  PRIMARY KEY(account_id, name)
);
CREATE INDEX pictures_name ON pictures(name);
CREATE INDEX pictures_loose ON pictures(loose) WHERE loose = 1;

CREATE TABLE once(
  key BLOB PRIMARY KEY,
  until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX once_end ON once(until);

CREATE TABLE counters(
  key TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX counters_end ON counters(until);

-- API calls a key made in an hour since 1970.
CREATE TABLE usage(
  key TEXT NOT NULL,
  hour INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  PRIMARY KEY(key, hour)
) WITHOUT ROWID;
CREATE INDEX usage_hour ON usage(hour);

CREATE TABLE leases(
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until INTEGER NOT NULL
) WITHOUT ROWID;
