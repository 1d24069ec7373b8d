import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { quoteNumbers } from './json-numbers.js';

describe('the numbers of a JSON text', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'json-numbers-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function quoted(text: string, ...names: string[]): Promise<string> {
    const [source, target] = [join(folder, 'source'), join(folder, 'target')];
    await writeFile(source, text);
    await quoteNumbers({ source, target, names: new Set(names), signal: new AbortController().signal });
    return readFile(target, 'utf8');
  }

  it.each([
    ['under its key', '{"a":1.50,"b":1.50}\n{"b":2,"a":-2e+3}', '{"a":"1.50","b":1.50}\n{"b":2,"a":"-2e+3"}'],
    ['behind white space', '[ { "a" :\n 1 } , {"a": 2\t}]', '[ { "a" :\n "1" } , {"a": "2"\t}]'],
    ['and nothing else', '{"a":"1","b":[1]}{"a":null}{"a":true}', '{"a":"1","b":[1]}{"a":null}{"a":true}'],
    ['not within values', '{"a":{"a":1},"b":{"a":1},"c":[{"a":1}]}', '{"a":{"a":1},"b":{"a":1},"c":[{"a":1}]}'],
    ['not in lists', '{"a":[1,2]}', '{"a":[1,2]}'],
    ['not in texts', '{"b":"\\"a\\":1","a":1}', '{"b":"\\"a\\":1","a":"1"}'],
    ['under a key that is escaped', '{"\\u0061":1}', '{"\\u0061":"1"}'],
    ['not behind a text of the same name', '{"b":"a","c":1,"a":1}', '{"b":"a","c":1,"a":"1"}'],
  ])('become texts %s', async (_, text, expected) => {
    expect(await quoted(text, 'a')).toBe(expected);
  });

  it('stay behind a key of a megabyte, of which no more is kept than a wanted key has', async () => {
    const long = 'a'.repeat(1_100_000);
    expect((await quoted(`{"${long}":1,"a":2}`, 'a')) === `{"${long}":1,"a":"2"}`).toBe(true);
  });

  it('become texts where they are the records', async () => {
    expect(await quoted('[1, 2.50,{"json":[3]}]', 'json')).toBe('["1", "2.50",{"json":[3]}]');
    expect(await quoted('1.0\n2', 'json')).toBe('"1.0"\n"2"');
  });

  it('become texts at the borders of what is read at once', async () => {
    const records = Array.from({ length: 200_000 }, (_, index) => `{"a":${index}.5,"b":${index}}`);
    const expected = records.map((record) => record.replace(/"a":([\d.]+)/, '"a":"$1"')).join('\n');
    expect((await quoted(records.join('\n'), 'a')) === expected).toBe(true);
  });
});
