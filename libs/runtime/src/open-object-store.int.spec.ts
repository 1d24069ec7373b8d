import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseEnvironment } from '@millrace/config';
import { createTenant, createUpload, openCatalog, startS3, type TestCatalog, type TestS3 } from '@millrace/testing';
import { openObjectStore, type OpenedStore } from './open-object-store.js';

const KEY_VARIABLES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;

describe('a bucket', () => {
  const before = KEY_VARIABLES.map((name) => process.env[name]);
  let s3: TestS3;
  let opened: TestCatalog;

  beforeEach(async () => {
    [s3, opened] = await Promise.all([startS3(), openCatalog()]);
    const { accessKeyId, secretAccessKey } = s3.credentials;
    [process.env['AWS_ACCESS_KEY_ID'], process.env['AWS_SECRET_ACCESS_KEY']] = [accessKeyId, secretAccessKey];
  });
  afterEach(() => Promise.all([s3.stop(), opened.stop()]));
  afterAll(() => {
    for (const [index, name] of KEY_VARIABLES.entries()) {
      if (before[index] === undefined) delete process.env[name];
      else process.env[name] = before[index];
    }
  });

  const open = (): Promise<OpenedStore> =>
    openObjectStore(
      parseEnvironment({
        S3_BUCKET: s3.bucket,
        S3_ENDPOINT: s3.endpoint,
        S3_REGION: s3.region,
        S3_FORCE_PATH_STYLE: 'true',
      }),
      opened.catalog.blobs,
    );
  const putOneUpload = async (): Promise<void> => {
    const { admin } = await createTenant(opened.catalog);
    await createUpload(opened.catalog, admin.principal);
  };

  it('that is new is a store from then on, whatever the catalog knows', async () => {
    await (await open()).close();
    await putOneUpload();
    const { store, close } = await open();
    await expect(store.ping()).resolves.toBeUndefined();
    await close();
  });

  it('that no Millrace has used is refused while the catalog knows of files: it is another one', async () => {
    await putOneUpload();
    await expect(open()).rejects.toThrow(
      new RegExp(`bucket ${s3.bucket} is no object store.*the catalog knows of files`),
    );
  });
});
