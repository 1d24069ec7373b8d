import type { ByteRange, ByteStream, ObjectStore, StoredObject, StoreOptions } from '@millrace/domain';
import { inSpan, type TraceSpan } from '@millrace/telemetry';

/** A store whose calls are spans of the trace that they belong to. Outside of a trace it is the store and nothing else. */
export class TracedObjectStore implements ObjectStore {
  readonly link?: NonNullable<ObjectStore['link']>;

  constructor(private readonly inner: ObjectStore) {
    const link = inner.link?.bind(inner);
    if (link) this.link = (key, path, options) => inSpan('store.link', {}, () => link(key, path, options));
  }

  put(key: string, body: ByteStream, options?: StoreOptions): Promise<StoredObject> {
    return inSpan('store.put', {}, async (span) => sized(span, await this.inner.put(key, body, options)));
  }

  putFile(key: string, path: string, options?: StoreOptions): Promise<StoredObject> {
    return inSpan('store.put', {}, async (span) => sized(span, await this.inner.putFile(key, path, options)));
  }

  /** The span ends when the bytes begin to come: who reads them takes the time that they take. */
  get(key: string, options?: StoreOptions & { readonly range?: ByteRange }): Promise<ByteStream> {
    return inSpan('store.get', {}, () => this.inner.get(key, options));
  }

  find(key: string, options?: StoreOptions): Promise<StoredObject | undefined> {
    return inSpan('store.find', {}, () => this.inner.find(key, options));
  }

  delete(key: string, options?: StoreOptions): Promise<void> {
    return inSpan('store.delete', {}, () => this.inner.delete(key, options));
  }

  list(prefix: string, options?: StoreOptions): AsyncIterable<StoredObject> {
    return this.inner.list(prefix, options);
  }

  ping(options?: StoreOptions): Promise<void> {
    return this.inner.ping(options);
  }
}

function sized(span: TraceSpan, object: StoredObject): StoredObject {
  span.set({ 'millrace.storage.size': object.sizeBytes });
  return object;
}
