import { describe, expect, it } from '@jest/globals';
import { DomainError, toDomainError } from './domain-error.js';

describe('DomainError', () => {
  it('survives as a record, without what Postgres can not keep', () => {
    const places = [{ message: 'bad \0 value', text: 'half \ud83d', line: 3 }];
    const record = new DomainError('conversion.failed', 'NUL \0 here', { errors: places }).toRecord();
    expect(record).toEqual({
      code: 'conversion.failed',
      detail: 'NUL \ufffd here',
      errors: [{ message: 'bad \ufffd value', text: 'half \ufffd', line: 3 }],
    });
    expect(DomainError.fromRecord(record).toRecord()).toEqual(record);
  });

  it('says whether to try again by its code', () => {
    expect(new DomainError('storage.unavailable', 'away').retryable).toBe(true);
    expect(new DomainError('conversion.failed', 'bad').retryable).toBe(false);
  });

  it('hides what nobody expected, and keeps it as the cause', () => {
    const cause = new Error('a secret');
    const error = toDomainError(cause);
    expect(error).toMatchObject({ code: 'internal', cause });
    expect(error.message).not.toContain('secret');
    expect(toDomainError(error)).toBe(error);
  });
});
