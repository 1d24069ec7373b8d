import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@millrace/domain';
import type { ByteRange, ByteStream, ObjectStore, StoredObject, StoreOptions } from '@millrace/domain';

export type ObjectStoreCall = keyof ObjectStore;

export interface FailureOptions {
  /** How often; the default is until `heal`. */
  readonly times?: number;
  /** `after`: the store did the work, and the answer was lost on its way. The default is `before`. */
  readonly when?: 'before' | 'after';
  /** The default is `storage.unavailable`. */
  readonly error?: () => Error;
}

export interface CutOptions {
  readonly afterBytes: number;
  /** The default is `error`. */
  readonly how?: 'error' | 'end';
}

interface Failure {
  readonly call: ObjectStoreCall;
  readonly when: 'before' | 'after';
  readonly error: () => Error;
  timesLeft: number;
}

interface Hold {
  readonly call: ObjectStoreCall;
  readonly released: Promise<void>;
  readonly arrived: () => void;
}

/** A held call: `arrived` resolves when a caller waits there, `release` lets all of them go on. */
export interface HeldCall {
  readonly arrived: Promise<void>;
  release(): void;
}

const unavailable = (): Error => new DomainError('storage.unavailable', 'The object store fails on purpose.');

/**
 * A real object store whose calls can be delayed, broken and held. Without a fault it is the store itself, and passes
 * the same conformance suite. A `list` counts as one call, at its first item.
 */
export class FaultyObjectStore implements ObjectStore {
  /** Every call that arrived, in order. */
  readonly calls: { readonly call: ObjectStoreCall; readonly key: string }[] = [];
  #delayMs = 0;
  #failEvery = 0;
  #failures: Failure[] = [];
  #holds: Hold[] = [];
  #cut: CutOptions | undefined;
  #isFar = false;

  constructor(private readonly inner: ObjectStore) {}

  /** Every call from now on takes this much longer. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Every n-th call from now on, of any kind, throws `storage.unavailable` before it does anything. */
  failEvery(n: number): void {
    this.#failEvery = n;
    this.calls.length = 0;
  }

  /** Calls of one kind throw. */
  fail(call: ObjectStoreCall, options: FailureOptions = {}): void {
    const { times = Number.POSITIVE_INFINITY, when = 'before', error = unavailable } = options;
    this.#failures.push({ call, when, error, timesLeft: times });
  }

  /** What `get` gives from now on breaks off after so many bytes: with an error, or as if it were all. */
  cutBytes(cut: CutOptions): void {
    this.#cut = cut;
  }

  /** Calls of one kind wait, before they do anything, until they are released or their signal aborts. */
  hold(call: ObjectStoreCall): HeldCall {
    const arrival = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const hold = { call, released: release.promise, arrived: arrival.resolve };
    this.#holds.push(hold);
    return {
      arrived: arrival.promise,
      release: () => {
        this.#holds = this.#holds.filter((other) => other !== hold);
        release.resolve();
      },
    };
  }

  /** From now on its objects can't be linked, as if they were on another machine. */
  moveAway(): void {
    this.#isFar = true;
  }

  /** No faults any more. Held calls stay held: their owner releases them. */
  heal(): void {
    this.#delayMs = 0;
    this.#failEvery = 0;
    this.#failures = [];
    this.#cut = undefined;
  }

  put(key: string, body: ByteStream, options?: StoreOptions): Promise<StoredObject> {
    return this.#around({ call: 'put', key, options }, () => this.inner.put(key, body, options));
  }

  putFile(key: string, path: string, options?: StoreOptions): Promise<StoredObject> {
    return this.#around({ call: 'putFile', key, options }, () => this.inner.putFile(key, path, options));
  }

  get(key: string, options?: StoreOptions & { readonly range?: ByteRange }): Promise<ByteStream> {
    return this.#around({ call: 'get', key, options }, async () => {
      const bytes = await this.inner.get(key, options);
      return this.#cut ? cutOff(bytes, this.#cut) : bytes;
    });
  }

  find(key: string, options?: StoreOptions): Promise<StoredObject | undefined> {
    return this.#around({ call: 'find', key, options }, () => this.inner.find(key, options));
  }

  link(key: string, path: string, options?: StoreOptions): Promise<boolean> {
    return this.#around({ call: 'link', key, options }, async () =>
      this.#isFar ? false : ((await this.inner.link?.(key, path, options)) ?? false),
    );
  }

  delete(key: string, options?: StoreOptions): Promise<void> {
    return this.#around({ call: 'delete', key, options }, () => this.inner.delete(key, options));
  }

  async *list(prefix: string, options?: StoreOptions): AsyncGenerator<StoredObject> {
    const objects = await this.#around({ call: 'list', key: prefix, options }, async () =>
      this.inner.list(prefix, options),
    );
    yield* objects;
  }

  ping(options?: StoreOptions): Promise<void> {
    return this.#around({ call: 'ping', key: '', options }, () => this.inner.ping(options));
  }

  async #around<T>(arrival: Arrival, run: () => Promise<T>): Promise<T> {
    const { call, key, options } = arrival;
    this.calls.push({ call, key });
    if (this.#failEvery > 0 && this.calls.length % this.#failEvery === 0) throw unavailable();
    if (this.#delayMs > 0) await this.#sleep(options?.signal);
    await this.#waitForRelease(call, options?.signal);
    this.#failIfDue(call, 'before');
    const result = await run();
    this.#failIfDue(call, 'after');
    return result;
  }

  async #sleep(signal: AbortSignal | undefined): Promise<void> {
    try {
      await sleep(this.#delayMs, undefined, signal && { signal });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  }

  async #waitForRelease(call: ObjectStoreCall, signal: AbortSignal | undefined): Promise<void> {
    for (const hold of this.#holds.filter((other) => other.call === call)) {
      hold.arrived();
      await orAborted(hold.released, signal);
    }
  }

  #failIfDue(call: ObjectStoreCall, when: 'before' | 'after'): void {
    const failure = this.#failures.find((other) => other.call === call && other.when === when && other.timesLeft > 0);
    if (!failure) return;
    failure.timesLeft -= 1;
    throw failure.error();
  }
}

async function* cutOff(bytes: ByteStream, { afterBytes, how = 'error' }: CutOptions): AsyncGenerator<Uint8Array> {
  let leftBytes = afterBytes;
  for await (const chunk of bytes) {
    yield chunk.subarray(0, leftBytes);
    leftBytes -= chunk.length;
    if (leftBytes > 0) continue;
    if (how === 'error') throw unavailable();
    return;
  }
}

interface Arrival {
  readonly call: ObjectStoreCall;
  readonly key: string;
  readonly options: StoreOptions | undefined;
}

async function orAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
