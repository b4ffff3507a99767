// simple-oauth2, which knows apps with a secret only: Basic, percent-encoded as RFC 6749 2.3.1 has it.
import { createHash, randomBytes } from 'node:crypto';
import dialogue from './dialogue.cjs';

const config = await dialogue.config();
const { AuthorizationCode } = await dialogue.client(config, 'simple-oauth2');

const client = new AuthorizationCode({
  client: { id: config.client_id, secret: config.client_secret },
  auth: { tokenHost: config.base },
});
const state = randomBytes(16).toString('base64url');
const verifier = randomBytes(48).toString('base64url');
const url = client.authorizeURL({
  redirect_uri: config.redirect_uri,
  scope: config.scope,
  state,
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
});
const back = new URL(await dialogue.visit(url)).searchParams;
if (back.get('state') !== state) throw new Error('another state came back');
const first = await client.getToken({
  code: back.get('code'), redirect_uri: config.redirect_uri, code_verifier: verifier,
});
const api = await dialogue.api(config, first.token.access_token);
const second = await first.refresh();
const refreshedApi = await dialogue.api(config, second.token.access_token);
await second.revoke('refresh_token');
dialogue.finish({
  token: first.token,
  api,
  refreshed: second.token,
  refreshed_api: refreshedApi,
  revoked_api: await dialogue.api(config, second.token.access_token),
});
