/** Wakes one sleeper. Rings add up to one, and one that came before the sleep counts. */
export class Bell {
  #rung = false;
  #wakeSleeper: () => void = () => undefined;

  ring(): void {
    this.#rung = true;
    this.#wakeSleeper();
  }

  /** Forgets the rings so far. */
  silence(): void {
    this.#rung = false;
  }

  /** Sleeps until the bell rings, the time is over or the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', wake, { once: true });
    this.#wakeSleeper = wake;
    await promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
  }
}
