import type { Environment } from '@millrace/config';

const MiB = 1024 ** 2;
/** What an engine process has in memory beyond its budget. */
const IDLE_BYTES = 64 * MiB;
const KEPT_BUDGET_SHARE = 1 / 8;
const PARSE_CHILDREN = 2;
const PARSE_BYTES_MAX = 1024 * MiB;
/** A service with engine processes, beside them. */
const SERVICE_BYTES = 512 * MiB;
const GATEWAY_BYTES = 200 * MiB;
/** JSON bodies of all tenants. */
const JSON_BYTES = 256 * MiB;
/** Into a bucket. */
const UPLOAD_BYTES = 20 * MiB;

/** The sums of `docs/operations.md`: what all that each service may do at once takes of memory. */
export const MEMORY_NEEDED = {
  gateway: ({ UPLOADS_MAX }: Environment): number => GATEWAY_BYTES + JSON_BYTES + UPLOADS_MAX * UPLOAD_BYTES,

  'query-service': (settings: Environment): number => {
    const { QUERY_MEMORY_BYTES, QUERY_CHILDREN_MAX, QUERY_CHILDREN_KEPT_MAX, DOWNLOAD_CHILDREN_MAX } = settings;
    const statements = Number(QUERY_CHILDREN_MAX) + Number(settings.QUERY_BACKGROUND_CONCURRENCY);
    const working = (statements + DOWNLOAD_CHILDREN_MAX) * (QUERY_MEMORY_BYTES + IDLE_BYTES);
    const parsing = PARSE_CHILDREN * (Math.min(PARSE_BYTES_MAX, QUERY_MEMORY_BYTES) + IDLE_BYTES);
    const waiting = Number(QUERY_CHILDREN_KEPT_MAX) * (IDLE_BYTES + QUERY_MEMORY_BYTES * KEPT_BUDGET_SHARE);
    return SERVICE_BYTES + working + parsing + waiting;
  },

  'convert-worker': ({ CONVERT_MEMORY_BYTES, CONVERT_CONCURRENCY }: Environment): number =>
    SERVICE_BYTES + IDLE_BYTES + CONVERT_CONCURRENCY * (CONVERT_MEMORY_BYTES + IDLE_BYTES),

  'maintenance-worker': (): number => SERVICE_BYTES,
} as const;
