import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FileAnalysisBody, UploadBody } from '@millrace/contract';
import { Analyst, type Reading, type SentFile } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
const bytesOf = (text: string, encoding: BufferEncoding): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(text, encoding));

describe('a file', () => {
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
    tenant = await millrace.newTenant();
    analyst = new Analyst(tenant.asAdmin);
  });
  afterAll(() => millrace.stop());

  async function analysisOf({ id }: UploadBody, body?: Reading): Promise<FileAnalysisBody> {
    return (await analyst.client.call('file.analyze', { path: { id }, ...(body && { body }) })).body;
  }

  it.each(['airports.csv', 'us-states.psv', 'bird-strikes.csv.gz', 'earthquakes.ndjson', 'flights-2001.parquet'])(
    'becomes what its analysis says: %s',
    async (name) => {
      const upload = await analyst.upload({ bytes: Uint8Array.from(await readFile(example(name))), name });
      const { columns, complete, row_count: rowCount, sample, warnings } = await analysisOf(upload);
      const dataset = await analyst.convert(upload);
      const known = ({ nullable }: { nullable: boolean | null }): boolean => complete || nullable === true;
      expect(columns).toEqual(
        dataset.columns.map((column, index) =>
          known(columns[index] ?? { nullable: null }) ? column : { ...column, nullable: null },
        ),
      );
      expect({ rowCount, warnings }).toEqual({ rowCount: dataset.row_count, warnings: dataset.warnings });
      const { body } = await analyst.client.call('dataset.preview', { path: { id: dataset.id } });
      expect(sample).toEqual({ columns: body.columns, types: body.types, rows: body.rows });
    },
  );

  it.each<[string, SentFile, Reading, string[], unknown[][]]>([
    ['in UTF-16', { bytes: bytesOf('\ufeffid;name\n1;Zoë\n', 'utf16le') }, {}, ['id BIGINT', 'name VARCHAR'], [[1, 'Zoë']]], // prettier-ignore
    ['in Latin-1, as it is said', { bytes: bytesOf('id;name\n1;Zoë\n', 'latin1') }, { options: { encoding: 'latin-1' } }, ['id BIGINT', 'name VARCHAR'], [[1, 'Zoë']]], // prettier-ignore
    ['with thousands', { bytes: "n;x\n1'000;2\n12'345;3\n" }, { format: 'csv', options: { thousands_separator: "'" } }, ['n BIGINT', 'x BIGINT'], [[1000, 2], [12345, 3]]], // prettier-ignore
    ['with short rows', { bytes: 'a,b\n1,2\n3\n' }, { format: 'csv', options: { ragged_rows: 'pad' } }, ['a BIGINT', 'b BIGINT?'], [[1, 2], [3, null]]], // prettier-ignore
    ['of an API', { bytes: '{"data":{"items":[{"id":1,"at":{"city":"Bern"}}]}}' }, { format: 'json', options: { records_path: 'data.items', nested: 'flatten' }, columns: { id: { type: 'HUGEINT' } } }, ['id HUGEINT', 'at_city VARCHAR'], [[1, 'Bern']]], // prettier-ignore
    ['of lists on lines', { bytes: '[1,[2]]\n' }, { format: 'json', options: { json_layout: 'lines', depth_max: 1 } }, ['json JSON[]'], [[['1', '[2]']]]], // prettier-ignore
    ['of which some columns are wanted', { bytes: 'a,b,c\n1,2,3\n' }, { format: 'csv', options: { select: ['c', 'a'] } }, ['c BIGINT', 'a BIGINT'], [[3, 1]]], // prettier-ignore
  ])('is read as the options say: %s', async (_, file, reading, columns, rows) => {
    const analysis = await analysisOf(await analyst.upload(file), reading);
    const seen = await analyst.tableOf(file, reading);
    expect(seen).toMatchObject({ columns, rows });
    expect(analysis.columns).toEqual(seen.dataset.columns);
    expect(analysis.sample.rows).toEqual(rows);
    expect(seen.dataset.source_config.options ?? {}).toEqual(reading.options ?? {});
  });

  it('is read as Windows-1252 where it can be nothing else, and its dataset says so', async () => {
    const { dataset, rows } = await analyst.tableOf({ bytes: bytesOf('id,name\n1,caf\xe9 \x80\n', 'latin1') });
    expect(rows).toEqual([[1, 'café €']]);
    expect(dataset.warnings).toEqual([expect.stringMatching(/Windows-1252.*Line 2 /)]);
  });

  it('is refused by its analysis as by its conversion', async () => {
    const upload = await analyst.upload({ bytes: 'a,b\n1,2\n3\n', type: 'text/csv' });
    const problem = await problemOf(analysisOf(upload));
    const { detail, errors } = await problemOf(analyst.convert(upload));
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed', detail, errors });
  });

  it('is analyzed by whoever may make a dataset of it, and as long as it is there', async () => {
    const upload = await analyst.upload({ bytes: 'a\n1\n', type: 'text/csv' });
    const path = { id: upload.id };
    const missing = { status: 404, code: 'upload.not_found' };
    const stranger = (await millrace.newTenant()).asAdmin;
    expect(await problemOf(stranger.call('file.analyze', { path }))).toMatchObject(missing);
    await analyst.convert(upload);
    expect(await problemOf(analyst.client.call('file.analyze', { path }))).toMatchObject({ code: 'upload.consumed' });
  });

  it('that is inline takes no encoding: it is text already', async () => {
    const inline = { format: 'csv', content: 'a\n1\n', options: { encoding: 'utf-16le' } } as const;
    const refused = analyst.client.call('dataset.create', { body: { label: 'Inline', source: { inline } } });
    expect(await problemOf(refused)).toMatchObject({
      ...{ status: 400, code: 'request.invalid' },
      errors: [{ pointer: '/source/inline/options/encoding' }],
    });
  });
});
