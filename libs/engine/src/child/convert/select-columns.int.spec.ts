import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConvertFixture } from '../../../test/convert-fixture.js';

describe('the option select', () => {
  let fixture: ConvertFixture;
  let parquet: Buffer;
  beforeAll(async () => {
    fixture = await ConvertFixture.open();
    const sql = "SELECT i AS id, 'x' || i AS name, {'a': i} AS s FROM range(1, 3) t(i)";
    parquet = await readFile((await fixture.base.query(sql)).filePath);
  });
  afterAll(() => fixture.close());

  it.each<[string, () => string | Uint8Array]>([
    ['CSV', () => 'id,name,s\n1,x1,2020-01-01\n2,x2,2020-01-01\n'],
    ['JSON', () => '{"id":1,"name":"x1","s":[1]}\n{"id":2,"name":"x2"}\n'],
    ['Parquet', () => parquet],
  ])('keeps columns in the order in which they are named: %s', async (_, make) => {
    const options = { select: ['NAME', 'id'] };
    const result = await fixture.convert(make(), { options, columns: { id: { type: 'HUGEINT' } } });
    expect(result.columns.map(({ name, type }) => `${name} ${type}`)).toEqual(['name VARCHAR', 'id HUGEINT']);
    expect(await fixture.rowsOf(result)).toEqual([['x1', 1], ['x2', 2]]); // prettier-ignore
  });

  it.each([
    ['that is not there', ['id', 'nope'], {}, 'conversion.column_unknown'],
    ['twice', ['id', 'ID'], {}, 'request.invalid'],
    ['without one that is pinned', ['id'], { name: { type: 'VARCHAR' } }, 'request.invalid'],
  ])('refuses a column %s', async (_, select, columns, code) => {
    for (const bytes of ['id,name\n1,x\n', parquet]) {
      await expect(fixture.convert(bytes, { options: { select }, columns })).rejects.toMatchObject({ code });
    }
  });

  it('is no wish for what the file has beside it: a bad value there is refused all the same', async () => {
    const refused = fixture.convert('id,n\n1,2\nx\n', { format: 'csv', options: { select: ['id'] } });
    await expect(refused).rejects.toMatchObject({ code: 'conversion.failed', errors: [{ line: 3 }] });
  });
});
