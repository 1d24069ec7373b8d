import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CsvRecord, endOfRecords, findRecord, type RecordRules } from './csv-records.js';

const plain: RecordRules = { delimiters: [','], quote: '"', escape: '"', comment: '' };

describe('the records of a CSV file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'csv-records-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function recordsOf(text: string, rules: Partial<RecordRules> = {}): Promise<CsvRecord[]> {
    const path = join(folder, 'file');
    await writeFile(path, text);
    const records: CsvRecord[] = [];
    await findRecord(path, { ...plain, ...rules }, (record) => {
      records.push(record);
      return false;
    });
    return records;
  }

  it.each<[string, string, [line: number, head: string][], Partial<RecordRules>?]>([
    ['lines', 'a,b\n1,2\n', [[1, 'a,b'], [2, '1,2']]], // prettier-ignore
    ['a last line without an end', 'a\n1', [[1, 'a'], [2, '1']]], // prettier-ignore
    ['lines of Windows', 'a\r\n1\r\n\r\n2\r\n', [[1, 'a'], [2, '1'], [3, ''], [4, '2']]], // prettier-ignore
    ['lines of the first Macs', 'a\r1\r\r2\r', [[1, 'a'], [2, '1'], [3, ''], [4, '2']]], // prettier-ignore
    ['quoted fields of several lines', 'a,"x\ny"\n"1\r\n2",b\n3\n', [[1, 'a,"x\ny"'], [3, '"1\r\n2",b'], [5, '3']]], // prettier-ignore
    ['doubled quotes', '"a""\n"\nb\n', [[1, '"a""\n"'], [3, 'b']]], // prettier-ignore
    ['another escape', '"a\\"\n"\nb\n', [[1, '"a\\"\n"'], [3, 'b']], { escape: '\\' }], // prettier-ignore
    ['another quote', "'a\n'\nb\"\nc\n", [[1, "'a\n'"], [3, 'b"'], [4, 'c']], { quote: "'", escape: "'" }], // prettier-ignore
    ['no quote', '"a\nb"\n', [[1, '"a'], [2, 'b"']], { quote: '', escape: '' }], // prettier-ignore
    ['quotes that stand within a field', 'a"\nb,5" x\n', [[1, 'a"'], [2, 'b,5" x']]], // prettier-ignore
    ['a longer delimiter', 'a::"x\n"\nb\n', [[1, 'a::"x\n"'], [3, 'b']], { delimiters: ['::'] }], // prettier-ignore
    ['a byte order mark before a quote', '\ufeff"a\nb"\n1\n', [[1, '"a\nb"'], [3, '1']]], // prettier-ignore
    ['a quote that is never closed', 'a\n"b\nc\n', [[1, 'a'], [2, '"b\nc\n']]], // prettier-ignore
  ])('are found: %s', async (_, text, expected, rules = {}) => {
    const records = await recordsOf(text, rules);
    expect(records.map(({ line, head }) => [line, head])).toEqual(expected);
    expect(records.map(({ number }) => number)).toEqual(expected.map((__, index) => index + 1));
  });

  it('are blank or comments, which may have quotes', async () => {
    const records = await recordsOf('#"x\na\n\n1 # "y\n2\n', { comment: '#' });
    expect(records.map(({ line, kind }) => [line, kind])).toEqual([
      [1, 'comment'],
      [2, 'data'],
      [3, 'blank'],
      [4, 'data'],
      [5, 'data'],
    ]);
  });

  it('are found at the borders of what is read at once', async () => {
    const long = `"${'x'.repeat(1024 * 1024 - 2)}\r\n"`;
    const records = await recordsOf(`${long}\r\n${'1,2\r\n'.repeat(300_000)}end`);
    expect(records).toHaveLength(300_002);
    expect(records.at(-1)).toMatchObject({ line: 300_003, number: 300_002, head: 'end' });
    expect(records[0]?.head.length).toBeLessThan(20_000);
  });

  it.each([
    ['lines', 'a,b\n1,2\n3', 'a,b\n1,2\n'],
    ['lines of Windows', 'a\r\n1\r\n2', 'a\r\n1\r\n'],
    ['lines of old', 'a\r1\r2', 'a\r1\r'],
    ['a line end in quotes', 'a\n"x\ny"\n"z\nz', 'a\n"x\ny"\n'],
    ['all of them', 'a\n1\n', 'a\n1\n'],
    ['less than one', 'a,b', ''],
  ])('end in the beginning of a file where the last whole one does: %s', (_, text, whole) => {
    expect(text.slice(0, endOfRecords(Buffer.from(text), plain))).toBe(whole);
  });
});
