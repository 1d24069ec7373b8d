import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.js';
import { runInContext } from './request-context.js';

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

  it('removes secrets', () => {
    const { lines, logger } = capture();
    logger.info({ headers: { authorization: 'Bearer secret', host: 'a' }, api_key: 'secret' }, 'request');
    expect(JSON.stringify(lines)).not.toContain('secret');
  });
});
