import { z } from 'zod';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

function integer(description: string, bounds: { min: number; max?: number; default: number }) {
  const number = z.coerce.number().int().min(bounds.min);
  return (bounds.max === undefined ? number : number.max(bounds.max)).default(bounds.default).meta({ description });
}

const port = z.coerce.number().int().min(0).max(65_535);

/**
 * Every environment variable that Millrace reads, with its default. A name ends in its unit. An empty variable counts
 * as absent. `docs/configuration.md` is made from this list.
 */
export const environmentSchema = z.object({
  PORT: port.default(8080).meta({ description: 'Port of the gateway; 0 picks a free one.' }),
  HOST: z
    .string()
    .default('127.0.0.1')
    .meta({ description: 'Address that the gateway listens on; `0.0.0.0` for all.' }),
  PUBLIC_URL: z.url().optional().meta({ description: 'Address that users see, when a proxy stands in front.' }),
  DATA_DIR: z
    .string()
    .default('.millrace')
    .meta({ description: 'Folder for everything that is kept on this machine.' }),
  DATABASE_URL: z.string().optional().meta({
    description: 'Postgres to use. Left out, `npm start` runs an embedded one in the data folder.',
  }),
  DATABASE_POOL_MAX: integer('Connections to Postgres of one service.', { min: 2, max: 100, default: 10 }),
  INTERNAL_SECRET: z.string().min(32).optional().meta({
    description: 'Signs the context of internal calls; the same for all services. Left out, one is made at each start.',
  }),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .meta({ description: 'How much is logged.' }),
  LOG_FILE: z.string().optional().meta({
    description:
      'File that log lines are appended to. Left out, they go to standard output; `npm start` writes `millrace.log` in the data folder.',
  }),
  HTTP_CONNECTIONS_MAX: integer('Connections that clients may have to the gateway at once; those beyond are dropped.', {
    min: 1,
    max: 100_000,
    default: 1_000,
  }),
  JSON_BODY_TIMEOUT_MS: integer('How long the JSON body of a request may take to arrive.', {
    min: 100,
    max: hourMs,
    default: 30_000,
  }),
  UPLOAD_BYTES_MAX: integer('Size of an upload at most.', { min: 1, default: 50 * GiB }),
  UPLOAD_IDLE_MS: integer('An upload that sends nothing for so long is ended.', { min: 100, default: 2 * minuteMs }),
  UPLOAD_RETENTION_MS: integer('How long an upload waits for a dataset.', { min: 1_000, default: dayMs }),
  RESULT_RETENTION_MS: integer('How long a result is kept.', { min: 1_000, default: 7 * dayMs }),
  FAILED_DATASET_RETENTION_MS: integer('How long a dataset whose conversion failed is shown.', {
    min: 1_000,
    default: dayMs,
  }),
  HISTORY_RETENTION_MS: integer('How long used uploads, ended jobs and ended queries are listed.', {
    min: 1_000,
    default: 30 * dayMs,
  }),
  DELETION_GRACE_MS: integer('How long bytes stay after their last reference went.', { min: 0, default: minuteMs }),
  LEASE_MS: integer('How long a worker or a writer may be silent before it counts as lost.', {
    min: 500,
    max: hourMs,
    default: 30_000,
  }),
  SWEEP_INTERVAL_MS: integer('How often the sweepers look for what outlived its lease.', {
    min: 50,
    max: hourMs,
    default: 10_000,
  }),
  DRAIN_MS: integer('How long work may go on after a signal to stop.', { min: 0, max: hourMs, default: 20_000 }),
  CONVERT_CONCURRENCY: integer('Conversions at once in one worker.', { min: 1, max: 64, default: 2 }),
  CONVERT_MEMORY_BYTES: integer('Memory of one conversion.', { min: 128 * MiB, default: 1 * GiB }),
  CONVERT_TIMEOUT_MS: integer('Deadline of one conversion.', { min: 100, default: 2 * hourMs }),
  QUERY_CHILDREN_MAX: z.coerce.number().int().min(1).max(256).optional().meta({
    description:
      'Engine processes for queries at once, of which one tenant has all but one. Left out: two a core, if 60 % of memory holds them.',
  }),
  QUERY_CHILDREN_KEPT_MAX: z.coerce.number().int().min(1).max(256).optional().meta({
    description:
      'Engine processes for queries that work or wait for the next statement of their tenant, at least as many as may work. Left out: what 10 % of memory holds.',
  }),
  DOWNLOAD_CHILDREN_MAX: integer(
    'Engine processes for downloads in one query service, each busy as long as somebody reads. One tenant has all but one of them at most.',
    { min: 1, max: 256, default: 3 },
  ),
  DOWNLOAD_IDLE_MAX_MS: integer('How long a client may take nothing of a download before it is cut off.', {
    min: 100,
    default: 60_000,
  }),
  DOWNLOAD_BYTES_PER_SECOND_MIN: integer('A client that takes less of a download uses that time up, too.', {
    min: 1,
    default: 64 * KiB,
  }),
  QUERY_MEMORY_BYTES: integer('Memory fence of one query, or of one download.', { min: 128 * MiB, default: 1.5 * GiB }),
  QUERY_THREADS: integer('Threads of one query, or of one download.', { min: 1, max: 64, default: 2 }),
  QUERY_SPILL_BYTES_MAX: integer('Disk that one query may use for what does not fit into memory.', {
    min: 0,
    default: 10 * GiB,
  }),
  ENGINE_ISOLATION: z
    .enum(['tenant', 'statement'])
    .default('tenant')
    .meta({ description: '`statement` gives each statement a new database instance; slower, stricter.' }),
  ENGINE_UID_FIRST: integer(
    'As root, each engine process is a user of its own: the lowest number of such a user. Nobody else may have them.',
    { min: 1_000, max: 4_000_000_000, default: 2_000_000_000 },
  ),
  ENGINE_UID_COUNT: integer('How many such users there are. They are drawn by lot, so many are good.', {
    min: 1_000,
    max: 200_000_000,
    default: 100_000_000,
  }),
});

export type Environment = z.output<typeof environmentSchema>;

/** A setting is wrong: says which and why, for the person who starts the service. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Parses the environment once; called by the `main.ts` of an app, which hands the result on.
 *
 * @throws ConfigError naming every variable that is wrong
 */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const present = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(present);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
}
