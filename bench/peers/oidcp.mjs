// node-oidc-provider with a store of its own: oidcp.mjs PORT memory | FILE | postgresql://...
//
// Prepared statements, one upsert an artifact, as the adapters in its documentation do. With REFRESH it gives
// refresh tokens, too; without, an exchange does the same work as valetkey's.
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// What is installed lies beside the working folder, not beside this file.
const require = createRequire(pathToFileURL(process.env.BENCH_NODE + '/'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Provider } = await load('oidc-provider');
const [port, where] = process.argv.slice(2);
const granted = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);
const seconds = () => Math.floor(Date.now() / 1000);

// A Map without bounds: the package's own holds 1,000 entries and forgets the rest.
function inMemory() {
  const rows = new Map(), grants = new Map(), uids = new Map();
  return class {
    constructor(kind) { this.kind = kind; }
    key(id) { return `${this.kind}:${id}`; }
    async upsert(id, payload) {
      const key = this.key(id);
      rows.set(key, { ...payload });
      if (granted.has(this.kind) && payload.grantId) {
        if (grants.has(payload.grantId)) grants.get(payload.grantId).push(key);
        else grants.set(payload.grantId, [key]);
      }
      if (payload.uid) uids.set(payload.uid, key);
    }
    async find(id) { return rows.get(this.key(id)); }
    async findByUid(uid) { return rows.get(uids.get(uid)); }
    async consume(id) { const row = rows.get(this.key(id)); if (row) row.consumed = seconds(); }
    async destroy(id) { rows.delete(this.key(id)); }
    async revokeByGrantId(id) { for (const key of grants.get(id) ?? []) rows.delete(key); grants.delete(id); }
  };
}

async function onSqlite(file) {
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE oidc(key TEXT PRIMARY KEY, payload TEXT, expires INTEGER, grant_id TEXT, uid TEXT) WITHOUT ROWID;
    CREATE INDEX by_grant ON oidc(grant_id) WHERE grant_id IS NOT NULL;
    CREATE INDEX by_uid ON oidc(uid) WHERE uid IS NOT NULL`);
  const upsert = db.prepare(`INSERT INTO oidc VALUES(?, ?, ?, ?, ?)
    ON CONFLICT(key) DO UPDATE SET payload = excluded.payload, expires = excluded.expires`);
  const find = db.prepare('SELECT payload, expires FROM oidc WHERE key = ?');
  const byUid = db.prepare('SELECT payload, expires FROM oidc WHERE uid = ?');
  const consume = db.prepare(`UPDATE oidc SET payload = json_set(payload, '$.consumed', ?) WHERE key = ?`);
  const destroy = db.prepare('DELETE FROM oidc WHERE key = ?');
  const revoke = db.prepare('DELETE FROM oidc WHERE grant_id = ?');
  const living = (row) => (row && !(row.expires && row.expires < Date.now() / 1000) ? JSON.parse(row.payload) : undefined);
  return class {
    constructor(kind) { this.kind = kind; }
    key(id) { return `${this.kind}:${id}`; }
    async upsert(id, payload, lifetime) {
      const grant = granted.has(this.kind) ? payload.grantId ?? null : null;
      upsert.run(this.key(id), JSON.stringify(payload), lifetime ? seconds() + lifetime : null, grant, payload.uid ?? null);
    }
    async find(id) { return living(find.get(this.key(id))); }
    async findByUid(uid) { return living(byUid.get(uid)); }
    async consume(id) { consume.run(seconds(), this.key(id)); }
    async destroy(id) { destroy.run(this.key(id)); }
    async revokeByGrantId(id) { revoke.run(id); }
  };
}

async function onPostgres(url) {
  const { default: pg } = await load('pg');
  const at = new URL(url.replace('@/', '@localhost/'));
  const host = at.searchParams.get('host');
  const pool = new pg.Pool({ host, user: at.username, database: at.pathname.slice(1), max: 10 });
  await pool.query(`CREATE TABLE oidc(key TEXT PRIMARY KEY, payload JSONB, expires TIMESTAMPTZ, grant_id TEXT, uid TEXT);
    CREATE INDEX ON oidc(grant_id); CREATE INDEX ON oidc(uid)`);
  const run = (name, text, values) => pool.query({ name, text, values });
  const living = ({ rows: [row] }) => (row && !(row.expires && row.expires < new Date()) ? row.payload : undefined);
  return class {
    constructor(kind) { this.kind = kind; }
    key(id) { return `${this.kind}:${id}`; }
    async upsert(id, payload, lifetime) {
      const expires = lifetime ? new Date(Date.now() + lifetime * 1000) : null;
      const grant = granted.has(this.kind) ? payload.grantId ?? null : null;
      await run('upsert', `INSERT INTO oidc VALUES($1, $2, $3, $4, $5)
        ON CONFLICT(key) DO UPDATE SET payload = excluded.payload, expires = excluded.expires`,
        [this.key(id), JSON.stringify(payload), expires, grant, payload.uid ?? null]);
    }
    async find(id) { return living(await run('find', 'SELECT payload, expires FROM oidc WHERE key = $1', [this.key(id)])); }
    async findByUid(uid) { return living(await run('by-uid', 'SELECT payload, expires FROM oidc WHERE uid = $1', [uid])); }
    async consume(id) {
      await run('consume', `UPDATE oidc SET payload = jsonb_set(payload, '{consumed}', to_jsonb($1::int)) WHERE key = $2`,
        [seconds(), this.key(id)]);
    }
    async destroy(id) { await run('destroy', 'DELETE FROM oidc WHERE key = $1', [this.key(id)]); }
    async revokeByGrantId(id) { await run('revoke', 'DELETE FROM oidc WHERE grant_id = $1', [id]); }
  };
}

const adapter = where === 'memory' ? inMemory() : await (where.startsWith('postgresql:') ? onPostgres : onSqlite)(where);
const refresh = process.env.REFRESH ? ['refresh_token'] : [];
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const day = 86400;
const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter,
  clients: [{
    client_id: 'bench',
    client_secret: 'bench-secret-bench-secret',
    redirect_uris: ['https://rp.test/cb'],
    grant_types: ['authorization_code', 'client_credentials', ...refresh],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }] },
  cookies: { keys: ['a-key-for-the-cookies-of-this-bench'] },
  scopes: ['openid', 'offline_access', 'api'],
  features: { introspection: { enabled: true }, clientCredentials: { enabled: true }, devInteractions: { enabled: true } },
  rotateRefreshToken: true, // by itself it does so for a secret's holder only near the token's end
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, name: `The Real ${id}` }) }),
  ttl: { AuthorizationCode: 600, AccessToken: 3600, Session: day, Grant: day, Interaction: 3600, IdToken: 3600, RefreshToken: day },
});
provider.on('server_error', (ctx, error) => console.error(error));
provider.listen(Number(port), '127.0.0.1');
