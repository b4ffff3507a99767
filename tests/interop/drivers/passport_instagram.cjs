// passport-instagram through passport itself: redirect out, callback in, and what the app is told.
//
// The strategy fetches the profile from the origin's own address, which is written into its code. ../origin_host.py
// stands there; node-oauth's setAgent leads to it, and NODE_EXTRA_CA_CERTS makes its certificate good.
'use strict';

const http = require('node:http');
const https = require('node:https');
const tls = require('node:tls');
const { createRequire } = require('node:module');
const path = require('node:path');
const dialogue = require('./dialogue.cjs');

class ThroughProxy extends https.Agent {
  createConnection(options, done) {
    const proxy = new URL(process.env.HTTPS_PROXY);
    const target = `${options.host}:${options.port}`;
    http
      .request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: target })
      .on('connect', (_, socket) => done(null, tls.connect({ socket, servername: options.host })))
      .on('error', done)
      .end();
  }
}

// One visitor of the app: a request in, and either a redirect or what passport found out.
function ask(passport, session, url) {
  return new Promise((resolve, reject) => {
    const query = Object.fromEntries(new URL(url).searchParams);
    const request = { method: 'GET', url, headers: {}, query, session };
    const headers = {};
    const response = {
      setHeader: (name, value) => { headers[name] = value; },
      end: () => resolve({ location: headers.Location }),
    };
    const settled = (error, user, info) => (error ? reject(error) : resolve({ user, info }));
    passport.authenticate('instagram', { session: false }, settled)(request, response, reject);
  });
}

async function main() {
  const config = await dialogue.config();
  const load = createRequire(path.join(config.clients, 'here.js'));
  const { Passport } = load('passport');
  const InstagramStrategy = load('passport-instagram').Strategy;

  const passport = new Passport();
  const strategy = new InstagramStrategy(
    {
      clientID: config.client_id,
      clientSecret: config.client_secret,
      callbackURL: config.redirect_uri,
      authorizationURL: config.base + '/oauth/authorize/',
      state: true,
    },
    (accessToken, refreshToken, params, profile, done) => done(null, { accessToken, refreshToken, params, profile }),
  );
  strategy._oauth2.setAgent(new ThroughProxy());
  passport.use(strategy);

  const session = {};
  const out = await ask(passport, session, config.redirect_uri);
  const landed = await dialogue.visit(out.location);
  const back = await ask(passport, session, landed);
  dialogue.finish({ user: back.user, info: back.info ?? null });
}

main().catch((error) => {
  console.error(error, error.oauthError ?? '');
  process.exit(1);
});
