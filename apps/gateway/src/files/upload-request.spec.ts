import { describe, expect, it } from '@jest/globals';
import { cleanFileName, cleanMediaType, describeFile, encodingOf, expectedHashOf } from './upload-request.js';

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

  describe('of its digest', () => {
    const sha256 = `sha-256=:${'A'.repeat(43)}=:`;

    it.each([undefined, `${sha256}`, `sha-512=:AAAA:, ${sha256}`, `md5=:AA==:;q=1 , ${sha256};x`, 'sha-512=:AAAA:'])(
      'is read where it is one: %s',
      (header) => {
        expect(expectedHashOf(header)).toBe(header?.includes('sha-256') ? '00'.repeat(32) : undefined);
      },
    );

    it.each([
      'garbage',
      '',
      'sha-256',
      'sha-256=abc',
      'sha-256=:AAAA:',
      'sha-512=abc',
      `${sha256},`,
      `${sha256} x`,
      'a=:AA==:b',
    ])('is refused where it is none: %j', (header) => {
      expect(() => expectedHashOf(header)).toThrow(expect.objectContaining({ code: 'request.invalid' }));
    });
  });
});
