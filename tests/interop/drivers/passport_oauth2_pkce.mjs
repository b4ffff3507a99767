// passport-oauth2 on passport: the secret in the body, state and verifier in the app's session.
import dialogue from './dialogue.cjs';

const config = await dialogue.config();
const { Passport } = (await dialogue.client(config, 'passport')).default;
const { Strategy } = (await dialogue.client(config, 'passport-oauth2')).default;

const strategy = new Strategy(
  {
    authorizationURL: config.base + '/oauth/authorize',
    tokenURL: config.base + '/oauth/token',
    clientID: config.client_id,
    clientSecret: config.client_secret ?? undefined,
    callbackURL: config.redirect_uri,
    scope: config.scope.split(' '),
    state: true,
    pkce: true,
  },
  // what the library takes for itself is put back beside the rest of the answer
  (accessToken, refreshToken, params, profile, done) => done(null, { ...params, refresh_token: refreshToken }),
);
const passport = new Passport();
passport.use(strategy);

// One visitor of the app: a request in, and either a redirect or what passport found out.
const session = {};
const ask = (url) => new Promise((resolve, reject) => {
  const query = Object.fromEntries(new URL(url).searchParams);
  const headers = {};
  const response = { setHeader: (name, value) => { headers[name] = value; }, end: () => resolve(headers.Location) };
  const settled = (error, user, info) => (error || !user ? reject(error ?? info) : resolve(user));
  passport.authenticate('oauth2', { session: false }, settled)(
    { method: 'GET', url, headers: {}, query, session }, response, reject,
  );
});
const token = await ask(await dialogue.visit(await ask(config.redirect_uri)));
const found = { token, api: await dialogue.api(config, token.access_token) };
found.refreshed = await new Promise((resolve, reject) => {
  strategy._oauth2.getOAuthAccessToken(token.refresh_token, { grant_type: 'refresh_token' },
    (error, accessToken, refreshToken, params) => (
      error ? reject(new Error(error.data)) : resolve({ ...params, refresh_token: refreshToken })
    ));
});
found.refreshed_api = await dialogue.api(config, found.refreshed.access_token);
dialogue.finish(found);
