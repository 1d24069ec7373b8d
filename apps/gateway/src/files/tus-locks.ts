import type { Lock, Locker, RequestRelease } from '@tus/server';
import { DomainError } from '@millrace/domain';

/** How long a request waits for the one before it to let go. */
const WAIT_MAX_MS = 30_000;
/** Requests that wait for one upload. */
const WAITING_MAX = 8;

interface Waiting {
  readonly askToLetGo: RequestRelease;
  readonly begin: () => void;
}

interface Held {
  readonly askToLetGo: RequestRelease;
  readonly waiting: Waiting[];
}

/**
 * Lets one request at a time work on an upload. Who comes later asks who is there to let go: most likely that is the same
 * client, whose connection broke without a word.
 *
 * Of one process; between several, the catalog takes each byte once. Not the library's own, which waits by turning the event
 * loop as fast as it can.
 */
export class TusLocks implements Locker {
  private readonly held = new Map<string, Held>();

  newLock(id: string): Lock {
    return {
      lock: (signal, askToLetGo) => this.take(id, { signal, askToLetGo }),
      unlock: async () => this.give(id),
    };
  }

  /** @throws DomainError `upload.locked` when it is not to be had in time; the signal's reason */
  private async take(
    id: string,
    { signal, askToLetGo }: { readonly signal: AbortSignal; readonly askToLetGo: RequestRelease },
  ): Promise<void> {
    const held = this.held.get(id);
    if (!held) return void this.held.set(id, { askToLetGo, waiting: [] });
    if (held.waiting.length >= WAITING_MAX) throw locked();
    const { promise, resolve: begin, reject } = Promise.withResolvers<void>();
    const entry = { askToLetGo, begin };
    held.waiting.push(entry);
    const giveUp = (error: unknown): void => {
      const { waiting } = this.held.get(id) ?? held;
      const place = waiting.indexOf(entry);
      if (place >= 0) waiting.splice(place, 1);
      reject(error);
    };
    const late = setTimeout(() => giveUp(locked()), WAIT_MAX_MS);
    const onAbort = (): void => giveUp(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    await held.askToLetGo();
    try {
      await promise;
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', onAbort);
    }
  }

  private give(id: string): void {
    const { waiting = [] } = this.held.get(id) ?? {};
    const next = waiting.shift();
    if (!next) return void this.held.delete(id);
    this.held.set(id, { askToLetGo: next.askToLetGo, waiting });
    next.begin();
    // Others wait for the one that begins now: it is asked as well.
    if (waiting.length > 0) void next.askToLetGo();
  }
}

function locked(): DomainError {
  return new DomainError('upload.locked', 'Another request writes to the upload. Ask for its offset in a moment.');
}
