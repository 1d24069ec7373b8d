import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LyingChildren } from '../../test/lying-child.js';
import type { WireTask } from '../tasks/task.js';
import type { EngineChild } from './engine-child.js';

const READY = `say({ type: 'ready', dataBytes: 1 });\n`;
const query = { kind: 'query', sql: '', inputs: [], rowsMax: 2, answerBytesMax: 10, resultBytesMax: 1, outputPath: '/x' } as const; // prettier-ignore
const TASKS = {
  query,
  describe: { kind: 'describe', sql: '', inputs: [], outputPath: '/x' },
  inspect: { kind: 'inspect', sql: '', inputs: [], rowsMax: 2, answerBytesMax: 10, outputPath: '/x' },
  parse: { kind: 'parse', sql: '', outputPath: '/x' },
  read: { kind: 'read', files: [], columns: [], offset: 0, limit: 2, answerBytesMax: 10, outputPath: '/x' },
  convert: { kind: 'convert', file: '/x', outputPath: '/x' },
  export: { kind: 'export', files: [], columns: [], format: 'csv', outputPath: '/x' },
} as const satisfies Record<string, WireTask>;

const TABLE = { schema: 'datasets', name: 't', nameParts: 2, byteOffset: 5, place: { line: 1, column: 6 } };
const SELECT_1 = { form: 'select', tables: [TABLE], parameters: ['1'], isVolatile: false };
const PARSED = { statement: SELECT_1, fingerprint: 'a'.repeat(64) };
const COLUMN = { name: 'a', type: 'INTEGER', nullable: true };
const QUERY = { columns: [COLUMN], rowCount: 1, rowsReturned: 1, truncated: false, executionTimeMs: 1 };
const READ = { rowsReturned: 1, totalRowCount: 1, truncated: false };
const CONVERT = { format: 'json', compression: 'none', columns: [COLUMN], rowCount: 1, profile: null, warnings: [] };

const answerOf = (answer: unknown, text: string): string =>
  `onTask(() => say(${JSON.stringify({ type: 'answer', answer, dataBytes: 1 })}, ${JSON.stringify(text)}));`;

const saying = (phases: unknown): string =>
  `say(${JSON.stringify({ type: 'answer', answer: QUERY, dataBytes: 1, phases })}, '[[1]]')`;

describe('what a child says', () => {
  let children: LyingChildren;

  beforeAll(async () => {
    children = await LyingChildren.open();
  });
  afterAll(() => children.close());

  async function run(task: WireTask, program: string): Promise<{ child: EngineChild; outcome: unknown }> {
    const child = await children.start(READY + program);
    const options = { deadlineAt: performance.now() + 20_000 };
    const outcome = await child.execute(task, options).catch((error: unknown) => error);
    return { child, outcome };
  }

  it.each<[keyof typeof TASKS, unknown, string, unknown]>([
    ['parse', PARSED, '', PARSED],
    ['describe', { columns: [COLUMN] }, '', { columns: [COLUMN] }],
    ['query', QUERY, '[["é"]]', { ...QUERY, rowsJson: '[["é"]]' }],
    ['inspect', QUERY, '[["é"]]', { ...QUERY, rowsJson: '[["é"]]' }],
    ['read', READ, '[[1]]', { ...READ, rowsJson: '[[1]]' }],
    ['convert', CONVERT, '', CONVERT],
    ['export', { rowCount: 1 }, '', { rowCount: 1 }],
  ])('is the answer to a %s task', async (kind, answer, text, expected) => {
    const { child, outcome } = await run(TASKS[kind], answerOf(answer, text));
    expect(outcome).toEqual(expected);
    expect(child).toMatchObject({ fault: undefined, breach: undefined, dataBytes: 1, isAlive: true });
    await child.dispose();
  });

  it('is an error of the catalog', async () => {
    const error = { code: 'sql.failed', detail: 'no', errors: [{ message: 'no', line: 1, column: 2 }] };
    const program = `onTask(() => say(${JSON.stringify({ type: 'error', error })}));`;
    const { child, outcome } = await run(query, program);
    expect(outcome).toMatchObject({ code: 'sql.failed', message: 'no', retryable: false, errors: error.errors });
    expect(child.fault).toBeUndefined();
    await child.dispose();
  });

  it.each<[string, string, string]>([
    ['null', 'say(null)', 'unknown'],
    ['a number', 'say(7)', 'unknown'],
    ['nothing', 'say({})', 'unknown'],
    ['an unknown type', `say({ type: 'stop' })`, 'unknown'],
    ['ready, once more', `say({ type: 'ready', dataBytes: 1 })`, 'unknown'],
    ['a message of the protocol of Node', `say({ cmd: 'NODE_HANDLE_ACK' })`, 'unknown'],
    ['an unknown code', `say({ type: 'error', error: { code: 'nonsense', detail: '' } })`, 'unknown'],
    ['a code named after a method', `say({ type: 'error', error: { code: 'toString', detail: '' } })`, 'unknown'],
    ['an error without a sentence', `say({ type: 'error', error: { code: 'internal' } })`, 'unknown'],
    ['a sentence without an end', `say({ type: 'error', error: { code: 'internal', detail: 'x'.repeat(1e6) } })`, 'unknown'], // prettier-ignore
    ['an unknown fault', `say({ type: 'error', error: { code: 'internal', detail: '' }, fault: 'deadline' })`, 'unknown'], // prettier-ignore
    ['too much progress', `say({ type: 'progress', progress: 2 })`, 'unknown'],
    ['progress that is no number', `say({ type: 'progress', progress: NaN })`, 'unknown'],
    ['progress without an end', `write(frame('{"type":"progress","progress":1e999}'))`, 'unknown'],
    ['no JSON', `write(frame('{'))`, 'unreadable'],
    ['no frame', `write(Buffer.alloc(64))`, 'unreadable'],
    ['a frame of 4 GB', `write(Buffer.alloc(8, 255))`, 'unreadable'],
    ['a phase that is none', saying([{ name: 'SELECT 1', startMs: 0, endMs: 1 }]), 'unknown'],
    ['a phase before its task', saying([{ name: 'read', startMs: -1, endMs: 1 }]), 'unknown'],
    ['more phases than a task has', saying(Array(17).fill({ name: 'read', startMs: 0, endMs: 1 })), 'unknown'],
    ['a text beyond its bound', `say({ type: 'answer', answer: {}, dataBytes: 1 }, 'x'.repeat(11))`, 'unreadable'],
    ['an answer that is none', `say({ type: 'answer', dataBytes: 1 })`, 'unknown'],
    ['no size of its memory', `say({ type: 'answer', answer: ${JSON.stringify(QUERY)} }, '[]')`, 'unknown'],
    ['a flood of progress', `for (let i = 0; i < 5_000; i += 1) say({ type: 'progress', progress: 0.5 })`, 'flood'],
    ['a flood without an end', `setInterval(() => { for (let i = 0; i < 500; i += 1) say({ type: 'progress', progress: 0 }) }, 1)`, 'flood'], // prettier-ignore
  ])('ends it and nothing else when it is %s', async (_, act, breach) => {
    const { child, outcome } = await run(query, `onTask(() => { ${act}; });`);
    expect(outcome).toMatchObject({ code: 'query.crashed', retryable: true });
    expect(child).toMatchObject({ fault: 'crashed', breach, isAlive: false });
    await child.dispose();
  });

  it.each<[keyof typeof TASKS, string, unknown, string]>([
    ['parse', 'an answer without its fields', {}, ''],
    ['parse', 'a form that is none', { statement: { ...SELECT_1, form: 'insert' } }, ''],
    ['parse', 'a table of another schema', { statement: { ...SELECT_1, tables: [{ ...TABLE, schema: 'main' }] } }, ''],
    ['parse', 'a name that no table has', { statement: { ...SELECT_1, tables: [{ ...TABLE, name: 't\0' }] } }, ''],
    ['parse', 'a name that is a path', { statement: { ...SELECT_1, tables: [{ ...TABLE, name: '../t' }] } }, ''],
    ['parse', 'a result without its id', { statement: { ...SELECT_1, tables: [{ ...TABLE, schema: 'results' }] } }, ''],
    ['parse', 'a text beside it', { statement: SELECT_1 }, '{}'],
    ['query', 'an answer without its fields', {}, '[]'],
    ['query', 'an answer of another kind', READ, '[]'],
    ['query', 'rows that are no number', { ...QUERY, rowsReturned: '1' }, '[]'],
    ['query', 'fewer rows than none', { ...QUERY, rowsReturned: -1 }, '[]'],
    ['query', 'more rows than were asked for', { ...QUERY, rowsReturned: 3 }, '[]'],
    ['query', 'columns that are texts', { ...QUERY, columns: ['a'] }, '[]'],
    ['query', 'a column whose name is a number', { ...QUERY, columns: [{ ...COLUMN, name: 1 }] }, '[]'],
    ['query', 'no rows', QUERY, ''],
    ['query', 'rows that are no list', QUERY, '{}'],
    ['inspect', 'more rows than were asked for', { ...QUERY, rowsReturned: 3 }, '[]'],
    ['read', 'a count that is none', { ...READ, totalRowCount: null }, '[]'],
    ['read', 'more rows than were asked for', { ...READ, rowsReturned: 3 }, '[]'],
    ['convert', 'a format that is none', { ...CONVERT, format: 'exe' }, ''],
    ['convert', 'warnings that are none', { ...CONVERT, warnings: [{}] }, ''],
    ['export', 'rows that are no number', { rowCount: '1' }, ''],
    ['convert', 'a text that nobody asked for', CONVERT, 'x'],
  ])('is no answer to a %s task: %s', async (kind, _, answer, text) => {
    const { child, outcome } = await run(TASKS[kind], answerOf(answer, text));
    expect(outcome).toMatchObject({ code: kind === 'convert' ? 'conversion.crashed' : 'query.crashed' });
    expect(child).toMatchObject({ fault: 'crashed', isAlive: false });
    await child.dispose();
  });

  it('names no file: where the file of an answer lies is not for a child to say', async () => {
    const files = [{ path: '/etc/passwd', sizeBytes: 1, rowCount: 1 }];
    const { child, outcome } = await run(TASKS.convert, answerOf({ ...CONVERT, files, filePath: '/etc/passwd' }, ''));
    expect(outcome).toEqual(CONVERT);
    await child.dispose();
  });

  it('counts for the task that it was asked for, and for no later one', async () => {
    const more = `onTask(() => say({ type: 'error', error: { code: 'internal', detail: '' } }));`;
    const { child, outcome } = await run(query, `${answerOf(QUERY, '[[1]]')}\n${more}`);
    expect(outcome).toMatchObject({ rowCount: 1 });
    await child.whenEnded();
    expect(child).toMatchObject({ fault: 'crashed', breach: 'unasked' });
    await child.dispose();
  });

  it.each([
    ['one that it took', query, `onTask(() => process.exit());`, 'DomainError'],
    [
      'one of which it took a part',
      { ...query, sql: 'x'.repeat(1024 ** 2) },
      `onTask(() => process.exit());`,
      'UnbegunTaskError',
    ],
  ])('tells the loss of a task from that of another: %s', async (_, task, program, name) => {
    const { child, outcome } = await run(task, program);
    expect(outcome).toMatchObject({ name, code: 'query.crashed' });
    await child.dispose();
  });

  it('ends it also while it has nothing to do', async () => {
    const child = await children.start(`${READY} setTimeout(() => say({ type: 'progress', progress: 0 }), 100);`);
    await child.whenEnded();
    expect(child).toMatchObject({ fault: 'crashed', breach: 'unasked' });
    await child.dispose();
  });

  it.each(['say(null)', `say({ type: 'progress', progress: 0 })`, 'write(Buffer.alloc(8, 255))', 'channel.destroy()'])(
    'lets none start that begins with %s',
    async (act) => {
      await expect(children.start(act)).rejects.toThrow('did not start (ended)');
    },
  );
});
