import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { BreakingProxy, type BreakingPoint } from '@millrace/testing';
import { TestPostgres } from '../test/test-postgres.js';

const BUILT = join(createRequire(import.meta.url).resolve('@millrace/queue'), '../queue-backend.js');

/** A process that sends and receives one message, trying again whatever fails: as services do. */
const PROGRAM = `
import { openBroadcast, openReceiver, openSender } from ${JSON.stringify(pathToFileURL(BUILT).href)};
const log = { info: () => {}, warn: () => {}, error: () => {} };
const databaseUrl = process.argv[1];
async function until(act) {
  for (;;) {
    try { return await act(); } catch { await new Promise((resolve) => setTimeout(resolve, 20)); }
  }
}
const received = Promise.withResolvers();
const heard = Promise.withResolvers();
const receive = async () => received.resolve();
const sender = await until(() => openSender(databaseUrl, ['convert'], log));
const receiver = await until(async () => {
  const opened = openReceiver({ queue: 'convert', concurrency: 1, databaseUrl, log, receive });
  await opened.waitUntilReady().catch(async (error) => { await opened.close(); throw error; });
  return opened;
});
receiver.run();
const broadcast = await until(() => openBroadcast(databaseUrl, log));
await until(() => broadcast.subscribe('topic', () => heard.resolve()));
const opts = { attempts: 1, removeOnComplete: { age: 60 }, removeOnFail: { age: 60 } };
await until(() => sender.addBulk('convert', [{ name: 'n', data: {}, opts: { ...opts, jobId: 'a-1' } }]));
await received.promise;
const again = setInterval(() => broadcast.publish('topic', {}).catch(() => {}), 200);
await heard.promise;
clearInterval(again);
await Promise.all([broadcast.close(), receiver.close(), sender.close()]);
`;

describe('a connection that Postgres ends', () => {
  const postgres = new TestPostgres();
  afterAll(() => postgres.stop());

  /** After the first answer a connection is there, and nobody has asked anything yet; after the second somebody has. */
  const moments: BreakingPoint[] = [1, 2, 3, 4].flatMap((connection) => [
    { connection, answer: 1, how: 'told' },
    { connection, answer: 2, how: 'told' },
    { connection, answer: 2, how: 'reset' },
  ]);

  it.each(moments)('ends no process: connection $connection, after answer $answer, $how', async (point) => {
    const proxy = await BreakingProxy.start(await postgres.createDatabase(), point);
    const program = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, proxy.databaseUrl], {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    try {
      const [complaints, [code]] = await Promise.all([text(program.stderr), once(program, 'exit')]);
      expect({ code, complaints, hasBroken: proxy.hasBroken }).toEqual({ code: 0, complaints: '', hasBroken: true });
    } finally {
      program.kill('SIGKILL');
      await proxy.stop();
    }
  });
});
