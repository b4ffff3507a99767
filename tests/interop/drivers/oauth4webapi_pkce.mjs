// oauth4webapi, from the discovery document on; every answer goes through its own checks.
import dialogue from './dialogue.cjs';

const config = await dialogue.config();
const oauth = await dialogue.client(config, 'oauth4webapi');
const loopback = { [oauth.allowInsecureRequests]: true }; // loopback has no TLS

const issuer = new URL(config.base);
const as = await oauth.processDiscoveryResponse(
  issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...loopback }),
);
const client = { client_id: config.client_id };
const auth = config.client_secret ? oauth.ClientSecretBasic(config.client_secret) : oauth.None();

const state = oauth.generateRandomState();
const verifier = oauth.generateRandomCodeVerifier();
const url = new URL(as.authorization_endpoint);
url.search = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri: config.redirect_uri,
  response_type: 'code',
  scope: config.scope,
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
});
const landed = new URL(await dialogue.visit(url.href));
const back = oauth.validateAuthResponse(as, client, landed, state);
const token = await oauth.processAuthorizationCodeResponse(as, client,
  await oauth.authorizationCodeGrantRequest(as, client, auth, back, config.redirect_uri, verifier, loopback));

const api = async (accessToken) => {
  const where = new URL('/v1/users/self', issuer);
  const answer = await oauth.protectedResourceRequest(accessToken, 'GET', where, undefined, undefined, loopback)
    .catch((error) => error.response ?? Promise.reject(error)); // a challenge is thrown
  return answer.status;
};
const found = { token, api: await api(token.access_token) };
const refreshed = await oauth.processRefreshTokenResponse(as, client,
  await oauth.refreshTokenGrantRequest(as, client, auth, token.refresh_token, loopback));
found.refreshed = refreshed;
found.refreshed_api = await api(refreshed.access_token);
if (config.client_secret) {
  found.introspected = await oauth.processIntrospectionResponse(as, client,
    await oauth.introspectionRequest(as, client, auth, refreshed.access_token, loopback));
}
await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, auth, refreshed.refresh_token, loopback));
found.revoked_api = await api(refreshed.access_token);
dialogue.finish(found);
