// A driver's half of ../conversation.py, for the npm clients.
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const readline = require('node:readline');

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function hear() {
  return JSON.parse((await lines.next()).value);
}

function say(message) {
  process.stdout.write(JSON.stringify(message) + '\n');
}

module.exports = {
  // What the test says first: base, client_id, client_secret, redirect_uri, clients (the node_modules folder).
  config: hear,
  // A client out of that folder, whichever kind of module it is.
  client: (config, name) => import(createRequire(path.join(config.clients, 'here.js')).resolve(name)),
  // Send the person to the server, and say where their browser came back.
  async visit(url) {
    say({ visit: url });
    return (await hear()).landed;
  },
  // What the API answers to this token.
  async api(config, token) {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(config.base + '/v1/users/self', { headers })).status;
  },
  // Tell what the client knows now.
  finish(result) {
    say({ result });
    process.stdin.destroy();
  },
};
