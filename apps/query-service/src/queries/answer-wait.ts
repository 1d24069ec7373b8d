/** What the wait gives in the place of an answer that takes longer. */
export const PARTED = Symbol('parted');

/**
 * The time that a client waits for its answer. While it waits, going away ends its statement; once it was told where to
 * look, the statement goes on without it.
 */
export class AnswerWait {
  private readonly gone = new AbortController();
  private readonly parting = Promise.withResolvers<typeof PARTED>();
  private readonly endAt: number;
  private timer: NodeJS.Timeout | undefined;
  private hasParted = false;

  constructor(client: AbortSignal, { waitMs }: { readonly waitMs: number }) {
    this.endAt = performance.now() + waitMs;
    const onGone = (): void => {
      if (!this.hasParted) this.gone.abort(client.reason);
    };
    if (client.aborted) onGone();
    else client.addEventListener('abort', onGone, { once: true });
  }

  /** Aborted when the client goes away before it was told where to look. */
  get disconnected(): AbortSignal {
    return this.gone.signal;
  }

  /** Says that the client can do without the answer, because what it asked for is found elsewhere. Else it waits on. */
  allowParting(): void {
    this.timer ??= setTimeout(() => this.part(), Math.max(0, this.endAt - performance.now()));
  }

  /** The answer, or `PARTED` when the time is over and the client can do without it. */
  async for<T>(answer: Promise<T>): Promise<T | typeof PARTED> {
    try {
      return await Promise.race([answer, this.parting.promise]);
    } finally {
      clearTimeout(this.timer);
    }
  }

  private part(): void {
    if (this.gone.signal.aborted) return;
    this.hasParted = true;
    this.parting.resolve(PARTED);
  }
}
