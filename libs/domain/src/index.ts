export type { Column } from './column.js';
export { uniqueColumnNames } from './column-names.js';
export {
  DomainError,
  type ErrorPlace,
  type ErrorRecord,
  isStorableText,
  storableText,
  toDomainError,
} from './domain-error.js';
export { CONVERTER_VERSION, DUCKDB_VERSION, RESULT_VERSION } from './engine-version.js';
export { type ErrorCode, ERRORS } from './error-catalog.js';
export {
  type ApiKeyId,
  type DatasetId,
  type Id,
  ID_PREFIXES,
  type IdKind,
  idPattern,
  isId,
  type JobId,
  newId,
  type QueryRunId,
  type ResultId,
  type SavedQueryId,
  type TenantId,
  type UploadId,
  type UserId,
  type VersionId,
} from './ids.js';
export { checkLabel } from './label.js';
export {
  blobLifecycle,
  type BlobStatus,
  canTransition,
  isTerminal,
  jobLifecycle,
  type JobStatus,
  type Lifecycle,
  queryRunLifecycle,
  type QueryRunStatus,
  resultLifecycle,
  type ResultStatus,
  sourcesOf,
  statesOf,
  uploadLifecycle,
  type UploadStatus,
  versionLifecycle,
  type VersionStatus,
} from './lifecycle.js';
export { DEFAULT_TENANT_LIMITS, SQL_BYTES_MAX, type TenantLimits } from './limits.js';
export type { BlobKey, BlobRegister, WrittenBlob } from './ports/blob-register.port.js';
export type { DirectPart, DirectUpload, DirectUploads, SentPart, SignedPart } from './ports/direct-uploads.port.js';
export type { DomainEvent, EventBus, EventOf, EventType } from './ports/event-bus.port.js';
export type {
  ClaimEffect,
  ClaimOutcome,
  ClaimTimes,
  IdempotencyClaim,
  IdempotencyKey,
  IdempotencyLedger,
  KeptAnswer,
} from './ports/idempotency-ledger.port.js';
export type { HeartbeatAnswer, JobFence, JobLedger, StartedJob } from './ports/job-ledger.port.js';
export type { KeyDirectory } from './ports/key-directory.port.js';
export type { ByteRange, ByteStream, ObjectStore, StoreOptions, StoredObject } from './ports/object-store.port.js';
export { ownThings, type Principal, type Reader, type Role, ROLES, type Scope, SCOPES } from './principal.js';
export { checkSavedQueryName, SAVED_QUERY_NAME_LENGTH_MAX } from './saved-query-name.js';
export { Slots } from './slots.js';
export { alternativeTableNames, checkTableName, deriveTableName } from './table-name.js';
export type {
  ColumnProfile,
  ProfileBucket,
  ProfiledValue,
  ProfileQuantiles,
  ProfileValue,
  TableProfile,
} from './table-profile.js';
export { TenantPlaces, type PlaceBounds } from './tenant-places.js';
