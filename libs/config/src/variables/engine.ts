import { z } from 'zod';
import { GiB, hourMs, integer, KiB, MiB, minuteMs } from './kinds.js';

/** Engine processes: how many, and what each may take. */
export const engineVariables = {
  CONVERT_CONCURRENCY: integer('Conversions at once in one worker.', { min: 1, max: 64, default: 2 }),
  SCALING_TARGET_MS: integer(
    'In so much time the conversions that wait are to be worked off: `/internal/scaling` asks for so many workers.',
    { min: 1_000, max: hourMs, default: minuteMs },
  ),
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
  QUERY_BACKGROUND_CONCURRENCY: z.coerce.number().int().min(1).max(256).optional().meta({
    description:
      'Statements in the background at once in one query service, in engine processes beside those for queries. Left out: a quarter of QUERY_CHILDREN_MAX.',
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
};
