import { describe, expect, it } from '@jest/globals';
import { ConfigError, parseEnvironment } from './environment.js';

describe('parseEnvironment', () => {
  it('gives defaults for everything that is absent or empty', () => {
    const environment = parseEnvironment({ PORT: '', LOG_LEVEL: undefined });
    expect(environment).toMatchObject({ PORT: 8080, LOG_LEVEL: 'info', DELETION_GRACE_MS: 60_000 });
    expect(environment.DATABASE_URL).toBeUndefined();
  });

  it('reads numbers', () => {
    expect(parseEnvironment({ PORT: '9000' }).PORT).toBe(9000);
  });

  it.each(['ab', 'Bucket', '-bucket', 'a_b', 'x'.repeat(64), 's3://bucket'])('refuses the bucket %j', (S3_BUCKET) => {
    expect(() => parseEnvironment({ S3_BUCKET })).toThrow('S3_BUCKET: Not the name of a bucket.');
  });

  it('names every variable that is wrong', () => {
    const parse = () => parseEnvironment({ PORT: 'eighty', LEASE_MS: '1', INTERNAL_SECRET: 'short' });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(/PORT: .*\n {2}INTERNAL_SECRET: .*\n {2}LEASE_MS: /);
  });

  it('ignores variables that are not ours', () => {
    expect(parseEnvironment({ HOME: '/root' })).not.toHaveProperty('HOME');
  });
});
