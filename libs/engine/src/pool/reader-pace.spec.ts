import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DomainError } from '@millrace/domain';
import { ReaderPace } from './reader-pace.js';

/** A reader may take nothing for ten seconds, and else takes 100 bytes a second. */
const LIMITS = { idleMaxMs: 10_000, bytesPerSecondMin: 100 };

describe('the pace of a reader', () => {
  let errors: DomainError[];
  let pace: ReaderPace;

  beforeEach(() => {
    jest.useFakeTimers();
    errors = [];
    pace = new ReaderPace(LIMITS, (error) => errors.push(error));
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const takes = (bytes: number, ms: number): void => {
    pace.give(bytes);
    pace.wait();
    jest.advanceTimersByTime(ms);
    pace.stopWaiting();
  };

  it('is too slow when it takes nothing for long', () => {
    pace.give(1_000_000);
    pace.wait();
    jest.advanceTimersByTime(9_999);
    expect(errors).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(errors).toEqual([expect.objectContaining({ code: 'download.stalled', retryable: true })]);
  });

  it('is too slow when it takes a little again and again', () => {
    for (let times = 0; times < 5; times += 1) takes(1, 2_000);
    expect(errors).toEqual([]);
    takes(1, 2_000);
    expect(errors).toHaveLength(1);
  });

  it('may be the lowest for ever', () => {
    for (let times = 0; times < 100; times += 1) takes(500, 5_000);
    expect(errors).toEqual([]);
  });

  it('may pause again after it was fast, and for no longer than at first', () => {
    for (let times = 0; times < 3; times += 1) {
      takes(1_000_000, 9_000);
      takes(1_000_000, 10);
    }
    expect(errors).toEqual([]);
    takes(1_000_000, 10_001);
    expect(errors).toHaveLength(1);
  });

  it('does not count while nothing waits for it', () => {
    takes(1, 9_000);
    jest.advanceTimersByTime(60_000);
    expect(errors).toEqual([]);
    pace.wait();
    pace.wait();
    jest.advanceTimersByTime(1_100);
    expect(errors).toHaveLength(1);
  });
});
