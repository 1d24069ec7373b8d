import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { RedisCluster, RedisServer } from '@millrace/testing';

const BUILT = join(createRequire(import.meta.url).resolve('@millrace/queue'), '..');
const builtFile = (name: string) => JSON.stringify(pathToFileURL(join(BUILT, name)).href);

/** A process that sends and receives messages and events until it hears that that is enough: as services do. */
const PROGRAM = `
import { queueBackendAt } from ${builtFile('queue-backend-at.js')};
import { parseQueueLocation } from ${builtFile('parse-queue-location.js')};
const log = { info: () => {}, warn: () => {}, error: () => {} };
const backend = queueBackendAt(parseQueueLocation({ REDIS_URL: process.argv[1], databaseUrl: '' }));
const tell = (what) => console.log(what);
let enough = false;
process.stdin.once('data', () => { enough = true; });
const receive = async () => tell('received');
const sender = await backend.openSender(['convert'], log);
const receiver = await backend.openReceiver({ queue: 'convert', concurrency: 2, log, receive });
receiver.run();
const broadcast = await backend.openBroadcast(log);
await broadcast.subscribe('topic', () => tell('heard'));
const opts = { attempts: 1, removeOnComplete: { age: 60 }, removeOnFail: { age: 60 } };
for (let count = 0; !enough; count += 1) {
  const entry = { name: 'n', data: {}, opts: { ...opts, jobId: 'a-' + count } };
  await Promise.allSettled([
    sender.addBulk('convert', [entry]),
    sender.findUndeliverable('convert', ['a-0']),
    broadcast.publish('topic', {}),
    broadcast.ping(),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await Promise.all([broadcast.close(), receiver.close(), sender.close()]);
process.stdin.destroy();
`;

/** Different moments of connecting again, which takes up to 2 s. */
const AWAY_MS = [0, 30, 120, 400, 1_100];
/** Longer than a cluster takes to agree that a node is back. */
const RECOVERY_TEST_MS = 180_000;

const opened: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.stop();
});

/** Runs the program while a server is killed again and again; gives what it complained of, and how it ended. */
async function runWhile(url: string, killed: RedisServer): Promise<{ code: unknown; complaints: string }> {
  const program = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, url]);
  opened.push({ stop: async () => void program.kill('SIGKILL') });
  const ended = Promise.all([text(program.stderr), once(program, 'exit')]);
  const told = createInterface(program.stdout);
  const hears = async (what: string): Promise<void> => {
    for (;;) {
      const [line] = (await once(told, 'line')) as [string];
      if (line === what) return;
    }
  };
  await Promise.all([hears('received'), hears('heard')]);
  for (const awayMs of AWAY_MS) {
    await killed.kill();
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    await killed.restart();
    await Promise.all([hears('received'), hears('heard')]);
  }
  program.stdin.write('enough');
  const [complaints, [code]] = await ended;
  return { code, complaints };
}

describe('a process whose Redis is killed again and again', () => {
  it(
    'goes on each time, ends when it is told, and prints no error',
    async () => {
      const redis = await RedisServer.start();
      opened.push(redis);
      expect(await runWhile(redis.url, redis)).toEqual({ code: 0, complaints: '' });
    },
    RECOVERY_TEST_MS,
  );

  it(
    'does so, too, when that is a node of a cluster',
    async () => {
      const cluster = await RedisCluster.start();
      opened.push(cluster);
      const node = await cluster.nodeOf('{millrace}');
      expect(await runWhile(cluster.url, node)).toEqual({ code: 0, complaints: '' });
    },
    RECOVERY_TEST_MS,
  );
});
