// The least that an upload can be, as a program: a bare Node server that writes bytes into a file and hashes them.
//
//   node bench/harness/bare-receiver.mjs <folder>      prints its port
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const [folder = '.'] = process.argv.slice(2);

/** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
async function receive(request, response) {
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(request, hashing, createWriteStream(join(folder, 'received')));
  response.writeHead(201).end(hash.digest('hex'));
}

const server = createServer((request, response) => void receive(request, response));
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
