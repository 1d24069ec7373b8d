import { randomBytes } from 'node:crypto';
import { idPattern, type DatasetId, type IdKind, type ResultId, type TenantId, type VersionId } from '@millrace/domain';

const RANDOM_BYTES = 16;

/** The longest key there can be is far below this; a longer text is not looked at. */
const KEY_LENGTH_MAX = 512;

const id = (kind: IdKind): string => idPattern(kind).slice(1, -1);
const RANDOM = `[0-9a-f]{${RANDOM_BYTES * 2}}`;

const KEY = new RegExp(
  `^t/${id('tenant')}/(?:` +
    `uploads/${RANDOM}|inline/${RANDOM}|` +
    `datasets/${id('dataset')}/${id('version')}/(?:0|[1-9][0-9]{0,5})-${RANDOM}\\.parquet|` +
    `results/${id('result')}-${RANDOM}\\.parquet)$`,
);

/** The one place where object keys are made. Every key of a tenant starts with `t/<tenant>/`. */
export const objectKeys = {
  /** Raw bytes of an upload. Random, because their hash is known only at the end and S3 has no rename. */
  upload: (tenantId: TenantId): string => `${tenantPrefix(tenantId)}uploads/${random()}`,

  /** Raw bytes that came inside a request. */
  inline: (tenantId: TenantId): string => `${tenantPrefix(tenantId)}inline/${random()}`,

  /** One Parquet file of a dataset's version. The random part keeps two attempts of one conversion apart. */
  datasetFile: (file: DatasetFile): string =>
    checkKey(
      `${tenantPrefix(file.tenantId)}datasets/${file.datasetId}/${file.versionId}/${file.fileIndex}-${random()}.parquet`,
    ),

  /** The Parquet file of a query's result. */
  result: (result: { readonly tenantId: TenantId; readonly resultId: ResultId }): string =>
    `${tenantPrefix(result.tenantId)}results/${result.resultId}-${random()}.parquet`,

  tenantPrefix,
};

export interface DatasetFile {
  readonly tenantId: TenantId;
  readonly datasetId: DatasetId;
  readonly versionId: VersionId;
  /** The file's place within the version, 0 to 999,999. */
  readonly fileIndex: number;
}

/** What all keys of a tenant start with, the slash included: `t/a` would also be the beginning of `t/ab/…`. */
function tenantPrefix(tenantId: TenantId): string {
  return `t/${tenantId}/`;
}

function random(): string {
  return randomBytes(RANDOM_BYTES).toString('hex');
}

/** Whether a text is a key that the key maker could have made. */
export function isObjectKey(text: string): boolean {
  return text.length <= KEY_LENGTH_MAX && KEY.test(text);
}

/**
 * The key itself, when it has the key maker's form: so no key can leave the store's root (`..`, `/etc`, NUL).
 *
 * @throws RangeError otherwise: a programmer's error, since keys never come from outside
 */
export function checkKey(key: string): string {
  if (!isObjectKey(key)) throw new RangeError(`Not an object key: ${JSON.stringify(key.slice(0, KEY_LENGTH_MAX))}`);
  return key;
}

/** The prefix itself, when it can be the beginning of a key. @throws RangeError otherwise */
export function checkPrefix(prefix: string): string {
  const clean = prefix.length <= KEY_LENGTH_MAX && /^(?:t(?:\/[a-z0-9./-]*)?)?$/.test(prefix) && !prefix.includes('..');
  if (!clean) throw new RangeError(`Not a prefix of object keys: ${JSON.stringify(prefix.slice(0, KEY_LENGTH_MAX))}`);
  return prefix;
}
