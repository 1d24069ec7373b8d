import { beforeAll, describe, expect, it } from '@jest/globals';
import { parquetOf } from '../../test/parquet-files.js';
import { parseFooter } from './parquet-footer.js';

let files: Buffer[];

beforeAll(async () => {
  files = await parquetOf([
    'SELECT 1 AS one',
    `SELECT range AS id, {'a': range, 'b': [range::VARCHAR, NULL]} AS nested, range % 2 = 0 AS flag FROM range(300000)`,
    'SELECT 1 AS nothing WHERE false',
  ]);
});

const footerOf = (file: Buffer): Buffer => file.subarray(file.length - 8 - file.readUInt32LE(file.length - 8), -8);

describe('parseFooter', () => {
  it('reads what DuckDB writes', () => {
    const [one, nested, nothing] = files.map((file) => parseFooter(footerOf(file)));
    expect(one).toMatchObject({ rowCount: 1, columnCount: 1, rowGroupCount: 1 });
    expect(nested).toMatchObject({ rowCount: 300_000, columnCount: 3, rowGroupCount: 3 });
    expect(nothing).toMatchObject({ rowCount: 0, columnCount: 1 });
  });

  it('adds the sizes of all chunks up: with the footer they are about the file', () => {
    const [, file = Buffer.alloc(0)] = files;
    const { compressedBytes, uncompressedBytes } = parseFooter(footerOf(file));
    expect(compressedBytes).toBeGreaterThan(file.length / 2);
    expect(compressedBytes + footerOf(file).length).toBeLessThan(file.length);
    expect(uncompressedBytes).toBeGreaterThan(compressedBytes);
  });

  it('refuses every footer that ends too early', () => {
    const footer = footerOf(files[1] ?? Buffer.alloc(0));
    for (let length = 0; length < footer.length - 1; length += 1) {
      expect(() => parseFooter(footer.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'result.corrupt' }),
      );
    }
  });
});
