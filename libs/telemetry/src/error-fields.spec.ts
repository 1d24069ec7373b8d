import { describe, expect, it } from '@jest/globals';
import { errorFields } from './error-fields.js';

describe('an error for the log', () => {
  it('says what failed and where, and quotes nothing', () => {
    const cause = Object.assign(new Error("near 'a secret'"), { code: '22P02', parameters: ['a secret'] });
    const fields = errorFields(Object.assign(new TypeError('a secret', { cause }), { code: 'service.unavailable' }));
    expect(fields.errors).toMatchObject([
      { name: 'TypeError', code: 'service.unavailable', frames: expect.arrayContaining([expect.any(String)]) },
      { name: 'Error', code: '22P02' },
    ]);
    expect(JSON.stringify(fields)).not.toContain('a secret');
    expect(errorFields('no error')).toEqual({ errors: [] });
  });

  it('takes no line of a message for a frame', () => {
    const [fields] = errorFields(new Error('near\n  at a secret\n    at secret (file:///secret:1:2)\n')).errors;
    expect(fields?.frames[0]).toContain('error-fields.spec');
    expect(JSON.stringify(fields)).not.toContain('secret');
  });
});
