import { writeFile } from 'node:fs/promises';
import { generateApiKey, hashApiKey } from '@millrace/auth';
import type { Catalog } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import { SCOPES } from '@millrace/domain';

type Settings = Pick<Environment, 'BOOTSTRAP_API_KEY' | 'CREDENTIALS_FILE' | 'PUBLIC_URL'>;

/**
 * Sees to it that somebody can begin: the key that the settings name belongs to the first admin, or, where they name none
 * and there is no tenant yet, a new key is made.
 *
 * @returns the new key; undefined when none was made
 * @throws DomainError `service.unavailable`; Error of the system when the file can not be written: then no key was made
 */
export async function provisionFirstKey(catalog: Catalog, settings: Settings): Promise<string | undefined> {
  const { BOOTSTRAP_API_KEY: given, CREDENTIALS_FILE: file, PUBLIC_URL: url } = settings;
  if (given !== undefined) {
    await ensureKey(catalog, given);
    return undefined;
  }
  if (await catalog.tenants.findFirstAdmin()) return undefined;
  const key = generateApiKey();
  // The file first: a key that nobody knows would keep the next try from making one.
  if (file !== undefined) {
    const credentials = { ...(url !== undefined && { url }), api_key: key };
    await writeFile(file, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  }
  await ensureKey(catalog, key);
  return key;
}

/** A key that was revoked stays so. */
async function ensureKey(catalog: Catalog, key: string): Promise<void> {
  const { tenantId, id: userId } = await catalog.tenants.ensureFirstAdmin();
  await catalog.keys.ensure({ tenantId, userId, keyHash: hashApiKey(key), scopes: SCOPES });
}
