import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 10_000;
const PAUSE_MS = 20;

/** Waits until something is the case; throws with its name when it is not in time. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  limitMs = LIMIT_MS,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`In ${limitMs} ms it was never so: ${what}`);
    await sleep(PAUSE_MS);
  }
}
