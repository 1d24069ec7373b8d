// One address before several query services, as a Service of Kubernetes is: it leads each new connection to the next of
// them, and knows nothing of what passes. Its parent says to whom: { "targets": ["http://127.0.0.1:1234", …] }.
import { connect, createServer } from 'node:net';

/** @type {readonly { host: string, port: number }[]} */
let targets = [];
let turn = 0;
const sockets = new Set();

/** @param {import('node:net').Socket} client */
function lead(client) {
  const target = targets[(turn += 1) % targets.length];
  if (!target) return void client.destroy();
  const server = connect(target);
  join(client, server);
  join(server, client);
}

/** @param {import('node:net').Socket} one @param {import('node:net').Socket} other */
function join(one, other) {
  sockets.add(one);
  one.setNoDelay(true);
  one.pipe(other);
  one.on('error', () => other.destroy());
  one.on('close', () => {
    sockets.delete(one);
    other.destroy();
  });
}

process.on('message', (/** @type {{ targets: string[] }} */ message) => {
  targets = message.targets.map((url) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) }));
  // What is kept alive would stay with those that were there before.
  for (const socket of sockets) socket.destroy();
  process.send?.('led');
});
process.on('disconnect', () => process.exit());

const server = createServer(lead);
server.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port }));
