import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import S3Error from 's3rver/lib/models/error.js';
import S3Object from 's3rver/lib/models/object.js';

/** What S3 wants of every part but the last. */
const PART_BYTES_MIN = 5 * 1024 * 1024;

export interface Stored {
  readonly path: string;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly at: Date;
}

export interface Upload {
  readonly key: string;
  readonly parts: Map<number, Stored>;
  readonly at: Date;
  /** Who completes it at the same time gets the same object. */
  completion?: Promise<Stored>;
}

interface Bucket {
  readonly name: string;
  readonly creationDate: Date;
  readonly objects: Map<string, Stored>;
  readonly uploads: Map<string, Upload>;
}

interface ListOptions {
  readonly prefix?: string;
  readonly startAfter?: string;
  readonly maxKeys?: number;
}

/**
 * What s3rver stores into. Its own store shows objects while they are written, keeps what broke off, and ends the
 * process when a folder goes under it; S3 does nothing of the kind. Bytes are in files, all else is in memory.
 */
export class BucketFiles {
  readonly #buckets = new Map<string, Bucket>();

  constructor(private readonly folder: string) {}

  async listBuckets(): Promise<Bucket[]> {
    return [...this.#buckets.values()];
  }

  async getBucket(name: string): Promise<Bucket | undefined> {
    return this.#buckets.get(name);
  }

  async putBucket(name: string): Promise<void> {
    this.#buckets.set(name, { name, creationDate: new Date(), objects: new Map(), uploads: new Map() });
  }

  async deleteBucket(name: string): Promise<void> {
    this.#buckets.delete(name);
  }

  async listObjects(name: string, { prefix = '', startAfter = '', maxKeys = 1000 }: ListOptions): Promise<object> {
    const { objects } = this.#bucket(name);
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > startAfter).sort();
    const page = keys.slice(0, maxKeys).flatMap((key) => {
      const stored = objects.get(key);
      return stored ? [new S3Object(name, key, undefined, metadataOf(stored))] : [];
    });
    return { objects: page, commonPrefixes: [], isTruncated: keys.length > maxKeys };
  }

  async existsObject(name: string, key: string): Promise<boolean> {
    return this.#bucket(name).objects.has(key);
  }

  async getObject(
    name: string,
    key: string,
    { start, end }: { readonly start?: number; readonly end?: number } = {},
  ): Promise<S3Object | undefined> {
    const stored = this.#bucket(name).objects.get(key);
    if (!stored) return undefined;
    const range = { start: start ?? 0, end: Math.min(end ?? stored.sizeBytes - 1, stored.sizeBytes - 1) };
    const isOutside = start !== undefined && range.start >= stored.sizeBytes;
    const content = isOutside ? undefined : await bytesOf(stored, range);
    if (content === 'gone') return undefined;
    const object = new S3Object(name, key, content, metadataOf(stored));
    if (start !== undefined) object.range = range;
    return object;
  }

  async putObject(object: S3Object): Promise<{ size: number; md5: string }> {
    const stored = await this.#receive(object.content);
    await this.#publish(object.bucket, object.key, stored);
    return { size: stored.sizeBytes, md5: stored.md5 };
  }

  async deleteObject(name: string, key: string): Promise<void> {
    const { objects } = this.#bucket(name);
    const stored = objects.get(key);
    objects.delete(key);
    if (stored) await rm(stored.path, { force: true });
  }

  async initiateUpload(name: string, key: string, uploadId: string): Promise<void> {
    this.#bucket(name).uploads.set(uploadId, { key, parts: new Map(), at: new Date() });
  }

  async putPart(name: string, uploadId: string, number: string, content: Readable): Promise<{ md5: string }> {
    this.upload(name, uploadId);
    const stored = await this.#receive(content);
    const { parts } = this.upload(name, uploadId);
    const before = parts.get(Number(number));
    parts.set(Number(number), stored);
    if (before) await rm(before.path, { force: true });
    return { md5: stored.md5 };
  }

  async putObjectMultipart(
    name: string,
    uploadId: string,
    wanted: readonly { readonly number: number; readonly etag: string }[],
  ): Promise<{ size: number; md5: string }> {
    const upload = this.upload(name, uploadId);
    const { parts } = upload;
    const chosen = wanted.map(({ number, etag }, index) => {
      const part = parts.get(number);
      if (index > 0 && number <= (wanted[index - 1]?.number ?? 0)) throw s3Error('InvalidPartOrder');
      if (part?.md5 !== etag) throw s3Error('InvalidPart');
      if (index < wanted.length - 1 && part.sizeBytes < PART_BYTES_MIN) throw s3Error('EntityTooSmall');
      return part;
    });
    upload.completion ??= this.#complete(name, uploadId, chosen);
    const { sizeBytes, md5 } = await upload.completion;
    return { size: sizeBytes, md5 };
  }

  async #complete(name: string, uploadId: string, parts: readonly Stored[]): Promise<Stored> {
    const { key } = this.upload(name, uploadId);
    const stored = await this.#join(parts);
    await this.#publish(name, key, stored);
    await this.abortUpload(name, uploadId);
    return stored;
  }

  async abortUpload(name: string, uploadId: string): Promise<void> {
    const { parts } = this.upload(name, uploadId);
    this.#bucket(name).uploads.delete(uploadId);
    for (const { path } of parts.values()) await rm(path, { force: true });
  }

  upload(name: string, uploadId: string): Upload {
    const upload = this.#bucket(name).uploads.get(uploadId);
    if (!upload) throw s3Error('NoSuchUpload');
    return upload;
  }

  /** Uploads below a prefix by key and id, as S3 orders them. */
  uploads(name: string, prefix: string): (Upload & { readonly id: string })[] {
    return [...this.#bucket(name).uploads]
      .map(([id, upload]) => ({ ...upload, id }))
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key + a.id < b.key + b.id ? -1 : 1));
  }

  /** Rules of a bucket (websites, cross-origin requests): none. */
  async getSubresource(): Promise<null> {
    return null;
  }

  #bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (!bucket) throw s3Error('NoSuchBucket');
    return bucket;
  }

  async #publish(name: string, key: string, stored: Stored): Promise<void> {
    const { objects } = this.#bucket(name);
    const before = objects.get(key);
    objects.set(key, stored);
    if (before) await rm(before.path, { force: true });
  }

  async #receive(content: AsyncIterable<Uint8Array>): Promise<Stored> {
    const path = this.#newPath();
    const hash = createHash('md5');
    let sizeBytes = 0;
    async function* count(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of source) {
        hash.update(chunk);
        sizeBytes += chunk.byteLength;
        yield chunk;
      }
    }
    try {
      await pipeline(content, count, createWriteStream(path));
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return { path, sizeBytes, md5: hash.digest('hex'), at: new Date() };
  }

  async #join(parts: readonly Stored[]): Promise<Stored> {
    const path = this.#newPath();
    const hash = createHash('md5');
    for (const part of parts) {
      await pipeline(createReadStream(part.path), createWriteStream(path, { flags: 'a' }));
      hash.update(Buffer.from(part.md5, 'hex'));
    }
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    return { path, sizeBytes, md5: `${hash.digest('hex')}-${parts.length}`, at: new Date() };
  }

  #newPath(): string {
    return join(this.folder, randomBytes(8).toString('hex'));
  }
}

const MESSAGES = {
  NoSuchBucket: 'The specified bucket does not exist',
  NoSuchUpload: 'The specified upload does not exist. It may have been aborted or completed.',
  InvalidPart: 'One or more of the specified parts could not be found.',
  InvalidPartOrder: 'The list of parts was not in ascending order.',
  EntityTooSmall: 'Your proposed upload is smaller than the minimum allowed size',
} as const;

function s3Error(code: keyof typeof MESSAGES): S3Error {
  return new S3Error(code, MESSAGES[code]);
}

function metadataOf(stored: Stored): Record<string, unknown> {
  return {
    etag: JSON.stringify(stored.md5),
    'last-modified': stored.at.toUTCString(),
    'content-length': stored.sizeBytes,
  };
}

/** Opened before anyone can delete the file: a stream that opens it later ends the process when it is gone. */
async function bytesOf(
  stored: Stored,
  range: { readonly start: number; readonly end: number },
): Promise<Readable | 'gone'> {
  if (stored.sizeBytes === 0) return Readable.from([]);
  try {
    return (await open(stored.path)).createReadStream(range);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    throw error;
  }
}
