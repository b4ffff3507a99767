// A driver's half of ../conversation.py, for the npm clients.
'use strict';

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
  // Send the person to the server, and say where their browser came back.
  async visit(url) {
    say({ visit: url });
    return (await hear()).landed;
  },
  // Tell what the client knows now.
  finish(result) {
    say({ result });
    process.stdin.destroy();
  },
};
