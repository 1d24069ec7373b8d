import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONVERTER_VERSION, DUCKDB_VERSION, RESULT_VERSION } from '@millrace/domain';
import { DuckDBInstance } from '@duckdb/node-api';
import { ConvertFixture } from '../../../test/convert-fixture.js';
import type { ConvertRequest } from '../../tasks/convert.task.js';

/** Files in which much has to be decided, and how they are read. */
const FILES: readonly (readonly [string | Uint8Array, Partial<ConvertRequest>?])[] = [
  ['id,name,day,amount,odd\n1,Ann,2025-01-03,12.50,007\n2,,2025-01-04,,08\n3,"B, ""b""",2025-02-29x,1e3,x\n'],
  [
    'a;b\n1,5;03.01.2025\n2,25;04.01.2025\nn/a;\n',
    { options: { decimal_separator: ',', date_format: '%d.%m.%Y', null_strings: ['n/a'] } },
  ],
  ['x|x|X\n1|2|3\n', { columns: { x: { type: 'DECIMAL', precision: 10, scale: 2 } } }],
  [
    '# c\n1\t9007199254740993\ttrue\n2\t170141183460469231731687303715884105727\tfalse\n',
    { options: { comment: '#' } },
  ],
  ['[{"a": 1, "b": {"c": [1, 2.5]}}, {"a": null, "d": "2025-01-03T12:00:00Z"}]', { format: 'json' }],
  ['{"n": 9007199254740993, "m": 0.1}\n{"n": -1, "m": 1e300, "l": [[], [null]]}\n', { format: 'json' }],
  [gzipSync('word,at\nfirst,2025-01-03 12:00:00.123456\nsecond,2025-01-03 12:00:00\n'), { fileName: 'words.csv.gz' }],
];

/**
 * When the second of these has changed, the same file becomes another table than before: raise the number of
 * `CONVERTER_VERSION`, or earlier conversions are taken for what this converter would make.
 */
const RECORDED = { version: 'v1.5.6 1', digest: 'aea1cc373b4ae782e5dcf80e80a608030892dbe01d9067b4737d69aa3e7b5dbe' };

describe('the version of the converter', () => {
  let fixture: ConvertFixture;

  beforeAll(async () => {
    fixture = await ConvertFixture.open();
  });
  afterAll(() => fixture.close());

  it('is another one when the same files become other tables', async () => {
    const hash = createHash('sha256');
    for (const [bytes, request] of FILES) {
      const result = await fixture
        .convert(bytes, request)
        .catch(({ code, message }: Record<string, unknown>) => ({ code, message }));
      hash.update(
        JSON.stringify('files' in result ? [result.columns, result.warnings, await fixture.rowsOf(result)] : result),
      );
    }
    expect({ version: CONVERTER_VERSION, digest: hash.digest('hex') }).toEqual(RECORDED);
  });

  it('begins with that of DuckDB, as that of results does', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const [[version] = []] = (await connection.runAndReadAll('SELECT version()')).getRows();
    connection.closeSync();
    expect(DUCKDB_VERSION).toBe(version);
    for (const each of [CONVERTER_VERSION, RESULT_VERSION]) expect(each.startsWith(`${DUCKDB_VERSION} `)).toBe(true);
  });
});
