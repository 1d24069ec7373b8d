import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectStore } from '@millrace/domain';
import pg from 'pg';
import { filesBelow } from './files-below.js';

const PART_SUFFIX = '.part';
/** The store's own file. */
const MARKER_NAME = '.millrace-store';
const PAUSE_MS = 250;
const WAIT_MAX_MS = 30_000;
/** How long after its time a row may still be there: the sweepers look at an interval, on a machine that may be busy. */
const SWEEP_LATE_MS_MAX = 3_000;

interface Place {
  readonly databaseUrl: string;
  /** The folder of the object store, or the store itself. */
  readonly objects: string | Pick<ObjectStore, 'list' | 'get'>;
  /** How long to wait for the sweepers; 30 seconds when left out. */
  readonly waitMaxMs?: number;
}

interface BlobRow {
  readonly key: string;
  readonly status: 'writing' | 'live' | 'unreferenced' | 'deleting';
  readonly hash: string | null;
  readonly sizeBytes: number | null;
  readonly referenceCount: number;
  /** Rows that point to it. */
  readonly referencesFound: number;
  /** Whether a sweeper should have dealt with it by now. */
  readonly isOverdue: boolean;
}

/** Every column that refers to a key of the store. A new one belongs here and is one more reason to count. */
const REFERENCES = `
  SELECT tenant_id, storage_key FROM uploads WHERE storage_key IS NOT NULL
  UNION ALL SELECT tenant_id, raw_storage_key FROM dataset_versions WHERE raw_storage_key IS NOT NULL
  UNION ALL SELECT tenant_id, storage_key FROM version_files
  UNION ALL SELECT tenant_id, storage_key FROM results WHERE storage_key IS NOT NULL`;

/**
 * Compares everything in the object store with everything that the catalog says about it, of all tenants: every object,
 * half-written ones included, has a row; every row with content has its object, with the right bytes; references are
 * counted as there are; nothing is overdue. Waits for the sweepers to do their part.
 *
 * @returns what is wrong; nothing when all is well
 */
export async function compareStoreWithCatalog(place: Place): Promise<string[]> {
  for (const deadline = Date.now() + (place.waitMaxMs ?? WAIT_MAX_MS); ; await sleep(PAUSE_MS)) {
    const differences = await compareNow(place);
    if (differences.length === 0 || Date.now() > deadline) return differences;
  }
}

async function compareNow({ databaseUrl, objects }: Place): Promise<string[]> {
  const rows = await readRegister(databaseUrl);
  const found = typeof objects === 'string' ? await filesIn(objects) : await objectsIn(objects);
  const files = new Map(found.map((file) => [file.name, file]));
  files.delete(MARKER_NAME);
  const known = new Set(rows.map((row) => row.key));
  const strangers = [...files.keys()]
    .filter((name) => !known.has(name.endsWith(PART_SUFFIX) ? name.slice(0, -PART_SUFFIX.length) : name))
    .map((name) => `${name} has no row`);
  const parts = rows.filter((row) => row.status === 'live' && files.has(row.key + PART_SUFFIX));
  const differences = await Promise.all(rows.map((row) => differencesOf(row, files.get(row.key))));
  return [
    ...strangers,
    ...parts.map(({ key }) => `${key} is live and still has a ${PART_SUFFIX} file`),
    ...differences.flat(),
  ];
}

async function differencesOf(row: BlobRow, file: FoundObject | undefined): Promise<string[]> {
  const { key, status, referenceCount, referencesFound } = row;
  const differences: string[] = [];
  if (row.isOverdue) differences.push(`${key} is ${status} beyond its time`);
  if (referenceCount !== referencesFound) {
    differences.push(`${key} (${status}) counts ${referenceCount} references, there are ${referencesFound}`);
  }
  if (status === 'live' || status === 'unreferenced') differences.push(...(await contentDifferences(row, file)));
  return differences;
}

async function contentDifferences({ key, status, sizeBytes, hash }: BlobRow, file?: FoundObject): Promise<string[]> {
  if (!file) return [`${key} is ${status}, but has no object`];
  if (file.sizeBytes !== sizeBytes) return [`${key} has ${file.sizeBytes} bytes, not ${sizeBytes}`];
  const found = await hashOf(file.open);
  return found === hash ? [] : [`${key} has the SHA-256 ${found}, not ${hash}`];
}

/** What lies under a key, half-written ones included. */
interface FoundObject {
  readonly name: string;
  readonly sizeBytes: number;
  readonly open: () => Promise<AsyncIterable<Uint8Array>>;
}

async function filesIn(folder: string): Promise<FoundObject[]> {
  const files = await filesBelow(folder);
  return files.map((file) => ({ ...file, open: async () => createReadStream(file.path) }));
}

async function objectsIn(store: Pick<ObjectStore, 'list' | 'get'>): Promise<FoundObject[]> {
  const found: FoundObject[] = [];
  for await (const { key, sizeBytes } of store.list('t/')) {
    found.push({ name: key, sizeBytes, open: () => store.get(key) });
  }
  return found;
}

async function hashOf(open: FoundObject['open']): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of await open()) hash.update(chunk);
  } catch (error) {
    return `of nothing: ${String(error)}`;
  }
  return hash.digest('hex');
}

async function readRegister(databaseUrl: string): Promise<BlobRow[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<BlobRow>(
      `WITH found AS (${REFERENCES})
       SELECT storage_key AS key, status, content_hash AS hash, size_bytes::float8 AS "sizeBytes",
         reference_count AS "referenceCount",
         (SELECT count(*)::int FROM found f WHERE f.tenant_id = b.tenant_id AND f.storage_key = b.storage_key)
           AS "referencesFound",
         coalesce(due_at < now() - $1 * interval '1 millisecond', false) AS "isOverdue"
       FROM blobs b ORDER BY 1`,
      [SWEEP_LATE_MS_MAX],
    );
    return rows;
  } finally {
    await client.end();
  }
}
