import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { s3Error } from './s3-error.js';

const context = { action: 's3:GetObject', bucket: 'b', host: 'store:9000' };

describe('s3Error', () => {
  it.each([
    [{ name: 'XMinioStorageFull' }, 'storage.full', 'is full'],
    [{ name: 'Unknown', $metadata: { httpStatusCode: 507 } }, 'storage.full', 'is full'],
    [{ name: 'NoSuchBucket' }, 'storage.unavailable', 'There is no bucket "b".'],
    [
      { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } },
      'storage.unavailable',
      's3:GetObject on the bucket "b"',
    ],
    [{ name: 'ExpiredToken' }, 'storage.unavailable', 'not valid (ExpiredToken)'],
    [{ name: 'CredentialsProviderError' }, 'storage.unavailable', 'There are no credentials'],
    [{ name: 'PermanentRedirect' }, 'storage.unavailable', 'another one. Set S3_REGION'],
    [{ name: 'AuthorizationHeaderMalformed', Region: 'eu' }, 'storage.unavailable', 'is "eu". Set S3_REGION'],
    [{ name: 'RequestTimeTooSkewed', $metadata: { httpStatusCode: 403 } }, 'storage.unavailable', 'clock'],
    [{ name: 'Error', code: 'ECONNREFUSED' }, 'storage.unavailable', 'at store:9000 can not be reached (ECONNREFUSED)'],
    [{ name: 'TimeoutError' }, 'storage.unavailable', 'at store:9000 did not answer in time'],
    [{ name: 'SlowDown', $metadata: { httpStatusCode: 503 } }, 'storage.unavailable', '(503 SlowDown)'],
    [new Error('Region is missing'), 'storage.unavailable', 'can not be asked: Region is missing.'],
    ['thrown text', 'storage.unavailable', 'does not answer as it should'],
  ])('%j is %s: %s', (cause, code, text) => {
    const error = s3Error(cause, context);
    expect(error).toMatchObject({ code, cause });
    expect(error.message).toContain(text);
  });

  it('passes a DomainError on', () => {
    const error = new DomainError('upload.too_large', 'Too large.');
    expect(s3Error(error, context)).toBe(error);
  });
});
