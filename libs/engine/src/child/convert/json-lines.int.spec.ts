import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type ConvertAnswer, type ConvertRequest, DEFAULT_CONVERT_LIMITS } from '../../tasks/convert.task.js';
import fc from 'fast-check';
import { quoteLiteral } from '../../types/sql-text.js';
import type { TaskContext } from '../task-context.js';
import { convertFile } from './convert-file.js';
import { EffortFailedError } from './effort.js';
import { DECIDED_BY_ALL, openJsonLines } from './json-lines.js';
import { detectJson, jsonText } from './json-reading.js';
import { RecordShapes } from './record-shapes.js';
import { profileWritten } from './profile-written.js';
import { writeProven } from './write-proven.js';
import { PhaseClock } from '../phase-clock.js';

/** More than are learned from, in more bytes than are looked at at once. */
const RECORDS = 60_000;
const RUNS = 500;
const FILL = 'f'.repeat(40);

describe('JSON lines', () => {
  let connection: DuckDBConnection;
  let folder: string;

  beforeAll(async () => {
    connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run("SET TimeZone = 'UTC'");
    folder = await mkdtemp(join(tmpdir(), 'json-lines-'));
  });
  afterAll(async () => {
    connection.closeSync();
    await rm(folder, { recursive: true });
  });

  const contextOf = (outputPath: string): TaskContext => ({
    connection,
    outputPath,
    scratchDir: folder,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    phases: new PhaseClock(),
  });

  /** Records of a field `a` that holds these texts in turn, as JSON, and after them one of its own. */
  const linesOf = (values: readonly string[], last?: string): string[] => [
    ...Array.from(
      { length: RECORDS },
      (_, index) => `{"i":${index},"a":${values[index % values.length]},"fill":"${FILL}"}`,
    ),
    ...(last === undefined ? [] : [last]),
  ];

  const written = async (lines: readonly string[], request: Partial<ConvertRequest> = {}): Promise<unknown> => {
    const path = join(folder, 'lines.json');
    await writeFile(path, lines.join('\n'));
    const context = contextOf(join(folder, 'lines.parquet'));
    const limits = DEFAULT_CONVERT_LIMITS;
    const source = await openJsonLines(context, { path, request: { file: path, ...request }, limits });
    const dataset = await writeProven(context, source, 2 ** 40);
    const { columns } = await profileWritten(context, dataset, { isProfiled: false });
    return { columns, rowCount: dataset.rowCount };
  };

  /** As JSON of one list, which is read with all effort. */
  const asList = async (lines: readonly string[]): Promise<ConvertAnswer> => {
    const path = join(folder, 'list.json');
    await writeFile(path, `[${lines.join(',\n')}]`);
    return convertFile({ file: path, format: 'json' }, contextOf(join(folder, 'list.parquet')));
  };

  const asLines = async (lines: readonly string[]): Promise<ConvertAnswer> => {
    const path = join(folder, 'lines.json');
    await writeFile(path, lines.join('\n'));
    return convertFile({ file: path, format: 'json' }, contextOf(join(folder, 'lines.parquet')));
  };

  const differences = async (): Promise<unknown> => {
    const [lines, list] = ['lines', 'list'].map((name) => `FROM ${quoteLiteral(join(folder, `${name}.parquet`))}`);
    const reader = await connection.runAndReadAll(
      `SELECT count(*) FROM ((${lines} EXCEPT ALL ${list}) UNION ALL (${list} EXCEPT ALL ${lines}))`,
    );
    return Number(reader.getRows()[0]?.[0]);
  };

  it.each<[string, readonly string[]]>([
    ['integers of both signs', ['1', '-2', '123456789012345678']],
    ['fractions', ['1.5', '-0.00012345678901234567', '1e-5', '0.0']],
    ['integers and fractions', ['1', '1.5', '-3']],
    ['texts', ['"x"', '"\\u00e9 \\" \\n"', '""', 'null', '"käse"']],
    ['truths', ['true', 'false', 'null']],
    ['nothing but null', ['null']],
    ['days', ['"2020-01-02"', '"0999-12-31"', 'null']],
    ['times to the second', ['"2020-01-02 03:04:05"', 'null']],
    ['times of several forms', ['"2020-01-02T03:04:05.123456"', '"2020-01-02"', '"2020-01-02 03:04"']],
    ['times with an offset', ['"2020-01-02T03:04:05Z"', '"2020-01-02T03:04:05.5+02:30"']],
    ['texts and numbers', ['"x"', '1', 'true']],
    ['objects and lists', ['{"b":[1,-2],"c":{"d":"x"}}', '{"c":null}', '{"b":[]}']],
    ['lists of objects', ['[{"b":1},{"c":[1.5]}]', '[]']],
  ])('of %s become the same as with all effort', async (_, values) => {
    const lines = linesOf(values);
    const { columns, rowCount, warnings } = await asList(lines);
    expect(await written(lines)).toEqual({ columns, rowCount });
    expect(warnings).toEqual([]);
    expect(await differences()).toBe(0);
  });

  it.each<[string, readonly string[], string]>([
    ['a key', ['1'], '{"i":1,"late":"x"}'],
    ['a key within', ['{"b":1}'], '{"i":1,"a":{"late":1}}'],
    ['a fraction', ['1'], '{"i":1,"a":2.5}'],
    ['a negative number', ['1'], '{"i":1,"a":-5}'],
    ['a long integer', ['1'], '{"i":1,"a":12345678901234567890123}'],
    ['a long integer beside fractions', ['1.5', '3'], '{"i":1,"a":9007199254740993}'],
    ['a long fraction', ['1.5'], '{"i":1,"a":0.123456789012345678}'],
    ['a number beyond a DOUBLE', ['1.5'], '{"i":1,"a":1e400}'],
    ['a text among numbers', ['1'], '{"i":1,"a":"2"}'],
    ['a number among texts', ['"x"'], '{"i":1,"a":2}'],
    ['a truth among numbers', ['1'], '{"i":1,"a":true}'],
    ['another text among days', ['"2020-01-02"'], '{"i":1,"a":"tomorrow"}'],
    ['a space before a day', ['"2020-01-02"'], '{"i":1,"a":" 020-01-02"}'],
    ['a time among days', ['"2020-01-02"'], '{"i":1,"a":"2020-01-02T10:00:00"}'],
    ['an offset', ['"2020-01-02 10:00:00"'], '{"i":1,"a":"2020-01-02 10:00:00+02"}'],
    ['nanoseconds', ['"2020-01-02 10:00:00"'], '{"i":1,"a":"2020-01-02 10:00:00.123456789"}'],
    ['no such day', ['"2020-01-02"'], '{"i":1,"a":"2020-02-30"}'],
  ])('with %s at the end are read as if it came first', async (_, values, last) => {
    const lines = linesOf(values, last);
    await expect(written(lines)).rejects.toThrow();
    const { columns, rowCount } = await asList(lines);
    expect(await asLines(lines)).toMatchObject({ columns, rowCount });
    expect(await differences()).toBe(0);
  });

  it.each<[string, string, object]>([
    ['a line that is cut', '{"i":1,"a":', { line: RECORDS + 1 }],
    ['a bad line', '{"i":oops}', { line: RECORDS + 1 }],
    ['a key twice', '{"i":1,"i":2}', { line: RECORDS + 1, column_name: 'i' }],
    ['a NUL', '{"i":1,"a":"\0"}', { line: RECORDS + 1 }],
  ])('with %s at the end are refused with its line', async (_, last, place) => {
    await expect(asLines(linesOf(['1'], last))).rejects.toMatchObject({ code: 'conversion.failed', errors: [place] });
  });

  it.each<[string, readonly string[], Partial<ConvertRequest>]>([
    ['pins', linesOf(['1']), { columns: { a: { type: 'DECIMAL' } } }],
    ['few records', linesOf(['1']).slice(0, 100), {}],
    ['keys equal but for their case', linesOf(['1,"A":2']), {}],
    ['keys as a map', Array.from({ length: RECORDS }, (__, index) => `{"i":1,"a":{"k${index % 500}":"${FILL}"}}`), {}],
    ['times of the day, which may turn into texts', linesOf(['"10:00:00"']), {}],
  ])('leave %s to those who look at all of the file', async (_, lines, request) => {
    await expect(written(lines, request)).rejects.toThrow(EffortFailedError);
  });

  it('are typed by the first records when the others have the same shapes', async () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.constantFrom(null, null, true, 'x', '', '10:00:00', '2020-01-02', 5, -5, 1.5, 1234567890123456),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
      ),
    }));
    // More of the same, so that something is admitted.
    const some = fc.array(fc.dictionary(key, value, { minKeys: 1 }), { minLength: 1, maxLength: 4 });
    const records = fc.tuple(some, fc.array(fc.nat(), { maxLength: 12 }));
    const path = join(folder, 'shapes.json');
    let admitted = 0;
    await fc.assert(
      fc.asyncProperty(records, async ([first, picks]) => {
        const rest = picks.map((pick) => withoutSome(first[pick % first.length] ?? {}, pick));
        const [text, more] = [first, rest].map((part) => part.map((record) => `${JSON.stringify(record)}\n`).join(''));
        const shapes = new RecordShapes();
        if (!shapes.admit(Buffer.from(text ?? ''))) return;
        shapes.settle();
        if (!shapes.admit(Buffer.from(more ?? '')) || !shapes.areTyped) return;
        await writeFile(path, `${text}${more}`);
        const detected = jsonText(path, { file: path }, DEFAULT_CONVERT_LIMITS);
        const { found } = await detectJson(connection, { ...detected, sampleRows: first.length });
        if (found.some(({ type }) => DECIDED_BY_ALL.test(type))) return;
        expect((await detectJson(connection, { ...detected, sampleRows: -1 })).found).toEqual(found);
        admitted += 1;
      }),
      { numRuns: RUNS },
    );
    expect(admitted).toBeGreaterThan(RUNS / 10);
  });
});

/** A record with fewer of its keys. */
function withoutSome(record: object, seed: number): object {
  return Object.fromEntries(Object.entries(record).filter((_, index) => ((seed >> (index + 4)) & 1) === 0));
}
