import { describe, expect, it } from '@jest/globals';
import { DomainError, type JobFence, type JobLedger, newId } from '@millrace/domain';

/** A ledger and the ways in which others move its jobs. */
export interface LedgerUnderTest {
  readonly ledger: JobLedger;
  /** A new job of a tenant of its own, admitted for the first time. */
  admit(options: { attemptsMax: number }): Promise<JobFence>;
  /** Takes a running job away from its attempt, as the sweeper does, and admits it again. */
  readmit(fence: JobFence): Promise<JobFence>;
  requestCancel(fence: JobFence): Promise<void>;
}

const leaseMs = 30_000;
const passing = new DomainError('storage.unavailable', 'The store does not answer.').toRecord();
const mistake = new DomainError('conversion.failed', 'The file can not be converted.').toRecord();
const cancelled = new DomainError('job.cancelled', 'The job was cancelled.').toRecord();

/** What every JobLedger does; run by the catalog's and by the one that the queue's tests use. */
export function describeJobLedger(name: string, open: () => Promise<LedgerUnderTest>): void {
  describe(`${name} as a job ledger`, () => {
    describeStart(open);
    describeHeartbeat(open);
    describeEnd(open);
  });
}

function describeStart(open: () => Promise<LedgerUnderTest>): void {
  it('starts an admitted attempt once', async () => {
    const { ledger, admit } = await open();
    const fence = await admit({ attemptsMax: 3 });
    const started = await ledger.start(fence, { leaseMs });
    expect(started).toEqual({ kind: expect.any(String), payload: expect.any(Object) });
    expect(await ledger.start(fence, { leaseMs })).toBeUndefined();
  });

  it('does not start an attempt that is not current, nor one of another tenant', async () => {
    const { ledger, admit } = await open();
    const fence = await admit({ attemptsMax: 3 });
    expect(await ledger.start({ ...fence, attempt: fence.attempt + 1 }, { leaseMs })).toBeUndefined();
    expect(await ledger.start({ ...fence, tenantId: newId('tenant') }, { leaseMs })).toBeUndefined();
  });
}

function describeHeartbeat(open: () => Promise<LedgerUnderTest>): void {
  it('answers a heartbeat with what it wants', async () => {
    const { ledger, admit, requestCancel } = await open();
    const fence = await admit({ attemptsMax: 3 });
    await ledger.start(fence, { leaseMs });
    expect(await ledger.heartbeat(fence, { leaseMs, progress: 0.5 })).toBe('running');
    await requestCancel(fence);
    expect(await ledger.heartbeat(fence, { leaseMs })).toBe('cancel_requested');
  });

  it('tells an attempt that it is lost: when another is current, and after its end', async () => {
    const { ledger, admit, readmit } = await open();
    const first = await admit({ attemptsMax: 3 });
    await ledger.start(first, { leaseMs });
    const second = await readmit(first);
    expect(await ledger.heartbeat(first, { leaseMs })).toBe('lost');
    await ledger.start(second, { leaseMs });
    await ledger.succeed(second);
    expect(await ledger.heartbeat(second, { leaseMs })).toBe('lost');
  });
}

function describeEnd(open: () => Promise<LedgerUnderTest>): void {
  it('ends a job once and gives its status ever after', async () => {
    const { ledger, admit } = await open();
    const fence = await admit({ attemptsMax: 3 });
    await ledger.start(fence, { leaseMs });
    expect(await ledger.succeed(fence)).toBe('succeeded');
    expect(await ledger.succeed(fence)).toBe('succeeded');
    expect(await ledger.fail(fence, mistake)).toBe('succeeded');
  });

  it('gives a passing fault a next attempt, until there have been enough', async () => {
    const { ledger, admit } = await open();
    const several = await admit({ attemptsMax: 2 });
    await ledger.start(several, { leaseMs });
    expect(await ledger.fail(several, passing)).toBe('queued');
    const single = await admit({ attemptsMax: 1 });
    await ledger.start(single, { leaseMs });
    expect(await ledger.fail(single, passing)).toBe('failed');
  });

  it('gives a mistake and a cancellation no next attempt', async () => {
    const { ledger, admit, requestCancel } = await open();
    const mistaken = await admit({ attemptsMax: 3 });
    await ledger.start(mistaken, { leaseMs });
    expect(await ledger.fail(mistaken, mistake)).toBe('failed');
    const unwanted = await admit({ attemptsMax: 3 });
    await ledger.start(unwanted, { leaseMs });
    await requestCancel(unwanted);
    expect(await ledger.fail(unwanted, cancelled)).toBe('cancelled');
  });

  it('writes nothing for an attempt that is not current', async () => {
    const { ledger, admit, readmit } = await open();
    const first = await admit({ attemptsMax: 3 });
    await ledger.start(first, { leaseMs });
    const second = await readmit(first);
    expect(await ledger.succeed(first)).toBe('admitted');
    expect(await ledger.fail(first, mistake)).toBe('admitted');
    expect(await ledger.start(second, { leaseMs })).toBeDefined();
  });
}
