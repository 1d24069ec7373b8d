import type { QueryRunKey } from '@millrace/catalog';
import { DomainError } from '@millrace/domain';

export interface RunningQueryOptions {
  /** From now to its deadline. */
  readonly timeoutMs: number;
  /** Under which its files are pinned: unique among all attempts at all queries of the tenant. */
  readonly holder?: string;
  /** Told how far the statement is, 0 to 1, whenever that has changed. */
  readonly onProgress?: (fraction: number) => void;
}

/** A query on its way to its answer, which its deadline, its owner, its client or the service may end. */
export class RunningQuery {
  /** Whether the catalog has a row of it, whose lease is to be extended. */
  isRecorded = false;
  private readonly controller = new AbortController();
  private readonly deadlineAt: number;
  private readonly timer: NodeJS.Timeout;
  private isSettled = false;
  private fraction: number | undefined;

  constructor(
    readonly key: QueryRunKey,
    private readonly options: RunningQueryOptions,
  ) {
    const { timeoutMs } = options;
    this.deadlineAt = performance.now() + timeoutMs;
    this.timer = setTimeout(() => this.abort(pastDeadline(timeoutMs)), timeoutMs);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get holder(): string {
    return this.options.holder ?? this.key.id;
  }

  /** From now to the deadline; at least 1. */
  get remainingMs(): number {
    return Math.max(1, this.deadlineAt - performance.now());
  }

  noteProgress(fraction: number): void {
    if (fraction === this.fraction) return;
    this.fraction = fraction;
    this.options.onProgress?.(fraction);
  }

  /** Ends the query with a reason; the first one counts. One whose work is done is not ended any more. */
  abort(reason: DomainError): void {
    if (!this.isSettled) this.controller.abort(reason);
  }

  /** The work is done, well or not. */
  settle(): void {
    this.isSettled = true;
    clearTimeout(this.timer);
  }
}

function pastDeadline(timeoutMs: number): DomainError {
  return new DomainError(
    'query.deadline',
    `The query was stopped at its deadline, after ${timeoutMs} ms. Ask for less at once, or give a longer timeout_ms.`,
  );
}
