import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ColumnProfile, TableProfile } from '@millrace/domain';
import { ConvertFixture } from '../../../test/convert-fixture.js';

describe('the profile of a converted file', () => {
  let fixture: ConvertFixture;

  beforeAll(async () => {
    fixture = await ConvertFixture.open();
  });
  afterAll(() => fixture.close());

  const profileOf = async (bytes: string | Uint8Array): Promise<TableProfile> => {
    const { profile } = await fixture.convert(bytes);
    if (!profile) throw new Error('there is no profile');
    return profile;
  };
  const columnOf = async (bytes: string | Uint8Array, index = 0): Promise<ColumnProfile | undefined> =>
    (await profileOf(bytes)).columns[index];
  const lines = (values: readonly unknown[], name = 'v'): string => `${name},other\n${values.join(',x\n')},x\n`;

  it('counts a small table exactly', async () => {
    const profile = await profileOf('n,city\n1,Rome\n2,Oslo\n2,\n4,Rome\n');
    expect(profile).toMatchObject({ approximate: false, sampled_row_count: 4 });
    expect(profile.columns).toEqual([
      {
        ...{ null_count: 0, distinct_count: 3, min: 1, max: 4, mean: 2.25 },
        quantiles: { p05: 1, p25: 1, p50: 2, p75: 2, p95: 4 },
        top_values: [
          { value: 2, count: 2 },
          { value: 1, count: 1 },
          { value: 4, count: 1 },
        ],
        histogram: [
          { from: 1, to: 2, count: 1 },
          { from: 2, to: 3, count: 2 },
          { from: 4, to: 4, count: 1 },
        ],
      },
      {
        ...{ null_count: 1, distinct_count: 2, min: 'Oslo', max: 'Rome', mean: null, quantiles: null, histogram: null },
        top_values: [
          { value: 'Rome', count: 2 },
          { value: 'Oslo', count: 1 },
        ],
      },
    ]);
  });

  it('shows numbers that no double holds as texts', async () => {
    const large = await columnOf(lines(['9007199254740993', '170141183460469231731687303715884105727']));
    expect(large).toMatchObject({ min: '9007199254740993', max: '170141183460469231731687303715884105727' });
    expect(large?.top_values?.map(({ value }) => value)).toEqual([large?.min, large?.max]);
    expect(await columnOf(lines(['1e300', 'inf', '-inf', 'nan', '1.5']))).toMatchObject({
      ...{ min: '-Infinity', max: 'NaN', mean: 5e299 },
      histogram: [
        { from: 1.5, count: 1 },
        { to: 1e300, count: 1 },
      ],
    });
  });

  it.each<[type: string, values: string[], Partial<ColumnProfile>]>([
    ['DATE', ['2020-02-28', '2020-03-01'], { min: '2020-02-28', max: '2020-03-01', mean: null }],
    ['TIMESTAMP', ['2020-02-28 12:00:00', '2020-02-28 12:00:01'], { min: '2020-02-28T12:00:00' }],
    ['TIME', ['01:02:03', '23:59:59'], { min: '01:02:03', max: '23:59:59' }],
    ['BOOLEAN', ['true', 'false'], { min: false, max: true, quantiles: null, histogram: null }],
  ])('knows %s', async (_type, values, expected) => {
    const profile = await columnOf(lines(values));
    expect(profile).toMatchObject({ ...expected, null_count: 0, distinct_count: 2 });
    if (profile?.histogram) {
      expect(profile.histogram[0]).toMatchObject({ from: profile.min, count: 1 });
      expect(profile.histogram.at(-1)).toMatchObject({ to: profile.max, count: 1 });
      expect(profile.quantiles).toMatchObject({ p05: profile.min, p95: profile.max });
    }
  });

  it('says of nested values and bytes how many are NULL', async () => {
    const profile = await profileOf('[{"a": [1], "b": {"c": 1}}, {"a": null, "b": {"c": 2}}]');
    expect(profile.columns.map((column) => [column.null_count, column.distinct_count, column.top_values])).toEqual([
      [1, null, null],
      [0, null, null],
    ]);
  });

  it('knows columns of nothing but NULL, and names that are like those of the reader', async () => {
    const text = 'file_row_number,empty\n1,\n2,\n';
    expect(await columnOf(text)).toMatchObject({ min: 1, max: 2, distinct_count: 2 });
    const nothing = { null_count: 2, distinct_count: 0, min: null, max: null, mean: null, top_values: [] };
    expect(await columnOf(text, 1)).toMatchObject(nothing);
  });

  it('cuts long texts', async () => {
    const long = 'x'.repeat(10_000);
    const profile = await columnOf(lines([long, `${long}y`]));
    expect(profile).toMatchObject({ min: 'x'.repeat(100), max: 'x'.repeat(100) });
  });

  it('estimates a large table from a part of its rows', async () => {
    const rows = Array.from({ length: 200_000 }, (_, index) => `${index},${index % 4 === 0 ? 'often' : index}`);
    const profile = await profileOf(`n,s\n${rows.join('\n')}\n`);
    const [numbers, texts] = profile.columns;
    expect(profile.approximate).toBe(true);
    expect(profile.sampled_row_count).toBeGreaterThan(15_000);
    expect(profile.sampled_row_count).toBeLessThan(25_000);
    expect(numbers).toMatchObject({ null_count: 0, min: 0, max: 199_999, mean: 99_999.5 });
    expect(Math.abs((numbers?.distinct_count ?? 0) / 200_000 - 1)).toBeLessThan(0.1);
    expect(Math.abs(Number(numbers?.quantiles?.p50) / 100_000 - 1)).toBeLessThan(0.05);
    expect(numbers?.histogram).toHaveLength(20);
    const counted = (numbers?.histogram ?? []).reduce((sum, { count }) => sum + count, 0);
    expect(Math.abs(counted / 200_000 - 1)).toBeLessThan(0.001);
    expect(texts?.top_values?.[0]?.value).toBe('often');
    expect(Math.abs((texts?.top_values?.[0]?.count ?? 0) / 50_000 - 1)).toBeLessThan(0.05);
  });

  it('looks at the first 200 columns of a wide table, and counts the NULLs of all', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `c${index}`);
    const { columns } = await profileOf(`${names.join(',')}\n${names.map((_, index) => index).join(',')}\n`);
    expect(columns).toHaveLength(300);
    expect(columns[199]).toMatchObject({ null_count: 0, min: 199 });
    expect(columns[200]).toMatchObject({ null_count: 0, min: null, distinct_count: null });
  });
});
