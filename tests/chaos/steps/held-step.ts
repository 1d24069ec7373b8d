import { type AppName, eventually, type S3Fault, type S3OperationName } from '@millrace/testing';
import pg from 'pg';
import type { Fleet } from '../../e2e/harness/fleet/fleet.js';
import type { TenantUnderTest } from '../../e2e/harness/millrace.js';

/** Longer than any test: who waits for a held call does so until it is ended. */
const HOLD_MS = 600_000;
const WAIT_MAX_MS = 60_000;

export interface Place {
  readonly fleet: Fleet;
  /** One for each step. */
  readonly tenant: TenantUnderTest;
}

/** A step of some work, at which a process can be kept until it is ended. */
export interface Step {
  readonly app: AppName;
  readonly name: string;
  /** Begins the work and resolves when it has come to this step, and stays there. */
  readonly hold: (place: Place) => Promise<HeldStep>;
}

export interface HeldStep {
  /** Lets go of what was kept beside the process that ended. */
  release?(): Promise<unknown>;
  /** Looks, when nothing is open any more, whether the work was done once or told as lost. */
  readonly expectOneEffect: () => Promise<void>;
}

export interface CallToHold {
  readonly of: S3OperationName;
  /** Of the tenant's keys, those that go on so. */
  readonly below: 'uploads' | 'datasets' | 'results';
  /** Left out, the call does not come to its end. */
  readonly delayMs?: number;
}

/**
 * Keeps the next call of the store of one kind that a tenant's work makes.
 *
 * @returns waits until it has arrived
 */
export function holdCall({ fleet, tenant }: Place, { of, below, delayMs = HOLD_MS }: CallToHold): () => Promise<void> {
  const key = `t/${tenant.tenantId}/${below}/`;
  const isBody = of === 'GetObject' && delayMs === HOLD_MS;
  const fault: S3Fault = isBody ? { kind: 'stall', afterBytes: 10 } : { kind: 'delay', delayMs };
  fleet.s3.fail(fault, { of, path: new RegExp(key), times: 1 });
  return async () => {
    await eventually(
      `${of} is called below ${key}`,
      () => fleet.s3.requests.some(({ operation, target }) => operation === of && target.includes(key)),
      WAIT_MAX_MS,
    );
  };
}

/** Locks rows, so that whoever has to change them waits. */
export async function holdRows(
  { fleet, tenant }: Place,
  table: 'datasets' | 'results',
): Promise<{ untilWaitedFor(): Promise<void>; release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: fleet.databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query(`SELECT 1 FROM ${table} WHERE tenant_id = $1 FOR UPDATE`, [tenant.tenantId]);
  const waiting = 'SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))';
  return {
    untilWaitedFor: async () => {
      await eventually(
        `somebody waits for ${table}`,
        async () => (await client.query(waiting)).rows.length > 0,
        WAIT_MAX_MS,
      );
    },
    release: () => client.end(),
  };
}
