// openid-client as strict as it can be: a pushed request, tokens bound by DPoP, and private_key_jwt where it has a key.
import dialogue from './dialogue.cjs';

const config = await dialogue.config();
const client = await dialogue.client(config, 'openid-client');

async function authentication() {
  if (!config.key) return config.client_secret ? client.ClientSecretBasic(config.client_secret) : client.None();
  const jwk = JSON.parse(config.key);
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  return client.PrivateKeyJwt({ key, kid: jwk.kid });
}
const app = await client.discovery(
  new URL(config.base), config.client_id, undefined, await authentication(),
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }, // loopback has no TLS
);
const DPoP = client.getDPoPHandle(app, await client.randomDPoPKeyPair('ES256'));

const state = client.randomState();
const verifier = client.randomPKCECodeVerifier();
const url = await client.buildAuthorizationUrlWithPAR(app, {
  redirect_uri: config.redirect_uri,
  scope: config.scope,
  state,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
}, { DPoP });
const landed = new URL(await dialogue.visit(url.href));
const token = await client.authorizationCodeGrant(
  app, landed, { pkceCodeVerifier: verifier, expectedState: state }, undefined, { DPoP },
);
const api = async (accessToken, options) => {
  const where = new URL(config.base + '/v1/users/self');
  const answer = await client.fetchProtectedResource(app, accessToken, where, 'GET', undefined, undefined, options)
    .catch((error) => error.response ?? error.cause ?? Promise.reject(error)); // a challenge is thrown
  return answer.status;
};
const found = { token, asked: url.href, api: await api(token.access_token, { DPoP }) };
const thief = client.getDPoPHandle(app, await client.randomDPoPKeyPair('ES256'));
found.other_key_api = await api(token.access_token, { DPoP: thief });
const refreshed = await client.refreshTokenGrant(app, token.refresh_token, undefined, { DPoP });
found.refreshed = refreshed;
found.refreshed_api = await api(refreshed.access_token, { DPoP });
if (config.key || config.client_secret) found.introspected = await client.tokenIntrospection(app, refreshed.access_token);
await client.tokenRevocation(app, refreshed.refresh_token ?? token.refresh_token); // fapi2 keeps the first
found.revoked_api = await api(refreshed.access_token, { DPoP });
dialogue.finish(found);
