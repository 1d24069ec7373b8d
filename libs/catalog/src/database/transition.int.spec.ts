import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  blobLifecycle,
  canTransition,
  ERRORS,
  isTerminal,
  jobLifecycle,
  queryRunLifecycle,
  resultLifecycle,
  statesOf,
  uploadLifecycle,
  versionLifecycle,
  type BlobStatus,
  type ErrorCode,
  type JobId,
  type JobStatus,
  type Lifecycle,
  type QueryRunStatus,
  type ResultStatus,
  type UploadStatus,
  type VersionStatus,
} from '@millrace/domain';
import {
  createDataset,
  createStoredResult,
  createTenant,
  createUpload,
  eventually,
  openCatalog,
  writeBlob,
  type Owner,
  type TestCatalog,
  startQuery,
} from '@millrace/testing';
import type { EntitySchema, FindOptionsWhere, ObjectLiteral } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import { BlobEntity } from '../schema/blob.entity.js';
import { VersionEntity } from '../schema/dataset.entity.js';
import { JobEntity } from '../schema/job.entity.js';
import { QueryRunEntity } from '../schema/query-run.entity.js';
import { ResultEntity } from '../schema/result.entity.js';
import { UploadEntity } from '../schema/upload.entity.js';
import { Database } from './database.js';
import { transition, type Changes } from './transition.js';

type Stateful<S extends string> = ObjectLiteral & { readonly status: S; readonly createdAt: Date };

/** A row that its owner has, and what its table demands of a row in each state. */
interface Specimen<E extends Stateful<S>, S extends string> {
  readonly entity: EntitySchema<E>;
  readonly lifecycle: Lifecycle<S>;
  readonly create: (owner: Owner) => Promise<{
    readonly where: { readonly [P in keyof E]?: E[P] };
    readonly columnsIn: (state: S) => Changes<Omit<E, 'status'>>;
  }>;
}

const SOON = new Date(Date.now() + 60 * 60_000);
/** What every change sets beside the state: a row that was changed can be told from one that was not. */
const MARK = new Date(0);
const HASH = 'a'.repeat(64);

let opened: TestCatalog;
let database: Database;
let owner: Owner;

beforeAll(async () => {
  opened = await openCatalog();
  database = await Database.open({ databaseUrl: opened.databaseUrl });
  owner = (await createTenant(opened.catalog)).member.principal;
});
afterAll(async () => {
  await database.close();
  await opened.stop();
});

/** Does something while a transaction is open that has moved a row, and goes on when that waits for the row. */
async function racing<T>(move: Parameters<Database['transaction']>[0], lose: () => Promise<T>): Promise<T> {
  let race: Promise<T> | undefined;
  await database.transaction(async (transaction) => {
    expect(await move(transaction)).toBe(true);
    race = lose();
    race.catch(() => undefined);
    await eventually('the other one waits for the row', isSomebodyWaiting);
  });
  if (!race) throw new Error('the race was not run');
  return race;
}

async function isSomebodyWaiting(): Promise<boolean> {
  const [row] = await database.run<{ count: number }[]>((manager) =>
    manager.query(
      `SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    ),
  );
  return (row?.count ?? 0) > 0;
}

function describeMoves<E extends Stateful<S>, S extends string>({ entity, lifecycle, create }: Specimen<E, S>): void {
  const states = statesOf(lifecycle) as readonly S[];
  const pairs = states.flatMap((from) => states.map((to) => [from, to] as const));

  describe(`a ${lifecycle.name}`, () => {
    let row: Awaited<ReturnType<typeof create>>;

    beforeAll(async () => {
      row = await create(owner);
    });

    const isReachable = (to: S): boolean => states.some((from) => canTransition(lifecycle, from, to));
    /** Puts the row into a state, whatever it was before. */
    const put = (state: S) =>
      database.run((manager) =>
        manager
          .createQueryBuilder()
          .update(entity)
          .set({ ...row.columnsIn(state), createdAt: SOON, status: state } as unknown as QueryDeepPartialEntity<E>)
          .where(row.where as ObjectLiteral)
          .execute(),
      );
    const read = () =>
      database.run((manager) => manager.getRepository(entity).findOneByOrFail(row.where as FindOptionsWhere<E>));
    const changeTo = (to: S, from?: readonly S[]) => {
      const set = { ...row.columnsIn(to), createdAt: MARK } as Changes<Omit<E, 'status'>>;
      return { entity, lifecycle, where: row.where, to, set, ...(from && { from }) };
    };

    it.each(pairs.filter(([from, to]) => canTransition(lifecycle, from, to)))(
      'goes from %s to %s',
      async (from, to) => {
        await put(from);
        expect(await database.transaction((tx) => transition(tx, changeTo(to)))).toBe(true);
        expect(await read()).toMatchObject({ status: to, createdAt: MARK });
      },
    );

    it.each(pairs.filter(([from, to]) => !canTransition(lifecycle, from, to)))(
      'does not go from %s to %s, and stays as it was',
      async (from, to) => {
        await put(from);
        const before = await read();
        const unnamed = database.transaction((tx) => transition(tx, changeTo(to)));
        if (isReachable(to)) await expect(unnamed).resolves.toBe(false);
        else await expect(unnamed).rejects.toThrow(new TypeError(`nothing leads a ${lifecycle.name} to ${to}`));
        expect(await read()).toEqual(before);
        const named = database.transaction((tx) => transition(tx, changeTo(to, [from])));
        await expect(named).rejects.toThrow(new TypeError(`a ${lifecycle.name} can't go from ${from} to ${to}`));
        expect(await read()).toEqual(before);
      },
    );

    it('does not go from a state that the caller left out', async () => {
      for (const [from, to] of pairs.filter((pair) => canTransition(lifecycle, ...pair))) {
        await put(from);
        const others = states.filter((state) => state !== from && canTransition(lifecycle, state, to));
        if (others.length === 0) continue;
        expect(await database.transaction((tx) => transition(tx, changeTo(to, others)))).toBe(false);
        expect((await read()).status).toBe(from);
      }
    });

    it('goes once when two move it at the same time: the later one is told', async () => {
      for (const [from, to] of pairs.filter((pair) => canTransition(lifecycle, ...pair))) {
        await put(from);
        const lost = await racing(
          (tx) => transition(tx, { ...changeTo(to), set: row.columnsIn(to) }),
          () => database.transaction((tx) => transition(tx, changeTo(to))),
        );
        expect(lost).toBe(false);
        expect(await read()).toMatchObject({ status: to, createdAt: SOON });
      }
    });
  });
}

describeMoves({
  entity: UploadEntity,
  lifecycle: uploadLifecycle,
  create: async ({ tenantId, userId }) => {
    const { id, storageKey } = await createUpload(opened.catalog, { tenantId, userId });
    return {
      where: { tenantId, id },
      columnsIn: (state: UploadStatus) => ({
        storageKey: state === 'pending' || state === 'processing' ? storageKey : null,
        consumedAt: state === 'consumed' ? SOON : null,
      }),
    };
  },
});

describeMoves({
  entity: VersionEntity,
  lifecycle: versionLifecycle,
  create: async ({ tenantId, userId }) => {
    const { latestVersionId: id } = await createDataset(opened.catalog, { tenantId, userId });
    return {
      where: { tenantId, id },
      columnsIn: (state: VersionStatus) => ({
        number: state === 'ready' ? 1 : null,
        columns: state === 'ready' ? [] : null,
        rowCount: state === 'ready' ? 0 : null,
        sizeBytes: state === 'ready' ? 0 : null,
        endedAt: state === 'processing' ? null : SOON,
      }),
    };
  },
});

describeMoves({
  entity: ResultEntity,
  lifecycle: resultLifecycle,
  create: async ({ tenantId, userId }) => {
    const { resultId: id, blob } = await createStoredResult(opened.catalog, { tenantId, userId });
    return {
      where: { tenantId, id },
      columnsIn: (state: ResultStatus) => ({
        storageKey: state === 'processing' || state === 'ready' ? blob.storageKey : null,
        leaseUntil: state === 'processing' ? SOON : null,
      }),
    };
  },
});

describeMoves({
  entity: QueryRunEntity,
  lifecycle: queryRunLifecycle,
  create: async ({ tenantId, userId }) => {
    const id = await startQuery(opened.catalog, { tenantId, userId });
    return {
      where: { tenantId, id },
      columnsIn: (state: QueryRunStatus) => ({
        leaseUntil: isTerminal(queryRunLifecycle, state) ? null : SOON,
        endedAt: isTerminal(queryRunLifecycle, state) ? SOON : null,
      }),
    };
  },
});

describeMoves({
  entity: JobEntity,
  lifecycle: jobLifecycle,
  create: async ({ tenantId, userId }) => {
    const id = await createJob({ tenantId, userId });
    return {
      where: { tenantId, id },
      columnsIn: (state: JobStatus) => ({
        leaseUntil: state === 'admitted' || state === 'running' ? SOON : null,
        endedAt: isTerminal(jobLifecycle, state) ? SOON : null,
      }),
    };
  },
});

describeMoves({
  entity: BlobEntity,
  lifecycle: blobLifecycle,
  create: async ({ tenantId }) => {
    const { storageKey } = await writeBlob(opened.catalog, tenantId);
    return {
      where: { tenantId, storageKey },
      columnsIn: (state: BlobStatus) => ({
        contentHash: HASH,
        sizeBytes: 1,
        referenceCount: state === 'live' ? 1 : 0,
        dueAt: state === 'live' ? null : SOON,
      }),
    };
  },
});

async function createJob(of: Owner): Promise<JobId> {
  const { jobId } = await createDataset(opened.catalog, of);
  if (jobId === null) throw new Error('a new dataset has a job');
  return jobId;
}

describe('who comes too late', () => {
  const expectConflict = async (lost: Promise<unknown>, code: ErrorCode): Promise<void> => {
    await expect(lost).rejects.toMatchObject({ code });
    expect(ERRORS[code].status).toBe(409);
  };

  it('can not use an upload that another one has just taken', async () => {
    const { tenantId } = owner;
    const upload = await createUpload(opened.catalog, owner);
    const lost = racing(
      (tx) =>
        transition(tx, {
          ...{ entity: UploadEntity, lifecycle: uploadLifecycle, to: 'processing' },
          where: { tenantId, id: upload.id },
        }),
      () => createDataset(opened.catalog, owner, { upload }),
    );
    await expectConflict(lost, 'upload.in_use');
  });

  it('can not cancel a job that has just ended', async () => {
    const { tenantId } = owner;
    const id = await createJob(owner);
    const lost = racing(
      (tx) =>
        transition(tx, {
          ...{ entity: JobEntity, lifecycle: jobLifecycle, to: 'cancelled' },
          where: { tenantId, id },
          set: { endedAt: SOON },
        }),
      () => opened.catalog.jobs.requestCancel(tenantId, id),
    );
    await expectConflict(lost, 'job.finished');
  });

  it('can not cancel a query that has just ended', async () => {
    const { tenantId } = owner;
    const id = await startQuery(opened.catalog, owner);
    const lost = racing(
      (tx) =>
        transition(tx, {
          ...{ entity: QueryRunEntity, lifecycle: queryRunLifecycle, to: 'succeeded' },
          where: { tenantId, id },
          set: { endedAt: SOON, leaseUntil: null },
        }),
      () => opened.catalog.queryRuns.requestCancel(tenantId, id),
    );
    await expectConflict(lost, 'query.finished');
  });
});
