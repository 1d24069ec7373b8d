import { afterAll, beforeAll, describe, it } from '@jest/globals';
import fc from 'fast-check';
import { randomTable } from '../../test/random-table.js';
import { ValueRoutes } from '../../test/value-routes.js';

/** A run takes about 80 ms. What fails is printed with the seed that makes it again. */
const RUNS = 60;

describe('any value of any type', () => {
  let routes: ValueRoutes;
  beforeAll(async () => {
    routes = await ValueRoutes.open();
  });
  afterAll(() => routes.close());

  it('is what DuckDB says, on every way out', async () => {
    await fc.assert(
      fc.asyncProperty(randomTable(), (sql) => routes.expectSame(sql)),
      { numRuns: RUNS },
    );
  });
});
