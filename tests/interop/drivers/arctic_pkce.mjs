// arctic's OAuth2Client: Basic with a secret, the client_id in the body without one.
import dialogue from './dialogue.cjs';

const config = await dialogue.config();
const arctic = await dialogue.client(config, 'arctic');
const tokenEndpoint = config.base + '/oauth/token';

const client = new arctic.OAuth2Client(config.client_id, config.client_secret, config.redirect_uri);
const state = arctic.generateState();
const verifier = arctic.generateCodeVerifier();
const url = client.createAuthorizationURLWithPKCE(
  config.base + '/oauth/authorize', state, arctic.CodeChallengeMethod.S256, verifier, config.scope.split(' '),
);
const back = new URL(await dialogue.visit(url.href)).searchParams;
if (back.get('state') !== state) throw new Error('another state came back');
const tokens = await client.validateAuthorizationCode(tokenEndpoint, back.get('code'), verifier);
const api = await dialogue.api(config, tokens.accessToken());
const refreshed = await client.refreshAccessToken(tokenEndpoint, tokens.refreshToken(), []);
const refreshedApi = await dialogue.api(config, refreshed.accessToken());
await client.revokeToken(config.base + '/oauth/revoke', refreshed.refreshToken());
dialogue.finish({
  token: tokens.data,
  api,
  refreshed: refreshed.data,
  refreshed_api: refreshedApi,
  revoked_api: await dialogue.api(config, refreshed.accessToken()),
});
