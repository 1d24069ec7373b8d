import { describe, expect, it } from '@jest/globals';
import { engineChildrenKeptMax, engineChildrenMax } from './engine-children-max.js';

const GiB = 1024 ** 3;

describe('engine processes of a machine', () => {
  it.each([
    ['cores decide where there is memory', { cores: 8, memoryBytes: 64 * GiB }, 16],
    ['memory decides where there are cores', { cores: 64, memoryBytes: 32 * GiB }, 12],
    ['there are always two', { cores: 1, memoryBytes: 1 * GiB }, 2],
    ['there is an end', { cores: 1_000, memoryBytes: 100_000 * GiB }, 256],
  ])('%s', (_, machine, count) => {
    expect(engineChildrenMax(machine, 1.5 * GiB)).toBe(count);
  });
});

describe('engine processes that are kept', () => {
  it.each([
    ['a tenth of memory holds them', { cores: 8, memoryBytes: 64 * GiB }, 28],
    ['none may be left over', { cores: 1, memoryBytes: 1 * GiB }, 0],
    ['there is an end', { cores: 8, memoryBytes: 100_000 * GiB }, 256],
  ])('%s', (_, machine, count) => {
    expect(engineChildrenKeptMax(machine, 1.5 * GiB)).toBe(count);
  });
});
