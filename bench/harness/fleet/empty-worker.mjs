import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('empty-worker-program.mjs', import.meta.url));

/** A worker for conversions that converts nothing, in a process of its own. */
export class EmptyWorker {
  #child;

  /** @param {import('node:child_process').ChildProcess} child */
  constructor(child) {
    this.#child = child;
  }

  /** On what a fleet stands on. @param {import('./fleet.mjs').Fleet} fleet */
  static async start({ databaseUrl, redis }) {
    const env = { PATH: process.env.PATH, DATABASE_URL: databaseUrl, ...(redis && { REDIS_URL: redis.url }) };
    const child = fork(PROGRAM, { env, detached: true });
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`The empty worker ended with ${code}.`);
    });
    failed.catch(() => undefined);
    await Promise.race([once(child, 'message'), failed]);
    return new EmptyWorker(child);
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
