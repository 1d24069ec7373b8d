import { describe, expect, it } from '@jest/globals';
import { parsePrefer } from './prefer.js';

describe('parsePrefer', () => {
  it.each([
    [undefined, { waitMs: 20_000 }],
    ['', { waitMs: 20_000 }],
    ['wait=5', { waitMs: 5_000, applied: 'wait=5' }],
    ['wait = "7"', { waitMs: 7_000, applied: 'wait=7' }],
    ['wait=0', { waitMs: 0, applied: 'wait=0' }],
    ['wait=999', { waitMs: 60_000, applied: 'wait=60' }],
    ['handling=lenient, WAIT=3;x=y', { waitMs: 3_000, applied: 'wait=3' }],
    ['respond-async', { waitMs: 0, applied: 'respond-async' }],
    ['respond-async, wait=10', { waitMs: 0, applied: 'respond-async' }],
    ['wait=-1', { waitMs: 20_000 }],
    ['wait=soon', { waitMs: 20_000 }],
  ])('reads %s', (header, preference) => {
    expect(parsePrefer(header)).toEqual(preference);
  });
});
