import { describe, expect, it } from '@jest/globals';
import { checkHandlers } from './boot-check.js';
import { JOBS } from './job-catalog.js';

describe('checkHandlers', () => {
  const check = (handled: string[]): string[] => checkHandlers({ catalog: JOBS, queues: ['convert'], handled });

  it('is content when each job of the queues has one handler', () => {
    expect(check(['dataset.convert'])).toEqual([]);
  });

  it('does not ask for the jobs of other queues, but lets them have a handler', () => {
    expect(check(['dataset.convert', 'result.persist'])).toEqual([]);
  });

  it('names every job without a handler, with two, and every handler without a job', () => {
    expect(check([])).toEqual(['job dataset.convert has no handler']);
    expect(check(['dataset.convert', 'dataset.convert', 'toString'])).toEqual([
      'job dataset.convert has 2 handlers',
      'there is a handler for toString, which is no job',
    ]);
  });
});
