// openid-client on a device without a browser (RFC 8628): it shows a code, and asks until the person has said yes.
import dialogue from './dialogue.cjs';

const config = await dialogue.config();
const client = await dialogue.client(config, 'openid-client');

const app = await client.discovery(
  new URL(config.base), config.client_id, undefined, client.None(),
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }, // loopback has no TLS
);
const shown = await client.initiateDeviceAuthorization(app, { scope: config.scope });
const asking = client.pollDeviceAuthorizationGrant(app, shown);
await dialogue.visit(shown.verification_uri_complete);
const token = await asking;
dialogue.finish({ shown, token, api: await dialogue.api(config, token.access_token) });
