import type { QueryRunKey } from '@millrace/catalog';
import { DomainError } from '@millrace/domain';

/** A query on its way to its answer, which its deadline, its owner, its client or the service may end. */
export class RunningQuery {
  /** Whether the catalog has a row of it, whose lease is to be extended. */
  isRecorded = false;
  private readonly controller = new AbortController();
  private readonly deadlineAt: number;
  private readonly timer: NodeJS.Timeout;
  private isSettled = false;

  constructor(
    readonly key: QueryRunKey,
    { timeoutMs }: { timeoutMs: number },
  ) {
    this.deadlineAt = performance.now() + timeoutMs;
    this.timer = setTimeout(() => this.abort(pastDeadline(timeoutMs)), timeoutMs);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** From now to the deadline; at least 1. */
  get remainingMs(): number {
    return Math.max(1, this.deadlineAt - performance.now());
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
