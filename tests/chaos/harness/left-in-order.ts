import { expect, it } from '@jest/globals';
import { compareStoreWithCatalog } from '../../e2e/harness/compare-store-with-catalog.js';
import type { Fleet } from '../../e2e/harness/fleet/fleet.js';

/** The last test of a suite, about everything that the others have left. */
export function itLeftStoreAndCatalogInOrder(fleet: () => Fleet): void {
  it('left no file without a row, and no row without its file', async () => {
    const { databaseUrl, store } = fleet();
    expect(await compareStoreWithCatalog({ databaseUrl, objects: store })).toEqual([]);
  });
}
