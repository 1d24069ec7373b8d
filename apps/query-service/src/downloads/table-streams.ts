import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ByteRange, Column, TenantId } from '@millrace/domain';
import { DomainError } from '@millrace/domain';
import type { EnginePool, ExportFormat, ReaderPaceLimits } from '@millrace/engine';
import type { InputFile, InputFiles } from '../inputs/input-files.js';
import type { OpenWork } from '../open-work.js';
import { withTimeLimit } from '../time-limit.js';
import type { DownloadPlaces } from './download-places.js';
import { Held } from './held.js';
import { storedBytes } from './stored-bytes.js';

/** How long it may take until the store has given what a stream begins with. */
const STORE_MS_MAX = 30_000;

export interface TableStreamsParts {
  /** Its processes are busy as long as somebody reads, so it is not the one that runs statements. */
  readonly exporter: EnginePool;
  readonly inputs: InputFiles;
  readonly work: OpenWork;
  readonly places: DownloadPlaces;
  /** How slow the reader of stored bytes may be; `exporter` has its own. */
  readonly pace: ReaderPaceLimits;
}

export interface StreamRequest {
  readonly tenantId: TenantId;
  /** From `reserve`; the stream's from here on, also when there will be none. */
  readonly held: Held;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

/** What an engine process makes of a table. */
export interface Encoding {
  readonly columns: readonly Column[];
  readonly format: ExportFormat;
  /** Rows at most; all when left out. */
  readonly limit?: number | undefined;
  readonly deadlineMs: number;
}

export interface LocalFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Tables as streams of bytes. Each is given when its first bytes are there, ends well only when it is complete, and
 * gives back all that it holds when it ends, in whatever way.
 */
export class TableStreams {
  constructor(private readonly parts: TableStreamsParts) {}

  /**
   * Takes one of the tenant's places for what will be streamed.
   *
   * @throws DomainError `query.too_many`
   */
  reserve(tenantId: TenantId, ofTenantMax: number): Held {
    const held = new Held();
    held.add(this.parts.places.take(tenantId, ofTenantMax));
    return held;
  }

  /** @throws DomainError `storage.*`, InputLostError; the signal's reason */
  stored(request: StreamRequest & { readonly file: InputFile; readonly range?: ByteRange | undefined }) {
    const { file, range } = request;
    return this.open(request, async (signal) => {
      const pinned = await this.pin(request, [file]);
      const limit = { limitMs: STORE_MS_MAX, reason: storeTooSlow, signal };
      const sizeBytes = range ? range.end - range.start + 1 : file.sizeBytes;
      const { pace } = this.parts;
      return withTimeLimit(limit, async (timed) =>
        storedBytes(await pinned.read(file, { range, signal: timed }), { sizeBytes, pace }),
      );
    });
  }

  /** @throws DomainError as `EnginePool.export` does, `storage.*`, InputLostError; the signal's reason */
  encoded(request: StreamRequest & Encoding & { readonly files: readonly InputFile[] }): Promise<Readable> {
    return this.open(request, async (signal) => {
      const pinned = await this.pin(request, request.files);
      return pinned.withIntactCopies(signal, async () => {
        const limit = { limitMs: STORE_MS_MAX, reason: storeTooSlow, signal };
        const paths = await withTimeLimit(limit, (timed) => pinned.fetch(timed));
        const local = request.files.map(({ storageKey }) => paths.get(storageKey) ?? '');
        return this.encode(local, { ...request, signal });
      });
    });
  }

  /**
   * The rows of a local file, or its bytes without an encoding. The file must stay for as long as `held` is.
   *
   * @throws DomainError as `EnginePool.export` does; the signal's reason
   */
  local(
    request: StreamRequest & { readonly file: LocalFile; readonly encoding?: Encoding | undefined },
  ): Promise<Readable> {
    const { encoding } = request;
    const { path, sizeBytes } = request.file;
    return this.open(request, (signal) =>
      encoding
        ? this.encode([path], { ...request, ...encoding, signal })
        : storedBytes(createReadStream(path), { sizeBytes, pace: this.parts.pace }),
    );
  }

  private async encode(files: readonly string[], request: StreamRequest & Encoding): Promise<Readable> {
    const { tenantId, columns, format, limit, deadlineMs, signal } = request;
    const { body } = await this.parts.exporter.export(
      { files, columns, format, limit },
      { tenantId, deadlineMs, signal },
    );
    return body;
  }

  private async pin({ tenantId, held }: StreamRequest, files: readonly InputFile[]) {
    const pinned = await this.parts.inputs.pin({ tenantId, holder: `download-${randomUUID()}`, files });
    held.add(() => pinned.release());
    return pinned;
  }

  private async open(
    { held, signal }: StreamRequest,
    start: (signal: AbortSignal) => Promise<Readable>,
  ): Promise<Readable> {
    const either = AbortSignal.any([signal, this.parts.work.signal]);
    try {
      either.throwIfAborted();
      const body = await start(either);
      this.lookAfter(body, { held, signal: either });
      return body;
    } catch (error) {
      await held.release();
      // What is said about work that was ended is not why it was.
      either.throwIfAborted();
      throw error;
    }
  }

  private lookAfter(body: Readable, { held, signal }: { held: Held; signal: AbortSignal }): void {
    const onAbort = (): void => void body.destroy(signal.reason as Error);
    const closed = new Promise<void>((resolve) => body.once('close', resolve));
    // Whoever reads sees it. Nobody may yet, or any more.
    body.on('error', () => undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.parts.work.follow(async () => {
      if (!body.closed) await closed;
      signal.removeEventListener('abort', onAbort);
      await held.release();
    });
  }
}

function storeTooSlow(): DomainError {
  return new DomainError('storage.unavailable', 'The object store takes too long. Try again in a moment.');
}
