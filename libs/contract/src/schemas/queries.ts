import { queryRunLifecycle, resultLifecycle, statesOf } from '@millrace/domain';
import { z } from 'zod';
import { branchesOf } from './branches.js';
import { answerFormatSchema } from './formats.js';
import { errorRecordSchema, idOf, pageFields, pageQuerySchema, rowsSchema, timestampSchema } from './common.js';

const PARAMS_MAX = 1_000;

/** Beyond these, two whole numbers of JSON are the same when they have been read: another one would be bound. */
const WHOLE_NUMBER = `Whole numbers beyond ±${Number.MAX_SAFE_INTEGER} lose digits in JSON: send it as a string.`;
/** From here on numbers are written with an exponent, and nobody expects each of their digits. */
const EXPONENT_FROM = 1e21;

/** A value for a parameter of a statement. */
export const paramSchema = z
  .union([z.string(), z.number(), z.boolean(), z.null()], { error: 'Must be a string, a number, a boolean or null.' })
  .refine((value) => !losesDigits(value), WHOLE_NUMBER);

const paramListSchema = z.array(paramSchema).max(PARAMS_MAX, `At most ${PARAMS_MAX} parameters.`);
const namedParamsSchema = z.record(z.string(), paramSchema);

const paramsSchema = branchesOf([paramListSchema, namedParamsSchema], {
  choose: (params) => {
    if (Array.isArray(params)) return paramListSchema;
    return typeof params === 'object' && params !== null ? namedParamsSchema : undefined;
  },
  error: 'Must be an array for $1, $2, … (or ?) or an object for $name.',
});

export const runQuerySchema = z
  .strictObject({
    sql: z.string(),
    params: paramsSchema
      .optional()
      .meta({ description: 'An array for `$1`, `$2`, … (or `?`), an object for `$name`; bound, never spliced.' }),
    limit_rows: z
      .int()
      .min(0)
      .max(1_000_000)
      .optional()
      .meta({
        description:
          'How many rows of the result come with the answer; the result itself is whole. Without it, an answer that is ' +
          'a table alone has all rows.',
      }),
    timeout_ms: z.int().min(1).optional().meta({ description: "Deadline, up to the tenant's maximum." }),
    reuse: z
      .enum(['exact', 'never'])
      .optional()
      .meta({
        description:
          '`exact`, the default: an earlier result of the same statement, parameters and versions of tables is the answer, ' +
          'if there is one. `never`: the statement runs.',
      }),
  })
  .meta({ id: 'RunQuery' });

/** In an address. */
const flagSchema = z.enum(['true', 'false']);

export const runQueryQuerySchema = z
  .strictObject({
    format: answerFormatSchema.optional().meta({
      description:
        'What to answer with, whatever `Accept` says: JSON with rows as arrays or objects, or the table alone.',
    }),
    dry_run: flagSchema.optional().meta({
      description: 'Nothing runs: the answer, in JSON, says what would come and what would be read for it.',
    }),
    plan: flagSchema.optional().meta({ description: "With `dry_run`: DuckDB's plan, too." }),
  })
  .refine(({ plan, dry_run }) => plan === undefined || dry_run === 'true', {
    message: 'A plan is part of a dry run: add dry_run=true.',
    path: ['plan'],
  });

export type RunQueryBody = z.infer<typeof runQuerySchema>;

const inputSchema = z
  .object({
    dataset_id: idOf('dataset').optional(),
    version_id: idOf('version').optional(),
    result_id: idOf('result').optional(),
  })
  .meta({ id: 'QueryInput' });

export const queryAnswerSchema = z
  .object({
    query_run_id: idOf('queryRun'),
    result_id: idOf('result').nullable().meta({
      description:
        'Null for EXPLAIN, DESCRIBE, SUMMARIZE and SHOW TABLES: their answer is all there is, and is not kept.',
    }),
    columns: z.array(z.string()),
    types: z.array(z.string()),
    nullable: z.array(z.boolean()),
    rows: rowsSchema,
    row_count: z.int().meta({ description: 'Rows in this answer.' }),
    total_row_count: z.int().meta({ description: 'Rows of the result.' }),
    truncated: z.boolean().meta({ description: 'Whether the result has more rows than this answer.' }),
    execution_time_ms: z.number(),
    reused: z.boolean().meta({ description: 'Whether an earlier result is the answer, and nothing ran.' }),
    inputs: z.array(inputSchema),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'QueryAnswer' });

export type QueryAnswer = z.infer<typeof queryAnswerSchema>;

export const dryRunSchema = z
  .object({
    columns: z.array(z.string()),
    types: z.array(z.string()),
    nullable: z.array(z.boolean()),
    inputs: z
      .array(inputSchema.extend({ row_count: z.int(), size_bytes: z.int() }).meta({ id: 'DryRunInput' }))
      .meta({ description: 'The exact versions that would be read, each once, with all that is in them.' }),
    estimated_rows: z.int().meta({ description: 'Rows of the inputs: what would be read, at most.' }),
    estimated_bytes: z.int().meta({
      description: 'Bytes of the Parquet files of the inputs: what would be read, at most.',
    }),
    plan: z.unknown().optional().meta({ description: 'As `EXPLAIN (FORMAT json)` gives it; with `plan=true`.' }),
  })
  .meta({ id: 'DryRun' });

export type DryRunBody = z.infer<typeof dryRunSchema>;

export const queryRunStatusSchema = z.enum(statesOf(queryRunLifecycle));

export const queryRunSchema = z
  .object({
    id: idOf('queryRun'),
    status: queryRunStatusSchema,
    sql: z.string(),
    job_id: idOf('job').nullable().meta({ description: 'The job of a query in the background.' }),
    result_id: idOf('result').nullable(),
    progress: z.number().min(0).max(1).nullable().meta({
      description:
        'While it runs, as the engine estimates it. Null while that is not known, and in lists for a query in the background.',
    }),
    blocked_by: z.string().nullable().meta({
      description: 'Why a query in the background waits: `tenant_limit`, `queue` or `backoff`. Not in lists.',
    }),
    position: z.int().nullable().meta({
      description: 'Its place among the waiting queries of its tenant in the background; 1 is next. Not in lists.',
    }),
    timeout_ms: z.int().meta({ description: 'Its deadline; of a query in the background, that of each attempt.' }),
    row_count: z.int().nullable(),
    size_bytes: z.int().nullable(),
    execution_time_ms: z.number().nullable(),
    inputs: z.array(inputSchema),
    error: errorRecordSchema.nullable(),
    cancel_requested: z.boolean(),
    queued_at: timestampSchema,
    started_at: timestampSchema.nullable(),
    finished_at: timestampSchema.nullable(),
  })
  .meta({ id: 'QueryRun' });

/** For the document: who answers reads it itself. */
export const longPollHeadersSchema = z.object({
  Prefer: z.string().optional().meta({
    description: '`wait=N`: answer when the status changes, or after N seconds, at most 60. Without it, at once.',
    example: 'wait=20',
  }),
});

export type QueryRunBody = z.infer<typeof queryRunSchema>;

export const pendingQuerySchema = queryRunSchema
  .pick({ status: true, queued_at: true, started_at: true })
  .extend({ query_run_id: idOf('queryRun') })
  .meta({ id: 'PendingQuery' });

export type PendingQueryBody = z.infer<typeof pendingQuerySchema>;

export const listQueriesQuerySchema = pageQuerySchema.extend({ status: queryRunStatusSchema.optional() });
export const queryRunListSchema = z
  .object({ queries: z.array(queryRunSchema), ...pageFields })
  .meta({ id: 'QueryRunList' });

export const resultStatusSchema = z.enum(statesOf(resultLifecycle));

const resultFields = {
  result_id: idOf('result'),
  query_run_id: idOf('queryRun'),
  status: resultStatusSchema,
  error: errorRecordSchema.optional(),
  columns: z.array(z.string()).optional(),
  types: z.array(z.string()).optional(),
  nullable: z.array(z.boolean()).optional(),
  total_row_count: z.int().optional(),
  size_bytes: z.int().optional(),
  created_at: timestampSchema,
  expires_at: timestampSchema.nullable().meta({ description: 'Null while it is pinned without an end.' }),
};

export const resultSummarySchema = z.object(resultFields).meta({ id: 'ResultSummary' });
export type ResultSummaryBody = z.infer<typeof resultSummarySchema>;

export const resultPageSchema = z
  .object({
    ...resultFields,
    rows: rowsSchema.optional(),
    row_count: z.int().optional().meta({ description: 'Rows in this page.' }),
    has_more: z.boolean().optional(),
    next_cursor: z.string().nullable().optional(),
  })
  .meta({ id: 'ResultPage' });

/** Limit and cursor belong to pages of JSON, so they have no defaults here: a whole table refuses them. */
export const resultQuerySchema = pageQuerySchema.extend({
  limit: pageQuerySchema.shape.limit.unwrap().optional(),
  format: answerFormatSchema.optional().meta({
    description: 'JSON with a page of rows as arrays or objects; any other is the whole table, as in a download.',
  }),
});

/** One year. */
const PIN_TTL_S_MAX = 366 * 24 * 60 * 60;

export const pinResultSchema = z
  .strictObject({
    ttl_s: z.int().min(1).max(PIN_TTL_S_MAX).optional().meta({
      description: 'Seconds from now. Left out: until it is unpinned or deleted.',
    }),
  })
  .optional()
  .meta({ id: 'PinResult' });

export type PinResultBody = z.infer<typeof pinResultSchema>;

export const listResultsQuerySchema = pageQuerySchema.extend({ status: resultStatusSchema.optional() });
export const resultListSchema = z
  .object({ results: z.array(resultSummarySchema), ...pageFields })
  .meta({ id: 'ResultList' });

function losesDigits(value: string | number | boolean | null): boolean {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false;
  return !Number.isSafeInteger(value) && Math.abs(value) < EXPONENT_FROM;
}
