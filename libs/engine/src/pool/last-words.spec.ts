import { describe, expect, it } from '@jest/globals';
import { lastWords } from './last-words.js';

describe('lastWords', () => {
  it.each([
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    '# Fatal process out of memory: Zone',
    '<--- Last few GCs --->',
    '[4711:0x2a4b3000]     1234 ms: Mark-Compact 510.1 (513.9) -> 509.8 (514.1) MB, pooled: 0 MB, 12.34 / 0.00 ms',
    '  #  node[4711]: void node::Foo() at ../src/node.cc:12',
    '----- Native stack trace -----',
    ' 1: 0xb090e0 node::Abort() [node]',
    "terminate called after throwing an instance of 'std::bad_alloc'",
    '  what():  std::bad_alloc',
    '<jemalloc>: Error in mmap(): err: 12, msg: Cannot allocate memory',
    'free(): invalid pointer',
    'double free or corruption (!prev)',
    'Node.js v24.21.0',
    'Error',
    'TypeError ERR_INVALID_ARG_TYPE',
    '    at run (file:///srv/millrace/libs/engine/dist/child/main.js:12:34)',
  ])('keeps %j', (line) => {
    expect(lastWords(`something else\n${line}\n`)).toBe(line);
  });

  it.each([
    "Error: near 'a secret'",
    'TypeError: a secret',
    "  what():  Parser Error: near 'a secret'",
    `{"exception_type":"Parser","exception_message":"a secret"}`,
    "LINE 1: SELECT 'a secret'",
    '               ^',
    "FATAL ERROR: 'a secret' \u{1f600}",
    'malloc = "a secret"',
    'at a secret',
    '    at a secret',
    '# a secret',
    'SELECT 1',
  ])('quotes nothing of %j', (line) => {
    expect(lastWords(`Node.js v24.21.0\n${line}\nNode.js v24.21.0`)).toBe('Node.js v24.21.0\nNode.js v24.21.0');
  });

  it('cuts long lines', () => {
    expect(lastWords(`terminate called ${'x'.repeat(1_000)}`)).toHaveLength(200);
  });
});
