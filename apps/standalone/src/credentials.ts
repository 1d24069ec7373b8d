import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateApiKey, hashApiKey } from '@millrace/auth';
import type { Catalog } from '@millrace/catalog';
import { SCOPES } from '@millrace/domain';
import { z } from 'zod';

const credentialsSchema = z.object({ url: z.string(), api_key: z.string() });

/** What `credentials.json` holds: enough to call the API. */
export type Credentials = z.infer<typeof credentialsSchema>;

export interface IssuedCredentials extends Credentials {
  /** Whether the key was made just now. */
  readonly isNew: boolean;
}

/**
 * The admin key of the data folder, with the address of this start. The first start makes a tenant with an admin and a
 * key; later ones find the file again. When it was lost, or its key was revoked, a new key for the same admin is made.
 */
export async function ensureCredentials(catalog: Catalog, dataFolder: string, url: string): Promise<IssuedCredentials> {
  const path = join(dataFolder, 'credentials.json');
  const found = await readCredentials(path);
  const works = found && (await catalog.keys.findPrincipal(hashApiKey(found.api_key)));
  const apiKey = works ? found.api_key : await issueAdminKey(catalog);
  const credentials = { url, api_key: apiKey };
  // Written aside and renamed, so that a reader never sees half of it.
  await writeFile(`${path}.new`, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return { ...credentials, isNew: !works };
}

async function readCredentials(path: string): Promise<Credentials | undefined> {
  try {
    return credentialsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

async function issueAdminKey(catalog: Catalog): Promise<string> {
  const admin = await catalog.tenants.ensureFirstAdmin();
  const key = generateApiKey();
  await catalog.keys.create({ tenantId: admin.tenantId, userId: admin.id, keyHash: hashApiKey(key), scopes: SCOPES });
  return key;
}
