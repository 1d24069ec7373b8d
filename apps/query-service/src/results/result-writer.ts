import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobRepository, NewJob, ResultRepository } from '@millrace/catalog';
import { DomainError, newId, toDomainError, type ResultId, type TenantId, type WrittenBlob } from '@millrace/domain';
import { objectKeys, type BlobWriter } from '@millrace/object-store';
import { describeJob } from '@millrace/queue';
import { withTimeLimit } from '../time-limit.js';

const TRIES_MAX = 6;
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 8_000;
/** One try may take a minute, and a second more for each of these. */
const TRY_MS_MIN = 60_000;
const TRY_BYTES_PER_MS = 1_000;

/** The file of a result as an engine process left it. */
export interface ResultFile {
  readonly tenantId: TenantId;
  readonly resultId: ResultId;
  /** Local path. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** What makes a file in the store known, in one transaction. */
export interface FileCommit {
  /** @throws what the catalog throws; then the file is given up unless `isDone` */
  run(blob: WrittenBlob): Promise<void>;
  /** A commit may have worked although its answer was lost. */
  isDone(): Promise<boolean>;
}

export interface ResultWriterParts {
  readonly results: ResultRepository;
  readonly blobs: BlobRepository;
  readonly writer: BlobWriter;
  readonly leaseMs: number;
}

/** Puts files of results into the store, and hands each result that is known already on to the job that makes it ready. */
export class ResultWriter {
  constructor(private readonly parts: ResultWriterParts) {}

  /**
   * Tries a few times, about 15 seconds beside the time that the store takes.
   *
   * @throws DomainError why it did not work; `result.lost` when the result has failed meanwhile; the signal's reason
   */
  write(file: ResultFile, signal: AbortSignal): Promise<void> {
    return this.writeWith(this.commitOf(file), file, signal);
  }

  /**
   * The same, for a result that its own commit makes known.
   *
   * @throws DomainError why it did not work; what the commit throws; the signal's reason
   */
  async writeWith(commit: FileCommit, file: ResultFile, signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      signal.throwIfAborted();
      try {
        await this.tryOnce(commit, file, signal);
        return;
      } catch (cause) {
        signal.throwIfAborted();
        const error = toDomainError(cause);
        // Another attempt of a job is not helped by another try of this one.
        if (!error.retryable || error.code === 'job.lost' || tries === TRIES_MAX) throw error;
      }
      // An abort shows at the beginning of the next try.
      const pauseMs = Math.min(PAUSE_MS * 2 ** (tries - 1), PAUSE_MS_MAX);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Each try has a key of its own: what an earlier one may have left under its key is given up with it. */
  private async tryOnce(commit: FileCommit, file: ResultFile, signal: AbortSignal): Promise<void> {
    const { tenantId, resultId, path, sizeBytes } = file;
    const storageKey = objectKeys.result({ tenantId, resultId });
    const limit = { limitMs: TRY_MS_MIN + sizeBytes / TRY_BYTES_PER_MS, reason: storeTooSlow, signal };
    const blob = await withTimeLimit(limit, (timed) =>
      this.parts.writer.writeFile({ tenantId, storageKey }, { path, signal: timed }),
    );
    await this.commit(commit, { tenantId, blob });
  }

  private async commit(
    commit: FileCommit,
    { tenantId, blob }: { tenantId: TenantId; blob: WrittenBlob },
  ): Promise<void> {
    try {
      await commit.run(blob);
    } catch (error) {
      if (await commit.isDone()) return;
      // Only a key that is still being written is given up: if the commit comes through after all, the bytes stay.
      await this.parts.blobs.abandonWriting({ tenantId, storageKey: blob.storageKey }).catch(() => undefined);
      throw error;
    }
  }

  /** For a result that its caller knows: the job that makes it ready. */
  private commitOf({ tenantId, resultId }: ResultFile): FileCommit {
    const { results, leaseMs } = this.parts;
    let job: NewJob | undefined;
    return {
      run: async (blob) => {
        job = { id: newId('job'), ...describeJob('result.persist', { resultId }) };
        await results.stored({ tenantId, id: resultId }, { blob, job, leaseMs });
      },
      isDone: async () => {
        const result = await results.get(tenantId, resultId).catch(() => undefined);
        return job !== undefined && result?.jobId === job.id;
      },
    };
  }
}

function storeTooSlow(): DomainError {
  return new DomainError('storage.unavailable', 'The object store takes too long.');
}
