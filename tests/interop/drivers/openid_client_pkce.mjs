// openid-client, as plain OAuth 2.0: it discovers the server and holds the answers to what it found.
import dialogue from './dialogue.cjs';

const config = await dialogue.config();
const client = await dialogue.client(config, 'openid-client');

const app = await client.discovery(
  new URL(config.base),
  config.client_id,
  undefined,
  config.client_secret ? client.ClientSecretBasic(config.client_secret) : client.None(),
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }, // loopback has no TLS
);
const state = client.randomState();
const verifier = client.randomPKCECodeVerifier();
const url = client.buildAuthorizationUrl(app, {
  redirect_uri: config.redirect_uri,
  scope: config.scope,
  state,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
});
const landed = new URL(await dialogue.visit(url.href));
const token = await client.authorizationCodeGrant(app, landed, { pkceCodeVerifier: verifier, expectedState: state });

const api = async (accessToken) => {
  const where = new URL(config.base + '/v1/users/self');
  const answer = await client.fetchProtectedResource(app, accessToken, where, 'GET')
    .catch((error) => error.response ?? error.cause ?? Promise.reject(error)); // a challenge is thrown
  return answer.status;
};
const found = { token, api: await api(token.access_token) };
const refreshed = await client.refreshTokenGrant(app, token.refresh_token);
found.refreshed = refreshed;
found.refreshed_api = await api(refreshed.access_token);
if (config.client_secret) found.introspected = await client.tokenIntrospection(app, refreshed.access_token);
await client.tokenRevocation(app, refreshed.refresh_token);
found.revoked_api = await api(refreshed.access_token);
dialogue.finish(found);
