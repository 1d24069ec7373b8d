import { describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { describeJob, isJobName } from './job-catalog.js';
import { messageIdOf, parseJobMessage, toJobMessage } from './job-message.js';

describe('the job catalog', () => {
  it('describes the row of a job', () => {
    const payload = { versionId: newId('version'), datasetId: newId('dataset') };
    expect(describeJob('dataset.convert', payload)).toEqual({ kind: 'dataset.convert', payload, attemptsMax: 3 });
  });

  it('takes nothing but ids into a payload', () => {
    const ids = { versionId: newId('version'), datasetId: newId('dataset') };
    expect(() => describeJob('dataset.convert', { ...ids, rows: [1] } as typeof ids)).toThrow();
    expect(() => describeJob('result.persist', { resultId: newId('job') as never })).toThrow();
  });

  it('knows its names', () => {
    expect(isJobName('result.persist')).toBe(true);
    expect(isJobName('constructor')).toBe(false);
  });
});

describe('a job message', () => {
  const fence = { tenantId: newId('tenant'), jobId: newId('job'), attempt: 2 };

  it('survives the way through the queue', () => {
    expect(parseJobMessage(JSON.parse(JSON.stringify(toJobMessage(fence))))).toEqual({ version: 1, ...fence });
  });

  it.each([
    ['another version', { ...fence, version: 2 }],
    ['a missing attempt', { version: 1, tenantId: fence.tenantId, jobId: fence.jobId }],
    ['an attempt that is none', { version: 1, ...fence, attempt: 0 }],
    ['an id of another kind', { version: 1, ...fence, jobId: fence.tenantId }],
    ['more than it should hold', { version: 1, ...fence, payload: {} }],
    ['nothing', null],
  ])('is refused with %s', (_, data) => {
    expect(parseJobMessage(data)).toBeUndefined();
  });

  it('has an id of its own per attempt', () => {
    expect(messageIdOf(fence)).toBe(`${fence.jobId}-2`);
  });
});
