import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { storageError } from './storage-error.js';

describe('storageError', () => {
  it.each([
    ['ENOSPC', 'storage.full'],
    ['EDQUOT', 'storage.full'],
    ['EFBIG', 'storage.full'],
    ['ENOENT', 'storage.object_missing'],
    ['EIO', 'storage.unavailable'],
    ['EMFILE', 'storage.unavailable'],
  ])('%s is %s', (code, expected) => {
    const error = Object.assign(new Error(`${code}: /secret/path`), { code });
    expect(storageError(error)).toMatchObject({ code: expected, cause: error });
    expect(storageError(error).message).not.toContain('secret');
  });

  it('passes a DomainError on', () => {
    const error = new DomainError('upload.too_large', 'Too large.');
    expect(storageError(error)).toBe(error);
  });
});
