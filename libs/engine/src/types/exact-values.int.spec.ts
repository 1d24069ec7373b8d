import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { SCALARS } from '../../test/typed-values.js';
import { wrappedValues } from '../../test/wrappings.js';
import { ValueRoutes } from '../../test/value-routes.js';

describe('a value is what DuckDB says, on every way out', () => {
  let routes: ValueRoutes;
  beforeAll(async () => {
    routes = await ValueRoutes.open();
  });
  afterAll(() => routes.close());

  const expectSame = (sql: string): Promise<void> => routes.expectSame(sql);

  it.each(SCALARS)('$type, alone and nested', async ({ type, values }) => {
    const rows = [...values, 'NULL'].map((value) => `(CAST(${value} AS ${type}))`).join(', ');
    const items = wrappedValues('v', type).map((value, index) => `${value} AS c${index}`);
    await expectSame(`SELECT ${items.join(', ')} FROM (VALUES ${rows}) AS t(v)`);
  });
});
