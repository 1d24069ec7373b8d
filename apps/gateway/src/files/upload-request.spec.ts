import { describe, expect, it } from '@jest/globals';
import { cleanFileName, cleanMediaType, describeFile, encodingOf } from './upload-request.js';

describe('what a request says about its file', () => {
  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'br', 'gzip, gzip'])(
    'is no encoding that is not in the list: %s',
    (encoding) => {
      expect(() => encodingOf(encoding)).toThrow(expect.objectContaining({ code: 'upload.encoding_unsupported' }));
    },
  );

  it('can be kept by the catalog, whatever it is', () => {
    expect(cleanFileName('../a\0\u0007b\ud800.csv')).toBe('ab\ufffd.csv');
    expect(cleanFileName(`${'x'.repeat(254)}😀`)).toBe(`${'x'.repeat(254)}\ufffd`);
    expect(cleanFileName('\0')).toBeNull();
    expect(cleanMediaType('text/\0csv')).toBe('text/csv');
    expect(cleanMediaType(' ')).toBe('application/octet-stream');
    expect(describeFile({ 'content-disposition': `a; filename*=UTF-8''a%00b.csv` }).fileName).toBe('ab.csv');
  });
});
