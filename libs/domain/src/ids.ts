import { ulid } from 'ulid';

/**
 * Every id is a 4-letter prefix and a ULID in lower case: 30 characters, sortable by time of creation.
 * This object is the one list of prefixes; the catalog, the contract and the routes derive from it.
 */
export const ID_PREFIXES = {
  tenant: 'tnnt',
  user: 'user',
  apiKey: 'akey',
  upload: 'upld',
  dataset: 'data',
  version: 'vers',
  result: 'rslt',
  queryRun: 'qrun',
  job: 'jobs',
  savedQuery: 'svqr',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

declare const brand: unique symbol;
export type Id<K extends IdKind> = string & { readonly [brand]: K };

export type TenantId = Id<'tenant'>;
export type UserId = Id<'user'>;
export type ApiKeyId = Id<'apiKey'>;
export type UploadId = Id<'upload'>;
export type DatasetId = Id<'dataset'>;
export type VersionId = Id<'version'>;
export type ResultId = Id<'result'>;
export type QueryRunId = Id<'queryRun'>;
export type JobId = Id<'job'>;
export type SavedQueryId = Id<'savedQuery'>;

/** A ULID in lower case: 26 characters of Crockford's base 32, the first at most `7` (48 bits of time). */
const ULID_PATTERN = '[0-7][0-9a-hjkmnp-tv-z]{25}';

/** A fresh id of the given kind. */
export function newId<K extends IdKind>(kind: K): Id<K> {
  return `${ID_PREFIXES[kind]}${ulid().toLowerCase()}` as Id<K>;
}

/** The pattern (anchored, as source text) that ids of a kind match; used by the contract and by `isId`. */
export function idPattern(kind: IdKind): string {
  return `^${ID_PREFIXES[kind]}${ULID_PATTERN}$`;
}

/** Whether a text is an id of the given kind. */
export function isId<K extends IdKind>(kind: K, text: string): text is Id<K> {
  return new RegExp(idPattern(kind)).test(text);
}
