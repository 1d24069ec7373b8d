import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecordExtractor } from './record-extractor.js';

async function extract(text: string, keys: string[], { pieceBytes = 1_000, isCut = false } = {}): Promise<string> {
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
    bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  );
  const found: Buffer[] = [];
  await pipeline(Readable.from(pieces), new RecordExtractor({ keys, path: keys.join('.'), isCut }), async (source) => {
    for await (const piece of source) found.push(piece as Buffer);
  });
  return Buffer.concat(found).toString();
}

describe('RecordExtractor', () => {
  it.each<[string, string, string[], unknown[]]>([
    ['a list', '{"meta":{"items":[9]},"items":[{"a":1},{"a":[2]}],"n":1}', ['items'], [{ a: 1 }, { a: [2] }]],
    ['a list far below', '{"a":{"b":{"c":[1,2]},"c":[3]},"b":{"c":[4]}}', ['a', 'b', 'c'], [1, 2]],
    ['an object', '{"a":{"b":{"x":{"y":1}}}}', ['a', 'b'], [{ x: { y: 1 } }]],
    ['lists of several values', '{"r":[1,2]}\n{"r":[]}\n{"r":null}\n{"x":0}\n{"r":[3]}', ['r'], [1, 2, 3]],
    ['objects of several values', '{"r":{"a":1}} {"r":{"a":2}}', ['r'], [{ a: 1 }, { a: 2 }]],
    ['values of each kind', '{"r":[1,"x]",null,true,[2,[3]],{"r":[4]},-1.5e3]}', ['r'], [1, 'x]', null, true, [2, [3]], { r: [4] }, -1500]], // prettier-ignore
    ['keys with escapes', '{"\\u0072\\n":[1]}', ['r\n'], [1]],
    ['keys beyond ASCII', '{"größe":[1]}', ['größe'], [1]],
    ['brackets and quotes in texts', '{"x":"{\\"r\\":[0]}","r":["\\"}]"]}', ['r'], ['"}]']],
    ['a key within records', '{"r":[{"r":[1]},{"r":[2]}]}', ['r'], [{ r: [1] }, { r: [2] }]],
    ['a value on the way that is none', '{"a":[{"b":[1]}],"a":5,"a":{"b":[2]}}', ['a', 'b'], [2]],
    ['spaces everywhere', ' { "a" : { "b" :\n [ 1 , { "c" : 2 } ] } } ', ['a', 'b'], [1, { c: 2 }]],
  ])('gives the records of %s', async (_, text, keys, records) => {
    for (const pieceBytes of [1_000, 1, 3]) {
      const found = await extract(text, keys, { pieceBytes });
      expect(JSON.parse(found)).toEqual(records);
    }
  });

  it('gives what stands at the path of any document, and nothing else', async () => {
    const keys = ['a', 'b'];
    const key = fc.constantFrom('a', 'b', 'c', '"', 'a.b', 'é');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, -1.5e-3, '', 'a', '"]}{[,:\\', 'é\n'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    const target = fc.array(value, { minLength: 1, maxLength: 4 });
    const document = fc.tuple(fc.dictionary(key, value), fc.dictionary(key, value), target, fc.constantFrom(0, 1));
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 50 }),
        async (documents, pieceBytes) => {
          const texts = documents.map(([outer, inner, records, indent]) =>
            JSON.stringify({ ...outer, a: { ...inner, b: records } }, undefined, indent),
          );
          const found = await extract(texts.join('\n'), keys, { pieceBytes });
          expect(JSON.parse(found)).toEqual(documents.flatMap(([, , records]) => records));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('leaves records in their lines', async () => {
    const text = '{\r\n "a": 1,\n "r": [\n  {"x":\n 1},\n\n  {"x": 2}\n ]\n}\n';
    const found = (await extract(text, ['r'])).split('\n').map((line) => line.trim());
    expect(found).toEqual(['', '', '', '[{"x":', '1},', '', '{"x": 2}', '', '', ']']);
  });

  it.each([
    ['nothing', '{"a":[1]}', 'conversion.failed'],
    ['nothing on the way', '{"r":{"b":[1]}}', 'conversion.failed'],
    ['a number', '{"r":{"a":5}}', 'conversion.failed'],
    ['a text', '{"r":{"a":"x"}}', 'conversion.failed'],
    ['an empty list', '{"r":{"a":[]}}', 'conversion.no_rows'],
    ['null', '{"r":{"a":null}}', 'conversion.no_rows'],
    ['a list that is cut', '{"r":{"a":[1,2', 'conversion.failed'],
    ['a list in an object that is cut', '{"r":{"a":[1,2]', 'conversion.failed'],
  ])('refuses %s', async (_, text, code) => {
    await expect(extract(text, ['r', 'a'])).rejects.toMatchObject({ code });
  });

  it('gives as many as there are of a beginning', async () => {
    expect((await extract('{"r":[{"a":1},{"a":2', ['r'], { isCut: true })).trim()).toBe('[{"a":1},{"a":2');
  });
});
