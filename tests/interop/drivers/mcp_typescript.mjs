// The MCP TypeScript SDK as an AI agent has it: told where an MCP server is, and nothing about who lets it in.
import dialogue from './dialogue.cjs';

const config = await dialogue.config();
const { Client } = await dialogue.client(config, '@modelcontextprotocol/sdk/client/index.js');
const { StreamableHTTPClientTransport, StreamableHTTPError } =
  await dialogue.client(config, '@modelcontextprotocol/sdk/client/streamableHttp.js');
const { auth, UnauthorizedError } = await dialogue.client(config, '@modelcontextprotocol/sdk/client/auth.js');

// What the app keeps, here only while it runs; and every token it was ever given.
const kept = { given: [], visited: [] };
const provider = {
  redirectUrl: config.redirect_uri,
  clientMetadataUrl: config.client_metadata_url,
  clientMetadata: {
    client_name: 'Interop agent',
    redirect_uris: [config.redirect_uri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state: () => (kept.state = crypto.randomUUID()),
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; kept.given.push(tokens); },
  redirectToAuthorization: (url) => { kept.url = url.href; kept.visited.push(url.href); },
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
  invalidateCredentials: () => { kept.tokens = undefined; },
};
const where = new URL(config.resource);

// The person says yes, and comes back with a code.
async function letIn(transport) {
  const back = new URL(await dialogue.visit(kept.url)).searchParams;
  if (back.get('state') !== kept.state) throw new Error('another state came back');
  await transport.finishAuth(back.get('code'));
}

async function connected() {
  const client = new Client({ name: 'interop', version: '1' });
  const transport = new StreamableHTTPClientTransport(where, { authProvider: provider });
  try {
    await client.connect(transport);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await letIn(transport);
    return connected();
  }
  return { client, transport };
}

const call = async (client, tool) => (await client.callTool({ name: tool })).content[0].text;

const { client, transport } = await connected();
const found = { whoami: await call(client, 'whoami') };
try {
  found.like = await call(client, 'like');
} catch (error) {
  // With a refresh token at hand this version refreshes, which gives no wider scope, and says so: the app asks anew.
  if (!(error instanceof StreamableHTTPError && error.code === 403)) throw error;
  found.refreshed_in_vain = kept.given.length;
  provider.invalidateCredentials();
  const scope = 'basic likes';
  await auth(provider, { serverUrl: where, scope });
  await letIn(transport);
  found.like = await call(client, 'like');
}
// Its access token is taken away: the SDK meets a 401 and refreshes.
const revocation = new URLSearchParams({ token: kept.tokens.access_token, client_id: kept.client.client_id });
await fetch(config.base + '/oauth/revoke', { method: 'POST', body: revocation });
found.later = await call(client, 'whoami');
await client.close();
dialogue.finish({ ...found, visited: kept.visited, client: kept.client, tokens: kept.given });
