import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { quoteLiteral } from '../../types/sql-text.js';
import { canCastExactly, castExactly, effortAfter } from './exact-casts.js';
import type { TextRules } from './exactness.js';
import { findInexact } from './inexact-values.js';

const RUNS = 400;
const PLAIN: TextRules = {
  hasDecimalComma: false,
  thousands: undefined,
  dateFormat: undefined,
  timestampFormat: undefined,
};

const TEXTS: Readonly<Record<string, readonly string[]>> = {
  BIGINT: ['1', '-1', '-0', ' 7', '7 ', '007', '+7', '2.5', '1e2', '0x1F', '1_000', '9223372036854775808', 'a', '5.'],
  INTEGER: ['1', '2147483648', '007', '2.5'],
  HUGEINT: ['1', '170141183460469231731687303715884105727', '170141183460469231731687303715884105728', '1.5', '1e20'],
  FLOAT: ['1.5', '1e39', '1e-46', '0.1', '0', '16777217'],
  DOUBLE: [
    '1',
    ' 1.5',
    '.5',
    '5.',
    '1e5',
    '1e400',
    '1e-400',
    'inf',
    'nan',
    '0.0',
    '-0.0',
    '1_0',
    '1,5',
    '9007199254740993',
    '0.1234567890123456',
    '12345.67890123456789',
    '1.23456789012345678',
  ],
  BOOLEAN: ['true', 'FALSE', 't', 'f', '0', '1', 'yes', 'no', 'on', ' true', 'true ', 'tRue'],
  DATE: [
    '2020-01-02',
    '2020-1-2',
    '2020/01/02',
    '2020-01-02 ',
    '2020-01-02 10:00:00',
    '10000-01-01',
    'infinity',
    '2020-02-30',
  ],
  TIME: ['10:00:00', '10:00', '1:02:03', '10:00:00.1234567', '24:00:00', '10:00:00+02', '10:00:00 '],
  TIMESTAMP: [
    ...['2020-01-02 10:00:00', '2020-01-02T10:00:00', '2020-01-02T10:00:00Z', '2020-01-02 10:00:00+02', '2020-01-02'],
    ...[
      '2020-01-02 10:00-02',
      '2020-01-02 10:00:00.123456',
      '2020-01-02 10:00:00.1234567',
      'infinity',
      '2020-1-2 1:2:3',
    ],
    ...['2020-01-02 10-02:00', '2020-01-02 10:00:60', '290000-01-01 00:00:00', '2020-01-02 10:00:00 UTC'],
  ],
  'TIMESTAMP WITH TIME ZONE': [
    ...['2020-01-02 10:00:00', '2020-01-02T10:00:00Z', '2020-01-02 10:00:00+02:30', '2020-01-02 10:00:00.1234567Z'],
    ...['2020-01-02', 'infinity', ' 2020-01-02 10:00:00Z', '2020-01-02 10:00:00 Europe/Berlin', '2020-1-2 1:2:3Z'],
  ],
};
const FORMATS: readonly (readonly [type: string, format: string])[] = [
  ['DATE', '%d/%m/%Y'],
  ['DATE', '%Y-%m-%d'],
  ['DATE', '%m-%d-%y'],
  ['TIMESTAMP', '%Y-%m-%d %H:%M:%S'],
  ['TIMESTAMP', '%d/%m/%Y %H:%M'],
  ['TIMESTAMP', '%Y-%m-%dT%H:%M:%S.%f'],
  ['TIMESTAMP WITH TIME ZONE', '%Y-%m-%d %H:%M:%S %z'],
];
const DATED = [
  ...['02/01/2020', '2/1/2020', '2020-01-02', '01-02-20', '2020-01-02 10:00:00', '2020-01-02 10:00:00.5'],
  ...['02/01/2020 10:00', '2020-01-02T10:00:00.123456', '2020-01-02T10:00:00.1234567', '2020-01-02 10:00:00 +0200'],
  ...[' 02/01/2020', '02/01/2020 ', '32/01/2020', '10000-01-01', 'infinity'],
];
const ONE_BY_ONE = [
  ...Object.entries(TEXTS).map(([type, texts]) => ({ type, texts, format: undefined })),
  ...FORMATS.map(([type, format]) => ({ type, texts: DATED, format })),
];

describe('casts that change nothing', () => {
  let connection: DuckDBConnection;
  let folder: string;

  beforeAll(async () => {
    connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run("SET TimeZone = 'UTC'");
    folder = await mkdtemp(join(tmpdir(), 'exact-casts-'));
  });
  afterAll(async () => {
    connection.closeSync();
    await rm(folder, { recursive: true });
  });

  const rulesOf = (format: string | undefined): TextRules => ({
    ...PLAIN,
    dateFormat: format,
    timestampFormat: format,
  });
  const columnOf = (type: string, isPinned = false) => [{ name: 'x', type, isPinned }];
  const valueIn = async (select: string): Promise<unknown> => {
    const reader = await connection.runAndReadAll(`SELECT typeof(x), CAST(x AS VARCHAR) FROM (${select})`);
    const [type, value] = reader.getRows()[0] ?? [];
    return value === null ? null : { type, value };
  };
  const tableOf = (text: string): string => `(SELECT ${quoteLiteral(text)} AS x)`;

  /** The value; else the effort that an error asks for. */
  const cast = async (text: string, type: string, rules = PLAIN): Promise<unknown> => {
    expect(canCastExactly(columnOf(type), rules)).toBe(true);
    return valueIn(castExactly(columnOf(type), tableOf(text), rules)).catch((error: unknown) => ({
      effort: effortAfter(error) ?? String(error),
    }));
  };

  /** What comes of the reader's own cast and of a pass that looks for texts which it would change. */
  const readAndChecked = async (text: string, type: string, format?: string): Promise<unknown> => {
    const file = join(folder, 'one.csv');
    await writeFile(file, `x\n"${text}"\n`);
    const formats = format === undefined ? '' : `, dateformat = '${format}', timestampformat = '${format}'`;
    const options = `auto_detect = false, header = true, quote = '"', strict_mode = true${formats}`;
    const value = await valueIn(`FROM read_csv('${file}', ${options}, columns = {'x': '${type}'})`).catch(() => null);
    const table = { ...rulesOf(format), from: tableOf(text), refusesAll: false };
    const lineOf = (): Promise<undefined> => Promise.resolve(undefined);
    const { changed, rounded } = await findInexact(connection, columnOf(type), { ...table, lineOf });
    if (value === null || changed.size > 0) return { effort: 'whole' };
    return rounded.size > 0 ? { effort: 'sampled' } : value;
  };

  it.each([
    ['DATE', '%Y-%m-%d %H:%M:%S %z'],
    ['TIMESTAMP', '%Y-%m-%d %H:%M:%S %z'],
    ['TIMESTAMP', '%Y-%m-%d %H:%M:%S %Z'],
    ['TIMESTAMP', '%Y-%m-%d %H:%M:%S.%n'],
  ])('have no say about %s with the format %s, which gives another type first', (type, format) => {
    expect(canCastExactly(columnOf(type), rulesOf(format))).toBe(false);
    expect(canCastExactly(columnOf('BIGINT'), rulesOf(format))).toBe(true);
  });

  it.each(ONE_BY_ONE)('are those of the reader for $type, format $format', async ({ type, texts, format }) => {
    for (const text of texts) {
      const found = { text, outcome: await cast(text, type, rulesOf(format)) };
      expect(found).toEqual({ text, outcome: await readAndChecked(text, type, format) });
    }
  });

  it.each<[string, string]>([
    ['BIGINT', '0123456789-+.eE_ x'],
    ['DOUBLE', '00123456789..eE-+_ '],
    ['TIMESTAMP', '0123456789'],
  ])('are those of the reader for any text as %s', async (type, alphabet) => {
    const some = (maxLength: number) => fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength });
    const tail = fc.constantFrom('', 'Z', '+02', '-02:00', '.5', '.1234567', ':00', ' ', '-2', '+2:00');
    const time = fc.tuple(fc.constantFrom('10', '1', '10:00', '1:2', '10:00:00', '1:2:3', '-1:00:00', ''), tail);
    const texts = type === 'TIMESTAMP' ? time.map((parts) => `2020-01-02 ${parts.join('')}`) : some(24);
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await cast(text, type)).toEqual(await readAndChecked(text, type));
      }),
      { numRuns: RUNS },
    );
  });

  it.each(['BIGINT', 'DATE', 'DOUBLE'])(
    'of a pinned %s leave what does not fit to a pass that finds its line',
    async (type) => {
      const select = castExactly(columnOf(type, true), tableOf('a'), PLAIN);
      const error: unknown = await valueIn(select).catch((reason: unknown) => reason);
      expect(effortAfter(error)).toBe('sampled');
    },
  );

  it('keep NULL, and have no say where the reader does more than a cast', async () => {
    const select = castExactly(columnOf('BIGINT'), '(SELECT CAST(NULL AS VARCHAR) AS x)', PLAIN);
    expect(await valueIn(select)).toBeNull();
    expect(canCastExactly(columnOf('DOUBLE'), { ...PLAIN, hasDecimalComma: true })).toBe(false);
    expect(canCastExactly(columnOf('JSON'), PLAIN)).toBe(false);
    expect(effortAfter(new Error('Invalid Input Error: something else'))).toBeUndefined();
  });
});
