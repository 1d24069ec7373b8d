import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 20_000;
const PAUSE_MS = 25;

/** Waits until something is the case; throws with its name, and what there was instead, when it is not in time. */
export async function eventually(what: string, isSo: () => unknown): Promise<void> {
  const until = performance.now() + LIMIT_MS;
  while (!(await isSo())) {
    if (performance.now() > until) throw new Error(`In ${LIMIT_MS} ms it was never so: ${what}`);
    await sleep(PAUSE_MS);
  }
}
