import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PoolFixture } from '../../test/pool-fixture.js';

describe('parameters with types', () => {
  let fixture: PoolFixture;

  beforeAll(async () => {
    fixture = await PoolFixture.open();
  });
  afterAll(() => fixture.close());

  it('are values of them, others stay what they are', async () => {
    const rows = await fixture.rows('SELECT typeof($a), $a + INTERVAL 1 DAY, typeof($b)', {
      params: { a: '2020-02-28', b: 1 },
      paramTypes: { a: 'DATE' },
    });
    expect(rows).toEqual([['DATE', '2020-02-29T00:00:00', 'INTEGER']]);
  });

  it.each([
    ['2020-02-30', 'DATE'],
    [0.5, 'UBIGINT'],
    ['1e3', 'INTEGER'],
    ['12345', 'DECIMAL(4,2)'],
  ])('are refused when %j is no %s', async (value, type) => {
    await expect(fixture.rows('SELECT $a', { params: { a: value }, paramTypes: { a: type } })).rejects.toMatchObject({
      code: 'params.invalid',
      message: `The parameter $a is no ${type}: ${JSON.stringify(value)}.`,
    });
  });

  it('take no SQL for a type', async () => {
    const paramTypes = { a: 'DATE) + (SELECT 1' };
    await expect(fixture.rows('SELECT $a', { params: { a: 'x' }, paramTypes })).rejects.toMatchObject({
      code: 'internal',
    });
  });
});
