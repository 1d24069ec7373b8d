const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/** What one tenant may use. Defaults here, overrides in the tenant's row; shown by `GET /v1/config`. */
export interface TenantLimits {
  readonly uploadBytesMax: number;
  readonly inlineBytesMax: number;
  readonly queryTimeoutMs: number;
  readonly queryTimeoutMaxMs: number;
  readonly queryConcurrencyMax: number;
  /** Queries in the background that run at once. */
  readonly backgroundQueryConcurrencyMax: number;
  /** Queries in the background that wait or run. */
  readonly backgroundQueriesMax: number;
  /** Downloads that are being sent, answers that are a table alone included. */
  readonly downloadConcurrencyMax: number;
  readonly inlineRowsMax: number;
  readonly inlineAnswerBytesMax: number;
  readonly resultBytesMax: number;
  readonly convertConcurrencyMax: number;
  readonly columnsMax: number;
  readonly lineBytesMax: number;
  readonly nestingMax: number;
  readonly decompressedBytesMax: number;
  /** Decompressed bytes for each compressed one. */
  readonly compressionRatioMax: number;
}

export const DEFAULT_TENANT_LIMITS: TenantLimits = {
  uploadBytesMax: 50 * GiB,
  inlineBytesMax: 1 * MiB,
  queryTimeoutMs: 30_000,
  queryTimeoutMaxMs: 30 * 60_000,
  queryConcurrencyMax: 16,
  backgroundQueryConcurrencyMax: 4,
  backgroundQueriesMax: 1_000,
  downloadConcurrencyMax: 8,
  inlineRowsMax: 10_000,
  inlineAnswerBytesMax: 8 * MiB,
  resultBytesMax: 10 * GiB,
  convertConcurrencyMax: 4,
  columnsMax: 2_000,
  lineBytesMax: 16 * MiB,
  nestingMax: 64,
  decompressedBytesMax: 200 * GiB,
  compressionRatioMax: 1_000,
};

/** The longest statement text that is looked at, in UTF-8 bytes. */
export const SQL_BYTES_MAX = 1 * MiB;
