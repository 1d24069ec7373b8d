import { randomUUID } from 'node:crypto';
import { DomainError, type Column, type TenantId } from '@millrace/domain';
import type { EnginePool, ReadResult, RowFormat } from '@millrace/engine';
import { withTimeLimit } from '../time-limit.js';
import type { InputFile, InputFiles } from './input-files.js';

/** How long reading one page may take, waiting for the store and for an engine process included. */
const READ_MS_MAX = 30_000;

export interface PageRequest {
  readonly tenantId: TenantId;
  /** In the order of their rows. */
  readonly files: readonly InputFile[];
  readonly columns: readonly Column[];
  /** Rows to skip. */
  readonly offset: number;
  /** Rows at most. */
  readonly limit: number;
  readonly rowFormat: RowFormat;
  /** UTF-8 bytes of the rows' JSON at most. */
  readonly answerBytesMax: number;
  readonly signal: AbortSignal;
}

/** Reads pages of stored tables. */
export class TablePages {
  constructor(
    private readonly engine: EnginePool,
    private readonly inputs: InputFiles,
  ) {}

  /**
   * @throws InputLostError; DomainError `storage.unavailable`, `query.too_many`, `query.deadline` and what else an
   *   engine process may say; the signal's reason
   */
  async read({ tenantId, files, signal, ...page }: PageRequest): Promise<ReadResult> {
    const deadlineAt = performance.now() + READ_MS_MAX;
    const pinned = await this.inputs.pin({ tenantId, holder: `read-${randomUUID()}`, files });
    try {
      return await pinned.withIntactCopies(signal, async () => {
        const limit = { limitMs: READ_MS_MAX, reason: storeTooSlow, signal };
        const paths = await withTimeLimit(limit, (timed) => pinned.fetch(timed));
        const local = files.map((file) => paths.get(file.storageKey) ?? '');
        const deadlineMs = Math.max(1, deadlineAt - performance.now());
        return this.engine.run({ kind: 'read', files: local, ...page }, { tenantId, deadlineMs, signal });
      });
    } catch (error) {
      // What the engine says about a task that was ended is not why it was.
      signal.throwIfAborted();
      throw error;
    } finally {
      await pinned.release();
    }
  }
}

function storeTooSlow(): DomainError {
  return new DomainError('storage.unavailable', 'The object store takes too long. Try again in a moment.');
}
