/** Bytes on their way: what Node's readable streams are, too. */
export type ByteStream = AsyncIterable<Uint8Array>;

export interface StoreOptions {
  /** Ends the call early; the call then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ByteRange {
  /** First byte, from 0. */
  readonly start: number;
  /** Last byte, inclusive, as in HTTP ranges. */
  readonly end: number;
}

export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
}

/**
 * Where the bytes are. Keys come from the key maker. An object appears whole or not at all, and never changes.
 *
 * Errors of every call: `storage.unavailable` (try again), `storage.full`; of reads also `storage.object_missing`.
 */
export interface ObjectStore {
  /** Streams a body into a new object with bounded memory; a body that throws leaves nothing under the key. */
  put(key: string, body: ByteStream, options?: StoreOptions): Promise<StoredObject>;
  /** Puts a local file, which stays where it is and must not change any more. */
  putFile(key: string, path: string, options?: StoreOptions): Promise<StoredObject>;
  /** The object's bytes, or a range of them. Missing objects throw here, not at the first byte. */
  get(key: string, options?: StoreOptions & { readonly range?: ByteRange }): Promise<ByteStream>;
  /** The object's size, or undefined when there is none. */
  find(key: string, options?: StoreOptions): Promise<StoredObject | undefined>;
  /**
   * Makes the object itself a local file (0444) at a path that must not exist, which costs nothing and outlives the
   * object. Only stores whose objects are local files have it.
   *
   * @returns false where no link is possible: another file system
   */
  link?(key: string, path: string, options?: StoreOptions): Promise<boolean>;
  /** Deletes the object, also one that is only half written. A key without an object is no error. */
  delete(key: string, options?: StoreOptions): Promise<void>;
  /** All objects whose key starts with a prefix, half written ones included. */
  list(prefix: string, options?: StoreOptions): AsyncIterable<StoredObject>;
  /** Whether the store answers. */
  ping(options?: StoreOptions): Promise<void>;
}
