import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import type { ObjectStore } from '@millrace/domain';

/** Keys of everything in the store under a prefix. */
export async function storedKeys(store: Pick<ObjectStore, 'list'>, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

/** The bytes of the only file under a prefix. @throws Error when there are none or several */
export async function storedFile(
  store: Pick<ObjectStore, 'list' | 'get'>,
  prefix: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const [key, ...others] = await storedKeys(store, prefix);
  if (key === undefined || others.length > 0) throw new Error(`There is not one file under ${prefix}.`);
  return Uint8Array.from(await buffer(Readable.from(await store.get(key))));
}
