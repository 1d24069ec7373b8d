import { randomBytes } from 'node:crypto';
import { newId, type ByteStream, type ObjectStore } from '@millrace/domain';

export interface StoreContext {
  readonly store: ObjectStore;
  readonly gatheredBytesMax: number;
  /** A local folder for this run. */
  readonly folder: string;
}

export type GetContext = () => StoreContext;

export const MiB = 1024 * 1024;

export function newKey(tenant = newId('tenant')): string {
  return `t/${tenant}/uploads/${randomBytes(16).toString('hex')}`;
}

export function newResultKey(tenant: string): string {
  return `t/${tenant}/results/${newId('result')}-${randomBytes(16).toString('hex')}.parquet`;
}

export function newDatasetKey(tenant: string): string {
  return `t/${tenant}/datasets/${newId('dataset')}/${newId('version')}/0-${randomBytes(16).toString('hex')}.parquet`;
}

export async function* streamOf(bytes: Buffer, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
}

export async function* brokenStream(error: Error): AsyncGenerator<Uint8Array> {
  yield Buffer.from('first');
  throw error;
}

export async function readAll(body: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

/** The bytes of all objects under a prefix, half-written ones included. */
export async function storedBytes(store: ObjectStore, prefix: string): Promise<number> {
  let bytes = 0;
  for await (const { sizeBytes } of store.list(prefix)) bytes += sizeBytes;
  return bytes;
}
