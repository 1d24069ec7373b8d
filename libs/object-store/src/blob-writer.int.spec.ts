import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError, newId, type BlobKey, type BlobRegister } from '@millrace/domain';
import { BlobWriter } from './blob-writer.js';
import { objectKeys } from './object-keys.js';
import { FolderObjectStore } from './object-store.folder.js';

/** A register that notes what it is told. */
class NotingRegister implements BlobRegister {
  readonly calls: string[] = [];
  readonly extendedTwice = Promise.withResolvers<void>();
  leaseEnded = false;
  isCommitted = false;

  async beginWriting(): Promise<void> {
    this.calls.push('begin');
  }

  async extendWriting(): Promise<void> {
    this.calls.push('extend');
    if (this.calls.filter((call) => call === 'extend').length === 2) this.extendedTwice.resolve();
    if (this.leaseEnded) throw new DomainError('service.unavailable', 'too late');
  }

  async abandonWriting(): Promise<'given_up' | 'in_use'> {
    this.calls.push('abandon');
    return this.isCommitted ? 'in_use' : 'given_up';
  }
}

describe('BlobWriter', () => {
  let folder: string;
  let store: FolderObjectStore;
  let register: NotingRegister;
  let writer: BlobWriter;
  let key: BlobKey;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-blobs-'));
    store = new FolderObjectStore(join(folder, 'objects'));
    await store.open();
    register = new NotingRegister();
    writer = new BlobWriter(store, register, { leaseMs: 60_000 });
    const tenantId = newId('tenant');
    key = { tenantId, storageKey: objectKeys.upload(tenantId) };
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function* body(...chunks: (string | (() => Promise<unknown>))[]): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) {
      if (typeof chunk === 'string') yield Buffer.from(chunk);
      else await chunk();
    }
  }

  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  it('registers the key before the first byte and gives size and hash', async () => {
    const seen: string[][] = [];
    const written = await writer.write(key, { body: body(async () => seen.push([...register.calls]), 'ab', 'c') });
    expect(seen).toEqual([['begin']]);
    expect(written).toEqual({ storageKey: key.storageKey, sizeBytes: 3, contentHash: sha256('abc') });
  });

  it('keeps the lease alive while the bytes come slowly', async () => {
    const brief = new BlobWriter(store, register, { leaseMs: 60 });
    const slowly = brief.write(key, { body: body('a', () => register.extendedTwice.promise, 'b') });
    await expect(slowly).resolves.toMatchObject({ sizeBytes: 2 });
  });

  it('leaves nothing when the body breaks off or is too large', async () => {
    const breaks = writer.write(key, { body: body('a', () => Promise.reject(new Error('broken off'))) });
    await expect(breaks).rejects.toThrow('broken off');
    await expect(writer.write(key, { body: body('abcd'), bytesMax: 3 })).rejects.toMatchObject({
      code: 'upload.too_large',
    });
    await expect(store.find(key.storageKey)).resolves.toBeUndefined();
    expect(register.calls).toEqual(['begin', 'abandon', 'begin', 'abandon']);
  });

  it('ends a write whose lease is over', async () => {
    register.leaseEnded = true;
    const brief = new BlobWriter(store, register, { leaseMs: 60 });
    const late = brief.write(key, { body: body('a', () => sleep(200), 'b') });
    await expect(late).rejects.toMatchObject({ code: 'service.unavailable' });
    await expect(store.find(key.storageKey)).resolves.toBeUndefined();
  });

  it('stores a file', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'abc');
    await expect(writer.writeFile(key, { path })).resolves.toEqual({
      storageKey: key.storageKey,
      sizeBytes: 3,
      contentHash: sha256('abc'),
    });
    await expect(store.find(key.storageKey)).resolves.toMatchObject({ sizeBytes: 3 });
  });

  it('gives up what nobody committed', async () => {
    await writer.write(key, { body: body('abc') });
    await writer.giveUp(key);
    await expect(store.find(key.storageKey)).resolves.toBeUndefined();
  });

  it('keeps what was committed, although nobody heard of it', async () => {
    await writer.write(key, { body: body('abc') });
    register.isCommitted = true;
    await writer.giveUp(key);
    await expect(store.find(key.storageKey)).resolves.toMatchObject({ sizeBytes: 3 });
  });
});
