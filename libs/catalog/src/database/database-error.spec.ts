import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { fromDatabaseError } from './database-error.js';

const fault = (properties: object) => Object.assign(new Error('something'), properties);

describe('errors of the database', () => {
  it.each([
    ...['ECONNREFUSED', 'ECONNRESET', '57P01', '57P03', '53300', '08006', '57014', '40P01', '55P03'].map((code) =>
      fault({ code }),
    ),
    fault({ driverError: fault({ code: '57P01' }) }),
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
  ])('are service.unavailable when it may answer later: %#', (error) => {
    expect(fromDatabaseError(error)).toMatchObject({ code: 'service.unavailable', retryable: true, cause: error });
  });

  it.each([
    fault({ code: '22021' }),
    fault({ driverError: fault({ code: '22P05' }) }),
    fault({ code: '22P02', message: 'invalid input syntax for type json' }),
  ])('are request.invalid when a text can not be kept: %#', (error) => {
    expect(fromDatabaseError(error)).toMatchObject({ code: 'request.invalid', retryable: false, cause: error });
  });

  it('are conflicts by the name of the constraint', () => {
    const taken = fault({ driverError: fault({ code: '23505', constraint: 'datasets_table_name' }) });
    expect(fromDatabaseError(taken)).toMatchObject({ code: 'table_name.taken' });
  });

  it('stay what they are when they are nothing of the kind', () => {
    const broken = fault({ code: '42601' });
    const literal = fault({ code: '22P02', message: 'invalid input syntax for type uuid' });
    const other = fault({ code: '23505', constraint: 'users_pkey' });
    const known = new DomainError('upload.unknown', 'no');
    expect([broken, literal, other, known, 'text', undefined].map(fromDatabaseError)).toEqual([
      broken,
      literal,
      other,
      known,
      'text',
      undefined,
    ]);
  });
});
