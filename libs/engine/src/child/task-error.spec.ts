import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { lastWords } from '../pool/last-words.js';
import { toTaskError } from './task-error.js';

describe('toTaskError', () => {
  let written = '';
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
  afterEach(() => {
    written = '';
  });

  it('writes names, codes and frames of an error of ours, and quotes nothing', () => {
    const cause = Object.assign(new RangeError('a secret'), { code: 'ERR_OUT_OF_RANGE' });
    const thrown = new Error("Parser Error: near 'a secret'\n  at a secret\nLINE 1: SELECT 'a secret'", { cause });
    const { error } = toTaskError(thrown, 'parse', []);
    expect(error).toEqual({ code: 'internal', detail: 'Something went wrong in an engine process.' });
    expect(written).toMatch(/^Error\n {4}at [^]*\nRangeError ERR_OUT_OF_RANGE\n {4}at /);
    expect(written).not.toContain('secret');
    expect(lastWords(written)).toBe(written.trimEnd());
  });

  it('writes nothing of a value that is no error', () => {
    toTaskError('a secret', 'query', []);
    expect(written.trim()).toBe('');
  });

  it('cuts texts that quote a line of a file', () => {
    const long = 'x'.repeat(10_000);
    const errors = Array.from({ length: 200 }, () => ({ message: long, text: long, line: 1 }));
    const { error } = toTaskError(new DomainError('conversion.failed', long, { errors }), 'convert', []);
    const cut = `${'x'.repeat(3_999)}…`;
    expect(error.detail).toBe(cut);
    expect(error.errors).toEqual(Array.from({ length: 100 }, () => ({ message: cut, text: cut, line: 1 })));
    expect(written).toBe('');
  });

  it('leaves the folders of the process out', () => {
    const error = new DomainError('sql.failed', 'No file /srv/inputs/a, nor /srv/inputs.');
    expect(toTaskError(error, 'query', ['/srv/inputs']).error.detail).toBe('No file a, nor .');
  });
});
