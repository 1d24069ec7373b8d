import { describe, expect, it } from '@jest/globals';
import { RETRY_BACKOFF_MAX_MS, retryDelayMs } from './job-attempt.js';

describe('the pause before the next attempt', () => {
  it('doubles with each failure from a second on, up to a minute', () => {
    const longest = [1, 2, 3, 4, 7, 50].map((failures) => retryDelayMs(failures, () => 1));
    expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, RETRY_BACKOFF_MAX_MS, RETRY_BACKOFF_MAX_MS]);
  });

  it('is random by half, so that jobs do not move in step', () => {
    expect(retryDelayMs(3, () => 0)).toBe(2_000);
    expect(retryDelayMs(3, () => 0.5)).toBe(3_000);
  });
});
