// simple-oauth2 without a person: by Basic, and with the secret in the body.
import dialogue from './dialogue.cjs';

const config = await dialogue.config();
const { ClientCredentials } = await dialogue.client(config, 'simple-oauth2');

async function token(authorizationMethod) {
  const client = new ClientCredentials({
    client: { id: config.client_id, secret: config.client_secret },
    auth: { tokenHost: config.base },
    options: { authorizationMethod },
  });
  return (await client.getToken({ scope: config.scope })).token;
}

dialogue.finish({ tokens: [await token('header'), await token('body')] });
