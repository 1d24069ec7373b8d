export type { BlobReference } from './blobs/blob-references.js';
export { DELETION_LEASE_MS, BlobRepository, type BlobPinRequest } from './blobs/blobs.repository.js';
export { Catalog, type CatalogOptions } from './catalog.js';
export { createDatabase, dropDatabase, type NamedDatabase } from './database/create-database.js';
export type { Transaction } from './database/database.js';
export { migrate, MIGRATIONS_FOLDER, type MigrateOptions } from './database/migrations.js';
export { measureCatalog } from './measure-catalog.js';
export { PAGE_ROWS_MAX, type Page, type PageRequest } from './database/page.js';
export type { Dataset } from './datasets/dataset.js';
export { datasetNotReady } from './datasets/dataset-not-ready.js';
export type { DatasetRowValues } from './datasets/dataset-rows.js';
export {
  DatasetRepository,
  type DatasetFilter,
  type DatasetSource,
  type NewDataset,
} from './datasets/datasets.repository.js';
export type { ListedTable, TableListing } from './datasets/table-list.js';
export type { ResolvedTable, ResolvedVersion, VersionFile } from './datasets/table-resolution.js';
export {
  VersionRepository,
  type CommitOutcome,
  type Conversion,
  type ConvertedFile,
  type ConvertedVersion,
} from './datasets/versions.repository.js';
export { IdempotencyKeyRepository } from './idempotency/idempotency-keys.repository.js';
export type { AdmitRequest, AdmittedJob, QueuePlace } from './jobs/job-admission.js';
export type { AttemptEnd } from './jobs/job-attempt.js';
export { CONVERT_JOB, PERSIST_JOB, QUERY_JOB } from './jobs/job-consequences.js';
export type { JobSignal } from './jobs/job-signal.js';
export { JobRepository, type JobFilter, type QueuedJob } from './jobs/jobs.repository.js';
export type { QueueDepth } from './jobs/queue-depth.js';
export { JOBS_CHANNEL, type JobOwner, type NewJob } from './jobs/outbox.js';
export {
  BackgroundRunRepository,
  type BackgroundRun,
  type NewBackgroundRun,
  type StoredRows,
} from './queries/background-runs.repository.js';
export {
  QueryRunRepository,
  type LeaseAnswer,
  type NewQueryRun,
  type QueryProgress,
  type QueryRunFilter,
} from './queries/query-runs.repository.js';
export { queryRunLost, type QueryRunKey } from './queries/query-run-rows.js';
export { ResultLifetimeRepository } from './queries/result-lifetimes.repository.js';
export type { ResultKey } from './queries/result-rows.js';
export { ResultReuseRepository, type ReusedResult } from './queries/result-reuse.repository.js';
export { resultUnavailable } from './queries/result-unavailable.js';
export type { JobBacklog } from './jobs/job-backlog.js';
export {
  ResultRepository,
  type NewResult,
  type ReaderFilter,
  type StoredResult,
} from './queries/results.repository.js';
export type { Blob } from './schema/blob.entity.js';
export type { SourceType, VersionRow } from './schema/dataset.entity.js';
export type { Job } from './schema/job.entity.js';
export type { JsonObject } from './schema/json.js';
export type { QueryInput, QueryRun } from './schema/query-run.entity.js';
export type { Result } from './schema/result.entity.js';
export type { ApiKey, Tenant, User } from './schema/tenant.entity.js';
export type { Upload } from './schema/upload.entity.js';
export type { SavedParameter, SavedQueryVersion } from './schema/saved-query.entity.js';
export {
  SavedQueryRepository,
  type SavedQuery,
  type SavedQueryFilter,
  type SavedStatement,
} from './saved-queries/saved-queries.repository.js';
export { KeyRepository, type NewApiKey } from './tenants/keys.repository.js';
export { TenantRepository } from './tenants/tenants.repository.js';
export {
  DirectUploadRepository,
  type DirectUploadRow,
  type NewDirectUpload,
} from './uploads/direct-uploads.repository.js';
export {
  PIECES_MAX,
  ResumableUploadRepository,
  type NewResumableUpload,
  type ResumableUpload,
  type UploadPiece,
} from './uploads/resumable-uploads.repository.js';
export { UploadRepository, type NewUpload, type OwnerFilter } from './uploads/uploads.repository.js';
