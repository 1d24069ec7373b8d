import {
  DomainError,
  queryRunLifecycle,
  type ErrorRecord,
  type QueryRunId,
  type QueryRunStatus,
  type TenantId,
} from '@millrace/domain';
import type { Transaction } from '../database/database.js';
import { NOW } from '../database/sql.js';
import { transition, type Changes } from '../database/transition.js';
import { QueryRunEntity, type QueryRun } from '../schema/query-run.entity.js';

export interface QueryRunKey {
  readonly tenantId: TenantId;
  readonly id: QueryRunId;
}

/** What every end of a run sets. */
export const ENDED = { endedAt: NOW, leaseUntil: null };

export const QUERY_CANCELLED: ErrorRecord = { code: 'query.cancelled', detail: 'The query was cancelled.' };
export const QUERY_LOST: ErrorRecord = {
  code: 'query.lost',
  detail: 'The service that ran the query went away. Try again.',
};

/** Returns false when the run is in no state that leads there: somebody else was faster. */
export function moveRun(
  transaction: Transaction,
  { tenantId, id }: QueryRunKey,
  { to, set }: { to: QueryRunStatus; set: Changes<Omit<QueryRun, 'status'>> },
): Promise<boolean> {
  const where = { tenantId, id };
  return transition(transaction, { entity: QueryRunEntity, lifecycle: queryRunLifecycle, where, to, set });
}

/** For who still works on a run that counts as ended, or that is not there any more. */
export function queryRunLost(): DomainError {
  return new DomainError('query.lost', 'The service lost its claim on the query. Try again.');
}
