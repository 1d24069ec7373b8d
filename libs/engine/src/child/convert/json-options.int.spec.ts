import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConvertRequest, ConvertResult, JsonOptions } from '../../tasks/convert.task.js';
import { ConvertFixture } from '../../../test/convert-fixture.js';

describe('an option of JSON', () => {
  let fixture: ConvertFixture;
  beforeAll(async () => {
    fixture = await ConvertFixture.open();
  });
  afterAll(() => fixture.close());

  const json = (text: string, options: JsonOptions, columns?: ConvertRequest['columns']): Promise<ConvertResult> =>
    fixture.convert(text, { format: 'json', options, columns });
  const namesOf = ({ columns }: ConvertResult): string[] => columns.map(({ name, type }) => `${name} ${type}`);

  describe('json_layout', () => {
    it.each<[string, JsonOptions, unknown[][]]>([
      ['[1,2]\n', {}, [[1], [2]]],
      ['[1,2]\n', { json_layout: 'auto' }, [[1], [2]]],
      ['[1,2]\n', { json_layout: 'array' }, [[1], [2]]],
      ['[1,2]\n', { json_layout: 'lines' }, [[[1, 2]]]],
      ['[1,2]\n[3]\n', { json_layout: 'lines' }, [[[1, 2]], [[3]]]],
      ['{"a":1}\n\n{"a":2}', { json_layout: 'lines' }, [[1], [2]]],
      ['\ufeff[1,2]\n[3]\n', { json_layout: 'lines' }, [[[1, 2]], [[3]]]],
      ['\ufeff[1,2]\n', { json_layout: 'array' }, [[1], [2]]],
    ])('%j with %j', async (text, options, rows) => {
      expect(await fixture.rowsOf(await json(text, options))).toEqual(rows);
    });

    it.each<[string, JsonOptions, number | undefined]>([
      ['{"a":1}\n{"a":2}\n', { json_layout: 'array' }, undefined],
      ['{"a":1}\n{"a":\n2}\n', { json_layout: 'lines' }, 2],
      ['[{"a":1},\n{"a":2}]\n', { json_layout: 'lines' }, 1],
    ])('refuses %j with %j', async (text, options, line) => {
      const error: unknown = await json(text, options).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'conversion.failed' });
      if (line !== undefined) expect(error).toMatchObject({ errors: [{ line }] });
      expect(String(error)).not.toMatch(/format=|auto-detect/);
    });

    it('keeps a late key of many lines', async () => {
      const text = `${'{"a":1}\n'.repeat(60_000)}{"a":2,"z":9}\n`;
      expect(namesOf(await json(text, { json_layout: 'lines' }))).toEqual(['a BIGINT', 'z BIGINT']);
    });
  });

  describe('records_path', () => {
    const page =
      '{"meta":{"count":2,"items":[0]},\n"data":{"items":[\n{"a":1,"b":"2020-01-02"},\n{"a":2,"b":null}\n]}}\n';

    it.each(['data.items', '$.data.items', '/data/items'])('finds the records at %s', async (records_path) => {
      const result = await json(page, { records_path });
      expect(namesOf(result)).toEqual(['a BIGINT', 'b DATE']);
      expect(await fixture.rowsOf(result)).toEqual([[1, '2020-01-02'], [2, null]]); // prettier-ignore
    });

    it('finds those of every page, and keys with dots and slashes', async () => {
      const pages = '{"a.b":{"c/d":[{"x":1}]}}\n{"a.b":{"c/d":[]}}\n{"a.b":{"c/d":[{"x":2},{"x":3}]}}\n';
      expect(await fixture.rowsOf(await json(pages, { records_path: '/a.b/c~1d' }))).toEqual([[1], [2], [3]]);
    });

    it('pins types, and tells the lines of the file', async () => {
      const options = { records_path: 'data.items' };
      const pinned = await json(page, options, { a: { type: 'DECIMAL(9,2)' } });
      expect(namesOf(pinned)).toEqual(['a DECIMAL(9,2)', 'b DATE']);
      const misfit = json(page.replace('2,"b":null', '"x"'), options, { a: { type: 'INTEGER' } });
      await expect(misfit).rejects.toMatchObject({ errors: [{ line: 4, column_name: 'a', text: 'x' }] });
      const malformed = json(page.replace('"a":2', 'a:2'), options);
      await expect(malformed).rejects.toMatchObject({ code: 'conversion.failed', errors: [{ line: 4 }] });
    });

    it.each<[string, string, string]>([
      ['nothing there', 'nope', 'conversion.failed'],
      ['a text there', 'meta.count', 'conversion.failed'],
      ['no path', '', 'request.invalid'],
      ['a path of nothing', '$', 'request.invalid'],
      ['a path with a gap', 'a..b', 'request.invalid'],
    ])('refuses %s', async (_, records_path, code) => {
      await expect(json(page, { records_path })).rejects.toMatchObject({ code });
    });

    it('refuses a file that is cut behind its records', async () => {
      await expect(json('{"r":[{"a":1}]', { records_path: 'r' })).rejects.toMatchObject({ code: 'conversion.failed' });
    });
  });

  describe('depth_max', () => {
    const text = '{"a":1,"b":{"c":[1,{"d":2}],"e":"x"},"l":[[1],[2]]}\n';
    it.each([
      [0, ['a BIGINT', 'b JSON', 'l JSON']],
      [1, ['a BIGINT', 'b STRUCT(c JSON, e VARCHAR)', 'l JSON[]']],
      [2, ['a BIGINT', 'b STRUCT(c JSON[], e VARCHAR)', 'l BIGINT[][]']],
    ])('of %i keeps the rest as JSON', async (depth_max, columns) => {
      const result = await json(text, { depth_max });
      expect(namesOf(result)).toEqual(columns);
      if (depth_max === 0) {
        expect(await fixture.rowsOf(result)).toEqual([[1, '{"c":[1,{"d":2}],"e":"x"}', '[[1],[2]]']]);
      }
    });

    it('is the same for many lines', async () => {
      const result = await json(text.repeat(30_000), { depth_max: 0 });
      expect(namesOf(result)).toEqual(['a BIGINT', 'b JSON', 'l JSON']);
    });
  });

  describe('nested', () => {
    it('makes columns of objects in objects', async () => {
      const text =
        '{"id":1,"at":{"city":"Bern","geo":{"x":1.5,"tags":["a"]}}}\n{"id":2,"at":null}\n{"id":3,"at":{"geo":{"x":2}}}\n';
      const result = await json(text, { nested: 'flatten' });
      expect(namesOf(result)).toEqual(['id BIGINT', 'at_city VARCHAR', 'at_geo_x DOUBLE', 'at_geo_tags VARCHAR[]']);
      expect(await fixture.rowsOf(result)).toEqual([[1, 'Bern', 1.5, ['a']], [2, null, null, null], [3, null, 2, null]]); // prettier-ignore
      expect(namesOf(await json(text, { nested: 'nested' }))).toHaveLength(2);
    });

    it('is the same for many lines', async () => {
      const result = await json('{"a":{"b":1,"c":{"d":"x"}}}\n'.repeat(60_000), { nested: 'flatten' });
      expect(namesOf(result)).toEqual(['a_b BIGINT', 'a_c_d VARCHAR']);
    });

    it('pins columns of objects and others, and refuses a value that would change', async () => {
      const text = '{"a":{"b":1,"c":"7"},"d":2}\n{"a":{"b":2.5,"c":"8"},"d":3}\n';
      const options = { nested: 'flatten' } as const;
      const pins = { a_b: { type: 'DECIMAL(9,2)' }, A_C: { type: 'INTEGER' }, d: { type: 'VARCHAR' } };
      const result = await json(text, options, pins);
      expect(namesOf(result)).toEqual(['a_b DECIMAL(9,2)', 'a_c INTEGER', 'd VARCHAR']);
      expect(await fixture.rowsOf(result)).toEqual([[1, 7, '2'], [2.5, 8, '3']]); // prettier-ignore
      await expect(json(text, options, { a_b: { type: 'INTEGER' } })).rejects.toMatchObject({
        code: 'conversion.failed',
        errors: [{ column_name: 'a_b', text: '2.5' }],
      });
      await expect(json(text, options, { a: { type: 'JSON' } })).rejects.toMatchObject({
        code: 'conversion.column_unknown',
      });
    });

    it('gives names that are taken a number, and says so', async () => {
      const result = await json('{"a_b":1,"a":{"b":2}}\n', { nested: 'flatten' });
      expect(namesOf(result)).toEqual(['a_b BIGINT', 'a_b_1 BIGINT']);
      expect(result.warnings).toEqual([expect.stringContaining('"a_b_1"')]);
    });
  });

  it('is for JSON only', async () => {
    for (const options of [
      { json_layout: 'lines' },
      { records_path: 'a' },
      { depth_max: 1 },
      { nested: 'flatten' },
    ] as const) {
      await expect(fixture.convert('a\n1\n', { format: 'csv', options })).rejects.toMatchObject({
        code: 'request.invalid',
        message: `The option "${Object.keys(options)[0]}" is for JSON; the file is CSV.`,
      });
    }
  });
});
