import { setTimeout as sleep } from 'node:timers/promises';
import type { Readiness } from '@millrace/http';
import { errorFields, type Logger } from '@millrace/telemetry';

const PAUSE_MS = 250;
const PAUSE_MAX_MS = 5_000;
/** A pause is longer or shorter by this share, so that processes that started together do not ask together. */
const JITTER = 0.25;

export interface DependencyWaitOptions {
  readonly readiness: Readiness;
  readonly logger: Logger;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/**
 * Opens what a process depends on, in an order, each as soon as it is there. Processes may start in any order, and what
 * they need may come up later than they do: until then readiness says what is missing, and why.
 */
export class DependencyWait {
  constructor(private readonly options: DependencyWaitOptions) {}

  /** Names what will be opened, so that readiness knows it from the first moment. */
  announce(names: readonly string[]): void {
    for (const name of names) this.report(name, new Error('It waits for what comes before it.'));
  }

  /** Speaks no more of what was only opened once. */
  forget(names: readonly string[]): void {
    for (const name of names) this.options.readiness.forget(name);
  }

  /**
   * Tries until it works.
   *
   * @param open must leave nothing open when it fails
   * @throws the signal's reason
   */
  async open<T>(name: string, open: () => Promise<T>): Promise<T> {
    const { logger, signal, readiness } = this.options;
    for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS)) {
      signal.throwIfAborted();
      try {
        const opened = await open();
        readiness.set(name, async () => undefined);
        return opened;
      } catch (error) {
        this.report(name, error);
        logger.warn({ dependency: name, ...errorFields(error) }, 'a dependency is not there yet');
      }
      await sleep(pauseMs * (1 - JITTER + 2 * JITTER * Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  private report(name: string, error: unknown): void {
    this.options.readiness.set(name, () => Promise.reject(error instanceof Error ? error : new Error(String(error))));
  }
}
