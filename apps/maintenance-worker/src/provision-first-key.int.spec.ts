import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { generateApiKey, hashApiKey } from '@millrace/auth';
import { openCatalog, type TestCatalog } from '@millrace/testing';
import { provisionFirstKey } from './provision-first-key.js';

const NOTHING = { BOOTSTRAP_API_KEY: undefined, CREDENTIALS_FILE: undefined, PUBLIC_URL: undefined };

describe('provisionFirstKey', () => {
  let opened: TestCatalog;
  let folder: string;

  beforeEach(async () => {
    opened = await openCatalog();
    folder = await mkdtemp(join(tmpdir(), 'millrace-key-'));
  });
  afterEach(async () => {
    await opened.stop();
    await rm(folder, { recursive: true });
  });

  const principalOf = (key: string) => opened.catalog.keys.findPrincipal(hashApiKey(key));

  it('makes a tenant and a key once', async () => {
    const key = await provisionFirstKey(opened.catalog, NOTHING);
    expect(await principalOf(key ?? '')).toMatchObject({ role: 'admin' });
    expect(await provisionFirstKey(opened.catalog, NOTHING)).toBeUndefined();
  });

  it('keeps the key in a file that nobody else may read', async () => {
    const file = join(folder, 'credentials.json');
    const settings = { ...NOTHING, CREDENTIALS_FILE: file, PUBLIC_URL: 'http://localhost:8080' };
    const api_key = await provisionFirstKey(opened.catalog, settings);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ url: 'http://localhost:8080', api_key });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('makes no key that nobody would know, when the file can not be written', async () => {
    const settings = { ...NOTHING, CREDENTIALS_FILE: join(folder, 'not', 'there.json') };
    await expect(provisionFirstKey(opened.catalog, settings)).rejects.toThrow('ENOENT');
    expect(await opened.catalog.tenants.findFirstAdmin()).toBeUndefined();
  });

  it('takes the key that it is given, however many see to it at once, and not again once it was revoked', async () => {
    const key = generateApiKey();
    const settings = { ...NOTHING, BOOTSTRAP_API_KEY: key };
    await Promise.all([1, 2, 3].map(() => provisionFirstKey(opened.catalog, settings)));
    const principal = await principalOf(key);
    expect(principal).toMatchObject({ role: 'admin' });
    if (principal) await opened.catalog.keys.revoke(principal.tenantId, principal.apiKeyId);
    await provisionFirstKey(opened.catalog, settings);
    expect(await principalOf(key)).toBeUndefined();
  });
});
