import { describe, expect, it } from '@jest/globals';
import { isMemoryFault } from './tree-memory-fault.js';

describe('a tree that could not be written for want of memory', () => {
  it.each([
    ['by its type', { error: true, error_type: 'out of memory', error_message: 'no' }, true],
    ['by its message', { error: true, error_type: 'invalid', error_message: 'std::bad_alloc' }, true],
    ['not when it is another error', { error: true, error_type: 'not implemented', error_message: 'no' }, false],
    ['not when the caller wrote it', { error: true, error_type: 'parser', error_message: 'near "bad_alloc"' }, false],
    ['not when it is a tree', { error: false, statements: [] }, false],
    ['not when it is none', null, false],
  ])('is known %s', (_, tree, expected) => {
    expect(isMemoryFault(tree)).toBe(expected);
  });
});
