import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewResult, ResultRepository } from '@millrace/catalog';
import { DomainError, Slots, toDomainError, type ErrorRecord, type EventBus } from '@millrace/domain';
import { errorFields, type Logger } from '@millrace/telemetry';
import type { OpenWork } from '../open-work.js';
import { ResultLease } from './result-lease.js';
import type { ResultFile, ResultWriter } from './result-writer.js';

const WRITES_AT_ONCE_MAX = 4;
const FAIL_TRIES_MAX = 3;
const FAIL_PAUSE_MS = 500;

/** Files that may wait on the local disk for a store that is slow or away. */
export interface PendingLimits {
  readonly countMax: number;
  readonly bytesMax: number;
}

export const DEFAULT_PENDING_LIMITS: PendingLimits = { countMax: 200, bytesMax: 40 * 1024 ** 3 };

export interface ResultKeeperParts {
  readonly results: ResultRepository;
  readonly writer: ResultWriter;
  readonly events: EventBus;
  readonly work: OpenWork;
  readonly leaseMs: number;
  readonly retentionMs: number;
  readonly logger: Logger;
}

/**
 * Looks after results from their answer until their file is in the store. Nothing here fails a query: its rows were
 * delivered. A result that can't be stored is `failed` with the reason.
 */
export class ResultKeeper {
  private readonly pending = new Set<ResultFile>();
  private readonly slots = new Slots(WRITES_AT_ONCE_MAX);

  constructor(
    private readonly parts: ResultKeeperParts,
    private readonly limits: PendingLimits = DEFAULT_PENDING_LIMITS,
  ) {}

  /** Results whose files are not in the store yet. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /**
   * Makes the result known as `processing` and ends its query with success, before its rows are answered.
   *
   * @throws DomainError `query.lost` when the query has ended otherwise meanwhile
   */
  async announce(
    { tenantId, resultId, sizeBytes }: ResultFile,
    facts: Pick<NewResult, 'userId' | 'queryRunId' | 'columns' | 'rowCount' | 'reuseKey'>,
  ): Promise<void> {
    const { results, leaseMs, retentionMs } = this.parts;
    await results.create({ tenantId, id: resultId, ...facts, sizeBytes, leaseMs, expiresInMs: retentionMs });
  }

  /**
   * Stores the file in the background, and deletes it here.
   *
   * @returns warnings for whoever gets the rows
   */
  keep(file: ResultFile): string[] {
    const pendingBytes = [...this.pending].reduce((bytes, each) => bytes + each.sizeBytes, file.sizeBytes);
    if (this.pending.size >= this.limits.countMax || pendingBytes > this.limits.bytesMax) {
      const error = new DomainError('storage.unavailable', 'Too many results wait for the object store.');
      this.drop(file, error);
      return ['The result is not kept, because the object store does not keep up: these rows are all there is of it.'];
    }
    this.pending.add(file);
    this.parts.work.follow(() => this.store(file));
    return [];
  }

  /** Gives a result up that is not to be stored. */
  drop(file: ResultFile, error: DomainError): void {
    this.parts.work.follow(async () => {
      await this.fail(file, error);
      await this.removeFile(file);
    });
  }

  private async store(file: ResultFile): Promise<void> {
    const { results, leaseMs, logger, work, writer } = this.parts;
    const lease = new ResultLease(results, { tenantId: file.tenantId, id: file.resultId }, { leaseMs, logger });
    const signal = AbortSignal.any([lease.signal, work.signal]);
    try {
      await this.slots.run(() => writer.write(file, signal));
    } catch (error) {
      await this.fail(file, work.signal.aborted ? serviceGone() : toDomainError(error));
    } finally {
      lease.stop();
      await this.removeFile(file);
      this.pending.delete(file);
    }
  }

  /** Never throws: what can't be written now, the end of the lease says later. */
  private async fail({ tenantId, resultId }: ResultFile, error: DomainError): Promise<void> {
    const { results, events, logger } = this.parts;
    logger.warn({ resultId, code: error.code, ...errorFields(error.cause) }, 'a result is not kept');
    for (let tries = 1; tries <= FAIL_TRIES_MAX; tries += 1) {
      try {
        const failed = await results.fail({ tenantId, id: resultId }, reasonOf(error));
        if (failed) await events.publish({ type: 'result.settled', tenantId, resultId, status: 'failed' });
        return;
      } catch (cause) {
        logger.warn({ ...errorFields(cause), resultId }, 'the failure of a result could not be written');
      }
      if (tries < FAIL_TRIES_MAX) await sleep(FAIL_PAUSE_MS);
    }
  }

  private async removeFile({ path, resultId }: ResultFile): Promise<void> {
    await rm(path, { force: true }).catch((error: unknown) => {
      this.parts.logger.warn({ ...errorFields(error), resultId }, 'the local file of a result could not be removed');
    });
  }
}

function reasonOf({ code, message }: DomainError): ErrorRecord {
  if (code === 'result.lost') return { code, detail: message };
  return { code, detail: `The result could not be stored, run the query again. ${message}` };
}

function serviceGone(): DomainError {
  return new DomainError('result.lost', 'The service stopped before the result was stored. Run the query again.');
}
