import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.js';
import { runInContext } from './request-context.js';
import { withRemoteParent } from './tracing/spans.js';

function capture() {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { lines, logger: createLogger({ level: 'info', service: 'test', stream }) };
}

describe('createLogger', () => {
  it('puts the service and the context of the request on every line', async () => {
    const { lines, logger } = capture();
    await runInContext({ requestId: 'r1' }, () =>
      runInContext({ tenantId: 't1' }, async () => {
        await Promise.resolve();
        logger.info({ rows: 3 }, 'done');
      }),
    );
    expect(lines).toMatchObject([
      { service: 'test', level: 'info', requestId: 'r1', tenantId: 't1', rows: 3, msg: 'done' },
    ]);
  });

  it('puts the trace on every line', () => {
    const { lines, logger } = capture();
    withRemoteParent(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, () => logger.info({}, 'done'));
    logger.info({}, 'later');
    expect(lines[0]).toMatchObject({ trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) });
    expect(lines[1]).not.toHaveProperty('trace_id');
  });

  it('hides the password of an address, wherever it stands', () => {
    const { lines, logger } = capture();
    logger.warn({ part: { reason: 'no answer of postgres://app:hunter2@db/x' } }, 'a connection broke');
    expect(lines).toMatchObject([{ part: { reason: 'no answer of postgres://app:[hidden]@db/x' } }]);
  });

  it('removes secrets', () => {
    const { lines, logger } = capture();
    logger.info({ headers: { authorization: 'Bearer secret', host: 'a' }, api_key: 'secret' }, 'request');
    expect(JSON.stringify(lines)).not.toContain('secret');
  });
});

describe('a log file that can not be written any more', () => {
  it('ends nothing, and does not keep the process from ending', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-log-'));
    const script = `
      const { createLogger, logFile } = await import('@millrace/telemetry');
      const stream = logFile(${JSON.stringify(join(folder, 'a.log'))});
      const logger = createLogger({ level: 'info', service: 'test', stream });
      logger.info('lost');
      setTimeout(() => { logger.info('lost, too'); process.exit(42); }, 100);
    `;
    // A limit of 0 bytes a file is like a full disk, and every shell has it.
    const limited = ['-c', 'ulimit -f 0; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script];
    const child = spawn('sh', limited, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 });
    let complaints = '';
    child.stderr.on('data', (bytes: Buffer) => (complaints += bytes.toString()));
    expect([...(await once(child, 'close')), complaints]).toEqual([42, null, '']);
    await expect(readFile(join(folder, 'a.log'), 'utf8')).resolves.toBe('');
    await rm(folder, { recursive: true });
  });
});
