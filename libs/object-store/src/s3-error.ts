import { DomainError } from '@millrace/domain';
import { systemCode } from './storage-error.js';

export interface S3CallContext {
  /** The action of the policy language that the call needs, such as `s3:GetObject`. */
  readonly action: string;
  readonly bucket: string;
  /** Host of the endpoint; left out for AWS. */
  readonly host: string | undefined;
}

const FULL: ReadonlySet<string> = new Set(['XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded', 'QuotaExceeded']);
const FULL_STATUS = 507;

const BAD_CREDENTIALS: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'InvalidSecurity',
  'TokenRefreshRequired',
  'InvalidClientTokenId',
]);
const NO_CREDENTIALS: ReadonlySet<string> = new Set(['CredentialsProviderError', 'TokenProviderError']);
const OTHER_REGION: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);
const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
]);

/** What an error of the SDK says, whatever its class: its code, and the status where there was an answer. */
export function s3Failure(error: unknown): { readonly name: string; readonly status: number | undefined } {
  if (typeof error !== 'object' || error === null) return { name: '', status: undefined };
  const name = textOf(error, 'Code') ?? textOf(error, 'name') ?? '';
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return { name, status: typeof status === 'number' ? status : undefined };
}

/** Whether the store says that there is no such object. A HEAD has no body, so this may also be the bucket. */
export function isMissing(error: unknown): boolean {
  const { name, status } = s3Failure(error);
  return name === 'NoSuchKey' || (name === 'NotFound' && status === 404);
}

/**
 * An error of the SDK as a DomainError. The detail says what to mend, and is what `/readyz` shows; keys stay in the
 * cause. A missing object is not told from a missing bucket here.
 */
export function s3Error(error: unknown, context: S3CallContext): DomainError {
  if (error instanceof DomainError) return error;
  const { name, status } = s3Failure(error);
  if (FULL.has(name) || status === FULL_STATUS) {
    return new DomainError('storage.full', 'The object store is full. Free some space, then try again.', {
      cause: error,
    });
  }
  return new DomainError('storage.unavailable', explain(error, context), { cause: error });
}

function explain(error: unknown, context: S3CallContext): string {
  const { name, status } = s3Failure(error);
  const bucket = `the bucket "${context.bucket}"`;
  const code = UNREACHABLE.has(systemCode(error) ?? '') ? systemCode(error) : undefined;
  if (name === 'NoSuchBucket') return `There is no ${bucket.slice(4)}.`;
  if (NO_CREDENTIALS.has(name)) return 'There are no credentials for the object store.';
  if (BAD_CREDENTIALS.has(name)) return `The credentials of the object store are not valid (${name}).`;
  if (OTHER_REGION.has(name) || status === 301) return otherRegion(error, bucket);
  if (name === 'RequestTimeTooSkewed') return "The clock of this machine differs too much from the object store's.";
  if (status === 403) return `The object store does not allow ${context.action} on ${bucket}.`;
  if (code !== undefined) return `The object store${atHost(context)} can not be reached (${code}).`;
  if (name === 'TimeoutError') return `The object store${atHost(context)} did not answer in time.`;
  if (status !== undefined) return `The object store does not answer as it should (${status} ${name}).`;
  if (neverAsked(error)) return `The object store can not be asked: ${error.message}.`;
  return 'The object store does not answer as it should. Try again in a moment.';
}

/** What the SDK misses before its first try, such as a region; other errors carry what it noted of its tries. */
function neverAsked(error: unknown): error is { readonly message: string } {
  return typeof error === 'object' && error !== null && 'message' in error && !('$metadata' in error);
}

function otherRegion(error: unknown, bucket: string): string {
  const region = (typeof error === 'object' && error !== null && textOf(error, 'Region')) || undefined;
  return `The region of ${bucket} is ${region === undefined ? 'another one' : `"${region}"`}. Set S3_REGION.`;
}

const atHost = ({ host }: S3CallContext): string => (host === undefined ? '' : ` at ${host}`);

function textOf(error: object, field: string): string | undefined {
  const value: unknown = field in error ? (error as Record<string, unknown>)[field] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
