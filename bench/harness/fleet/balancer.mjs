import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('balancer-program.mjs', import.meta.url));

/** One address before several query services, in a process of its own, so that its CPU time is told apart. */
export class Balancer {
  #child;
  #ended;

  /** @param {import('node:child_process').ChildProcess} child @param {string} url */
  constructor(child, url) {
    this.#child = child;
    this.#ended = once(child, 'exit').then(() => {
      throw new Error('The balancer has ended.');
    });
    this.#ended.catch(() => undefined);
    this.url = url;
  }

  static async start() {
    const child = fork(PROGRAM, { detached: true });
    const [{ port }] = await once(child, 'message');
    return new Balancer(child, `http://127.0.0.1:${port}`);
  }

  /** Connections go to these from now on; those that there are end. @param {readonly string[]} targets addresses */
  async lead(targets) {
    const led = once(this.#child, 'message');
    this.#child.send({ targets });
    await Promise.race([led, this.#ended]);
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
