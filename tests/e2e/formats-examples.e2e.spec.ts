import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Analyst, type Reading, type TableSeen } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';

const exampleOf = async (name: string): Promise<Uint8Array<ArrayBuffer>> =>
  Uint8Array.from(await readFile(fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))));

/** Lines and fields as the rules of CSV say, without any knowledge of the product. */
function fieldsOf(text: string, delimiter: string): string[][] {
  const field = new RegExp(`(?:"((?:[^"]|"")*)"|([^${delimiter}\\n]*))(${delimiter.replace('|', '\\|')}|\\n|$)`, 'gy');
  const lines: string[][] = [[]];
  for (const [, quoted, bare, end] of text.replaceAll('\r\n', '\n').trimEnd().matchAll(field)) {
    lines.at(-1)?.push(quoted?.replaceAll('""', '"') ?? bare ?? '');
    if (end === '\n') lines.push([]);
    if (end === '') break;
  }
  return lines;
}

interface Earthquake {
  readonly id: string;
  readonly properties: {
    readonly mag: number;
    readonly place: string;
    readonly time: number;
    readonly felt: number | null;
  };
  readonly geometry: { readonly coordinates: readonly [number, number, number] };
}

describe('the sample files', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
    analyst = new Analyst((await millrace.newTenant()).asAdmin);
  });
  afterAll(() => millrace.stop());

  const tableOf = async (name: string, reading?: Reading): Promise<TableSeen> =>
    analyst.tableOf({ bytes: await exampleOf(name), name }, reading);

  it.each([
    ['airports.csv', ',', 3_376],
    ['us-states.psv', '|', 56],
    ['bird-strikes.csv.gz', ',', 10_000],
  ])('become tables with each of their texts: %s', async (name, delimiter, count) => {
    const bytes = await exampleOf(name);
    const text = Buffer.from(name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    const [header = [], ...lines] = fieldsOf(text, delimiter);
    expect(lines).toHaveLength(count);
    const columns = Object.fromEntries(header.map((column) => [column, { type: 'VARCHAR' }]));
    const { rows, dataset } = await tableOf(name, { columns });
    expect(dataset.columns.map((column) => column.name)).toEqual(header);
    expect(rows).toEqual(lines.map((line) => line.map((field) => (field === '' ? null : field))));
  });

  it.each([
    ['airports.csv', ['iata VARCHAR', 'name VARCHAR', 'city VARCHAR', 'state VARCHAR', 'country VARCHAR', 'latitude DOUBLE', 'longitude DOUBLE']], // prettier-ignore
    ['us-states.psv', ['fips VARCHAR', 'usps VARCHAR', 'name VARCHAR']],
    ['flights-2001.parquet', ['date TIMESTAMP', 'delay BIGINT', 'distance BIGINT', 'origin VARCHAR', 'destination VARCHAR']], // prettier-ignore
  ])('get the types of their values: %s', async (name, columns) => {
    const { columns: found } = await tableOf(name);
    expect(found).toEqual(columns);
  });

  it('keep each number: airports.csv', async () => {
    const [, ...lines] = fieldsOf(Buffer.from(await exampleOf('airports.csv')).toString(), ',');
    const { rows } = await tableOf('airports.csv');
    expect(rows.map((row) => row.slice(5))).toEqual(lines.map((line) => line.slice(5).map(Number)));
  });

  it('become nested columns that can be asked: earthquakes.ndjson', async () => {
    const lines = Buffer.from(await exampleOf('earthquakes.ndjson'))
      .toString()
      .trim()
      .split('\n');
    const quakes = lines.map((line) => JSON.parse(line) as Earthquake);
    const { dataset, rows, columns } = await tableOf('earthquakes.ndjson');
    expect(columns).toContain('geometry STRUCT("type" VARCHAR, coordinates DOUBLE[])');
    // Every value of every record, at any depth. A time in text may have become a TIMESTAMP: here there are none.
    const names = dataset.columns.map(({ name }) => name);
    expect(rows.map((row) => Object.fromEntries(row.map((value, index) => [names[index], value])))).toEqual(quakes);

    const strongest = quakes
      .toSorted((a, b) => b.properties.mag - a.properties.mag || (a.id < b.id ? -1 : 1))
      .slice(0, 5);
    const sql = `SELECT id, properties.mag, geometry.coordinates[3] AS depth_km FROM datasets.${dataset.table_name}
      ORDER BY properties.mag DESC, id LIMIT 5`;
    await expect(analyst.rows(sql)).resolves.toEqual(
      strongest.map(({ id, properties, geometry }) => [id, properties.mag, geometry.coordinates[2]]),
    );
    const felt = `SELECT count(*), sum(properties.felt) FROM datasets.${dataset.table_name} WHERE properties.felt > 0`;
    const feltBy = quakes.map(({ properties }) => properties.felt ?? 0).filter((people) => people > 0);
    await expect(analyst.rows(felt)).resolves.toEqual([
      [feltBy.length, feltBy.reduce((sum, people) => sum + people, 0)],
    ]);
  });

  it('can be joined', async () => {
    const [flights, airports, states] = [
      await tableOf('flights-2001.parquet'),
      await tableOf('airports.csv'),
      await tableOf('us-states.psv'),
    ].map(({ dataset }) => `datasets.${dataset.table_name}`);
    const sql = `SELECT s.name, count(*) AS flights FROM ${flights} f JOIN ${airports} a ON f.origin = a.iata
      JOIN ${states} s ON a.state = s.usps GROUP BY ALL ORDER BY flights DESC, s.name`;
    const [, ...airportLines] = fieldsOf(Buffer.from(await exampleOf('airports.csv')).toString(), ',');
    const [, ...stateLines] = fieldsOf(Buffer.from(await exampleOf('us-states.psv')).toString(), '|');
    const stateOf = new Map(airportLines.map((line) => [line[0], line[3]]));
    const nameOf = new Map(stateLines.map((line) => [line[1], line[2]]));
    const origins = await analyst.rows(`SELECT origin, count(*) FROM ${flights} GROUP BY ALL`);
    const expected = new Map<string, number>();
    for (const [origin, count] of origins as [string, number][]) {
      const name = nameOf.get(stateOf.get(origin));
      if (name !== undefined) expected.set(name, (expected.get(name) ?? 0) + count);
    }
    const answer = await analyst.rows(sql);
    expect(Object.fromEntries(answer as [string, number][])).toEqual(Object.fromEntries(expected));
    expect(answer.length).toBeGreaterThan(40);
  });
});
