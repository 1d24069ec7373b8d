import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { SCALARS, valuesOf } from '../../test/typed-values.js';
import { ValueRoutes } from '../../test/value-routes.js';
import { WRAPPINGS } from '../../test/wrappings.js';

/** Parquet has no unions; DuckDB writes one as a struct whose first field has an empty name. */
const NESTED = WRAPPINGS.filter(({ name }) => name !== 'union');
/** DuckDB writes no Parquet of a negative INTERVAL, and calls the infinities of these two out of range. */
const BEYOND_PARQUET: ReadonlySet<string> = new Set(['INTERVAL', 'TIMESTAMP_S']);

describe('a value of a Parquet file is what DuckDB reads there', () => {
  let routes: ValueRoutes;
  beforeAll(async () => {
    routes = await ValueRoutes.open();
  });
  afterAll(() => routes.close());

  const expectUpload = (sql: string): Promise<void> => routes.expectUpload(sql);

  it.each(SCALARS.filter(({ type }) => !BEYOND_PARQUET.has(type)))(
    '$type, alone and nested',
    async ({ type, values }) => {
      const items = ['v', ...NESTED.map(({ wrap }) => wrap('v', type))].map((value, index) => `${value} AS c${index}`);
      await expectUpload(`SELECT ${items.join(', ')} FROM ${valuesOf({ type, values })} AS t(v)`);
    },
  );

  it('INTERVAL and TIMESTAMP_S, as far as Parquet holds them', async () => {
    await expectUpload(`SELECT to_months(13) + to_days(2) + to_milliseconds(3) AS a, [to_days(30), NULL] AS b,
      '2020-02-29 12:00:00'::TIMESTAMP_S AS c, {'a': '0044-03-15 (BC) 12:00:00'::TIMESTAMP_S} AS d`);
  });
});
