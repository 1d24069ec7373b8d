import { afterAll, beforeAll, describe, it } from '@jest/globals';
import fc from 'fast-check';
import { randomTable } from '../../test/random-table.js';
import { ValueRoutes } from '../../test/value-routes.js';

/** Always the same tables, so that a change is what fails. To look for more: `VALUE_RUNS=5000 VALUE_SEED=$RANDOM`. */
const RUNS = Number(process.env['VALUE_RUNS'] ?? 40);
const SEED = Number(process.env['VALUE_SEED'] ?? 1);
const CASE_MS = 5_000;

describe('any value of any type', () => {
  let routes: ValueRoutes;
  beforeAll(async () => {
    routes = await ValueRoutes.open();
  });
  afterAll(() => routes.close());

  it(
    'is what DuckDB says, on every way out',
    async () => {
      await fc.assert(
        fc.asyncProperty(randomTable(), (sql) => routes.expectSame(sql)),
        { numRuns: RUNS, seed: SEED },
      );
    },
    RUNS * CASE_MS,
  );
});
