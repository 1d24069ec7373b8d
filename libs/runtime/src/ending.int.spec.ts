import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const BUILT = join(createRequire(import.meta.url).resolve('@millrace/runtime'), '..', 'ending.js');

/** A process that does something at its start, and has 200 ms to close. */
const programOf = (atStart: string): string => `
import { Ending } from ${JSON.stringify(pathToFileURL(BUILT).href)};
const logger = { fatal: () => {} };
const ending = new Ending({ logger, say: () => {}, complain: () => {}, closeMaxMs: 200 });
ending.watch();
setInterval(() => {}, 1_000);
${atStart}
console.log('watching');
`;

async function exitCodeOf(atStart: string): Promise<unknown> {
  const program = spawn(process.execPath, ['--input-type=module', '-e', programOf(atStart)]);
  try {
    const ended = once(program, 'exit');
    await once(createInterface(program.stdout), 'line');
    program.kill('SIGTERM');
    return (await ended)[0];
  } finally {
    program.kill('SIGKILL');
  }
}

describe('a process that hears a signal', () => {
  it.each([
    ['closes, and ends well', 'ending.onStarted(async () => {});', 0],
    ['ends badly when closing fails', "ending.onStarted(() => Promise.reject(new Error('no')));", 1],
    ['ends badly when it can not close in time', 'ending.onStarted(() => new Promise(() => {}));', 1],
    [
      'ends well when a start heeds it',
      "ending.signal.addEventListener('abort', () => ending.onStartFailed(ending.signal.reason));",
      0,
    ],
    ['ends badly when a start does not heed it', '', 1],
  ])('%s', async (_what, atStart, code) => {
    expect(await exitCodeOf(atStart)).toBe(code);
  });
});
