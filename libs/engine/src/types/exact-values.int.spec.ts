import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { SCALARS, valuesOf } from '../../test/typed-values.js';
import { wrappedOnce, wrappedValues } from '../../test/wrappings.js';
import { ValueRoutes } from '../../test/value-routes.js';

describe('a value is what DuckDB says, on every way out', () => {
  let routes: ValueRoutes;
  beforeAll(async () => {
    routes = await ValueRoutes.open();
  });
  afterAll(() => routes.close());

  const expectKept = (sql: string): Promise<void> => routes.expectKept(sql);
  const expectFormats = (sql: string): Promise<void> => routes.expectFormats(sql);

  it.each(SCALARS)('$type, alone and nested', async (typed) => {
    const items = wrappedValues('v', typed.type).map((value, index) => `${value} AS c${index}`);
    await expectKept(`SELECT ${items.join(', ')} FROM ${valuesOf(typed)} AS t(v)`);
  });

  it('every type, alone and nested, as text', async () => {
    const tables = SCALARS.map((typed, place) => `${valuesOf(typed)} AS t${place}(v${place})`);
    const items = SCALARS.flatMap(({ type }, place) => wrappedOnce(`v${place}`, type));
    const columns = items.map((value, index) => `${value} AS c${index}`);
    await expectFormats(`SELECT ${columns.join(', ')} FROM ${tables.join(' POSITIONAL JOIN ')}`);
  });
});
