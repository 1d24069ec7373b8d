import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { TenantId } from '@millrace/domain';
import type { InputFile, InputFiles, PinnedInputs } from '../inputs/input-files.js';

const MiB = 1024 ** 2;
/** A larger file does not come whole. A little more of it than an engine process looks at, so that it knows that it goes on. */
const FIRST_BYTES = 17 * MiB;
/** Where first bytes lie for as long as they are looked at, in the engine's folder. */
export const ANALYSES_FOLDER = 'analyses';
/** How a Parquet file begins, of which the end is needed, too. */
const PARQUET_MAGIC = 'PAR1';
/** As engine processes get it without a copy. */
const READABLE = 0o444;

/** Brings uploaded files, or their beginnings, to where an engine process can be given them. */
export class UploadedFiles {
  private readonly folder: string;

  constructor(
    private readonly inputs: InputFiles,
    engineFolder: string,
  ) {
    this.folder = join(engineFolder, ANALYSES_FOLDER);
  }

  /**
   * Runs work on the local copy of a file: all of it when it is small or Parquet, else its first bytes.
   *
   * @throws InputLostError; DomainError `storage.*`; the signal's reason; what the work throws
   */
  async use<T>(
    { tenantId, file, signal }: { readonly tenantId: TenantId; readonly file: InputFile; readonly signal: AbortSignal },
    work: (path: string) => Promise<T>,
  ): Promise<T> {
    const pinned = await this.inputs.pin({ tenantId, holder: `analyze-${randomUUID()}`, files: [file] });
    try {
      if (file.sizeBytes <= FIRST_BYTES) return await work(await whole(pinned, file, signal));
      return await this.useFirstBytes(pinned, { file, signal }, async (path) =>
        work((await isParquet(path)) ? await whole(pinned, file, signal) : path),
      );
    } finally {
      await pinned.release();
    }
  }

  private async useFirstBytes<T>(
    pinned: PinnedInputs,
    { file, signal }: { readonly file: InputFile; readonly signal: AbortSignal },
    work: (path: string) => Promise<T>,
  ): Promise<T> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = join(this.folder, randomUUID());
    try {
      const bytes = await pinned.read(file, { range: { start: 0, end: FIRST_BYTES - 1 }, signal });
      await pipeline(bytes, createWriteStream(path, { flags: 'wx', mode: READABLE }), { signal });
      return await work(path);
    } finally {
      await rm(path, { force: true });
    }
  }
}

async function whole(pinned: PinnedInputs, { storageKey }: InputFile, signal: AbortSignal): Promise<string> {
  return (await pinned.fetch(signal)).get(storageKey) ?? '';
}

async function isParquet(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(PARQUET_MAGIC.length), 0, PARQUET_MAGIC.length, 0);
    return buffer.toString('latin1') === PARQUET_MAGIC;
  } finally {
    await file.close();
  }
}
