import { describe, expect, it } from '@jest/globals';
import { isMemoryFault } from './tree-memory-fault.js';

/** As DuckDB gave them for a statement of 1 MiB, with less and less memory. */
const FAULTS = [
  { error: true, error_type: 'out of memory', error_message: 'Allocation failure' },
  { error: true, error_type: 'out of memory', error_message: 'Failed to allocate block of 67108864 bytes' },
  { error: true, error_type: 'parser', error_message: 'std::bad_alloc', error_subtype: 'SYNTAX_ERROR' },
];

describe('what DuckDB gives in place of a tree', () => {
  it.each(FAULTS)('is a want of memory: $error_type, $error_message', (tree) => {
    expect(isMemoryFault(tree)).toBe(true);
  });

  it.each([
    { error: true, error_type: 'parser', error_message: 'syntax error at or near "bad_alloc"' },
    { error: true, error_type: 'not implemented', error_message: 'Only SELECT statements can be serialized to json!' },
    { error: false, statements: [] },
    null,
  ])('is none: %j', (tree) => {
    expect(isMemoryFault(tree)).toBe(false);
  });
});
