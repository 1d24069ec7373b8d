import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Analyst, type SentFile } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';
import { storedFile } from './harness/stored-files.js';

type Format = 'csv' | 'ndjson' | 'json' | 'parquet';
type Bytes = Uint8Array<ArrayBuffer>;

const rows = [[1, 'é𝄞', 1.5, '2020-02-29'], [2, null, -0.25, '1969-12-31'], [3, 'a,"b"', 0, null]] as const; // prettier-ignore
const records = rows.map(([id, name, part, day]) => ({ id, name, part, day }));
const columns = ['id BIGINT', 'name VARCHAR?', 'part DOUBLE', 'day DATE?'];
const plain = (text: string | Uint8Array): Bytes => Uint8Array.from(Buffer.from(text as Uint8Array));
const packings = {
  plain: { pack: plain, encoding: undefined, extension: '' },
  gzip: { pack: (bytes: Bytes) => plain(gzipSync(bytes)), encoding: 'gzip', extension: '.gz' },
  zstd: { pack: (bytes: Bytes) => plain(zstdCompressSync(bytes)), encoding: 'zstd', extension: '.zst' },
};
const formats: Record<Format, { type: string; extension: string; said: 'csv' | 'json' | 'parquet' }> = {
  csv: { type: 'text/csv; charset=utf-8', extension: 'csv', said: 'csv' },
  ndjson: { type: 'application/x-ndjson', extension: 'ndjson', said: 'json' },
  json: { type: 'application/json', extension: 'json', said: 'json' },
  parquet: { type: 'application/vnd.apache.parquet', extension: 'parquet', said: 'parquet' },
};

describe('formats', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;
  const contents: Record<Format, Bytes> = {
    csv: plain('id,name,part,day\n1,é𝄞,1.5,2020-02-29\n2,,-0.25,1969-12-31\n3,"a,""b""",0,\n'),
    ndjson: plain(records.map((record) => `${JSON.stringify(record)}\n`).join('')),
    json: plain(JSON.stringify(records, null, 2)),
    parquet: plain(''),
  };

  beforeAll(async () => {
    millrace = await startMillrace();
    const tenant = await millrace.newTenant();
    analyst = new Analyst(tenant.asAdmin);
    const dataset = await analyst.convert(await analyst.upload({ bytes: contents.csv, name: 'rows.csv' }));
    contents.parquet = await storedFile(millrace.store, `t/${tenant.tenantId}/datasets/${dataset.id}/`);
  });
  afterAll(() => millrace.stop());

  const cases = (Object.keys(formats) as Format[]).flatMap((format) =>
    (Object.keys(packings) as (keyof typeof packings)[]).map((packing) => ({ format, packing })),
  );

  describe.each(cases)('$format, $packing', ({ format, packing }) => {
    const { type, extension, said } = formats[format];
    const { pack, encoding, extension: packed } = packings[packing];
    const bytes = (): Bytes => pack(contents[format]);
    const withEncoding = (file: SentFile): SentFile => ({ ...file, ...(encoding !== undefined && { encoding }) });

    it.each<[string, () => SentFile, 'csv' | 'json' | 'parquet' | undefined]>([
      ['content type', () => withEncoding({ bytes: bytes(), type }), undefined],
      ['file name', () => ({ bytes: bytes(), name: `rows.${extension}${packed}` }), undefined],
      ['the look of its bytes', () => ({ bytes: bytes() }), undefined],
      ['format', () => ({ bytes: bytes(), type: 'application/x-unknown' }), said],
    ])('is known by %s', async (_, file, wanted) => {
      const seen = await analyst.tableOf(file(), wanted && { format: wanted });
      expect(seen.columns).toEqual(columns);
      expect(seen.rows).toEqual(rows);
    });
  });

  it.each<[string, SentFile, 'csv' | 'json' | undefined]>([
    ['the format that is said before the content type', { bytes: '[1]\n', type: 'application/json' }, 'csv'],
    ['the content type before the file name', { bytes: '[1]\n', type: 'text/csv', name: 'rows.json' }, undefined],
    ['the file name before the look', { bytes: '[1]\n', name: 'ROWS.CSV' }, undefined],
  ])('believes %s', async (_, file, format) => {
    // One column of a number in brackets: as CSV it is a text, as JSON a number.
    const { columns: found } = await analyst.tableOf({ ...file, bytes: 'a\n[1]\n' }, format && { format });
    expect(found).toEqual(['a VARCHAR']);
  });

  it('takes a packed file although nothing but its bytes says so', async () => {
    for (const type of ['text/csv', 'application/gzip', 'application/octet-stream']) {
      const seen = await analyst.tableOf({ bytes: packings.gzip.pack(contents.csv), type });
      expect([type, seen.rows]).toEqual([type, rows]);
    }
  });

  it.each([
    ['gzip', (part: string) => gzipSync(part)],
    ['zstd', (part: string) => zstdCompressSync(part)],
  ])('reads a %s file of several parts to its end', async (_, pack) => {
    const parts = ['a,b\n1,x\n', '2,y\n', '', '3,z\n'].map(pack);
    const seen = await analyst.tableOf({ bytes: plain(Buffer.concat(parts)), type: 'text/csv' });
    expect(seen.rows).toEqual([[1, 'x'], [2, 'y'], [3, 'z']]); // prettier-ignore
  });

  it('reads a large zstd file that was packed piece by piece', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `${index},${(index * 7_919) % 10_007}\n`);
    const parts = Array.from({ length: 6 }, (_, part) =>
      zstdCompressSync(lines.slice(part * 10_000, (part + 1) * 10_000).join('')),
    );
    const bytes = plain(Buffer.concat([zstdCompressSync('n,m\n'), ...parts]));
    const { dataset } = await analyst.tableOf({ bytes, name: 'rows.csv.zst' });
    await expect(
      analyst.rows(`SELECT count(*), sum(n), sum(m), max(n) FROM datasets.${dataset.table_name}`),
    ).resolves.toEqual([
      [60_000, (60_000 * 59_999) / 2, lines.reduce((sum, line) => sum + Number(line.split(',')[1]), 0), 59_999],
    ]);
  });

  it('takes one file of a form', async () => {
    const form = new FormData();
    form.append('file', new Blob([contents.ndjson], { type: 'application/x-ndjson' }), 'rows.ndjson');
    const { body: upload } = await analyst.client.call('file.upload', { body: form });
    expect(upload).toMatchObject({ file_name: 'rows.ndjson', size_bytes: contents.ndjson.length });
    const dataset = await analyst.convert(upload);
    await expect(analyst.rows(`FROM datasets.${dataset.table_name}`)).resolves.toEqual(rows);
  });

  it('captures rows, columns, types, NULLs and the size of the file', async () => {
    const { dataset } = await analyst.tableOf({ bytes: contents.csv, name: 'rows.csv' });
    expect(dataset).toMatchObject({
      ...{ row_count: 3, version: 1, status: 'ready', source_type: 'upload', warnings: [], error: null },
      columns: [
        { name: 'id', type: 'BIGINT', nullable: false },
        { name: 'name', type: 'VARCHAR', nullable: true },
        { name: 'part', type: 'DOUBLE', nullable: false },
        { name: 'day', type: 'DATE', nullable: true },
      ],
      source_config: { upload_id: expect.stringMatching(/^upld/) },
    });
    expect(dataset.size_bytes).toBe(contents.parquet.length);
    const preview = await analyst.client.call('dataset.preview', { path: { id: dataset.id }, query: { limit: 2 } });
    expect(preview.body).toMatchObject({ rows: rows.slice(0, 2), row_count: 2, total_row_count: 3, truncated: true });
    await expect(analyst.client.call('dataset.get', { path: { id: dataset.id } })).resolves.toMatchObject({
      body: dataset,
    });
  });

  it.each([
    ['csv', 'id;name\n1;x\n2;NA\n', { delimiter: ';', null_strings: ['NA'] }],
    ['json', '[{"id":1,"name":"x"},{"id":2}]', undefined],
  ] as const)('takes %s inline', async (format, content, options) => {
    const { body: dataset } = await analyst.client.call('dataset.create', {
      body: {
        label: `Inline ${format}`,
        source: {
          inline: {
            format,
            content,
            ...(options && { options: { ...options, null_strings: [...options.null_strings] } }),
          },
        },
      },
    });
    expect(dataset).toMatchObject({ source_type: 'inline', row_count: 2 });
    await expect(analyst.rows(`FROM datasets.${dataset.table_name}`)).resolves.toEqual([[1, 'x'], [2, null]]); // prettier-ignore
  });
});
