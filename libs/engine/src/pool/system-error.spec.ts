import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { toStagingError } from './system-error.js';

describe('an error while files are moved', () => {
  it.each([
    ['ENOSPC', 'storage.full'],
    ['EDQUOT', 'storage.full'],
    ['ENOENT', 'storage.object_missing'],
    ['EIO', 'storage.unavailable'],
    ['EMFILE', 'storage.unavailable'],
  ])('%s is %s', (code, expected) => {
    const cause = Object.assign(new Error(`${code}: on /secret/path`), { code });
    const error = toStagingError(cause);
    expect(error).toMatchObject({ code: expected, cause });
    expect((error as Error).message).not.toContain('/secret/path');
  });

  it('stays what it is when the system did not say it', () => {
    const domain = new DomainError('query.cancelled', 'It was cancelled.');
    expect(toStagingError(domain)).toBe(domain);
    const bug = new TypeError('x is not a function');
    expect(toStagingError(bug)).toBe(bug);
  });
});
