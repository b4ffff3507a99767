// grant as the front of a small app: /connect/valetkey leads out, /connect/valetkey/callback is the redirect URI.
import { createServer } from 'node:http';
import dialogue from './dialogue.cjs';

const config = await dialogue.config();
const { default: grant } = await dialogue.client(config, 'grant');
const home = new URL(config.redirect_uri);

const middleware = grant.node({
  config: {
    defaults: { origin: home.origin, transport: 'state', state: true, response: ['tokens', 'raw'] },
    valetkey: {
      authorize_url: config.base + '/oauth/authorize',
      access_url: config.base + '/oauth/token',
      oauth: 2,
      key: config.client_id,
      secret: config.client_secret ?? undefined,
      token_endpoint_auth_method: config.client_secret ? 'client_secret_basic' : undefined,
      scope: config.scope.split(' '),
      scope_delimiter: ' ', // its own is a comma
      pkce: true,
    },
  },
  session: { secret: 'of this run' },
});
const app = createServer(async (request, response) => {
  const { response: found, redirect } = await middleware(request, response);
  if (!redirect) response.end(JSON.stringify(found));
}).listen(home.port, home.hostname);

const out = await fetch(home.origin + '/connect/valetkey', { redirect: 'manual' });
const landed = await dialogue.visit(out.headers.get('location'));
const [cookie] = out.headers.getSetCookie().map((text) => text.split(';')[0]);
const found = await (await fetch(landed, { headers: { cookie } })).json();
app.close();
dialogue.finish({ token: found.raw, api: await dialogue.api(config, found.access_token) });
