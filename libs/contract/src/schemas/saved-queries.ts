import { SAVED_QUERY_NAME_LENGTH_MAX } from '@millrace/domain';
import { z } from 'zod';
import { idOf, pageFields, pageQuerySchema, textSchema, timestampSchema } from './common.js';
import { paramSchema, runQuerySchema } from './queries.js';

const PARAMETERS_MAX = 100;
const DESCRIPTION_LENGTH_MAX = 10_000;

export const PARAMETER_TYPES = [
  ...['BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT'],
  ...['FLOAT', 'DOUBLE', 'VARCHAR', 'UUID', 'DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'INTERVAL'],
] as const;

const DECIMAL = /^DECIMAL\((\d{1,2}),(\d{1,2})\)$/;
const DECIMAL_DIGITS_MAX = 38;

const parameterTypeSchema = z
  .string()
  .transform((text) =>
    text
      .trim()
      .toUpperCase()
      .replace(/\s+/g, ' ')
      .replaceAll(/\s*([(,)])\s*/g, '$1'),
  )
  .refine(isParameterType, `Must be one of ${PARAMETER_TYPES.join(', ')} or DECIMAL(precision,scale).`)
  .meta({ description: 'SQL type; values are cast to it.', example: 'DATE' });

function isParameterType(type: string): boolean {
  const [, precision, scale] = DECIMAL.exec(type) ?? [];
  if (precision === undefined) return PARAMETER_TYPES.some((known) => known === type);
  return Number(precision) >= 1 && Number(precision) <= DECIMAL_DIGITS_MAX && Number(scale) <= Number(precision);
}

const savedParameterSchema = z
  .strictObject({
    name: z
      .string()
      .max(SAVED_QUERY_NAME_LENGTH_MAX)
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'Must be letters, digits and "_", not beginning with a digit.')
      .meta({ description: 'Without the `$`.' }),
    type: parameterTypeSchema,
    default: paramSchema.optional().meta({ description: 'Left out, the parameter must be given.' }),
    description: textSchema.max(DESCRIPTION_LENGTH_MAX).optional(),
  })
  .meta({ id: 'SavedParameter' });

const savedFields = {
  name: z.string().meta({ description: 'Unique in any case. Stands for the id in addresses.' }),
  description: textSchema.max(DESCRIPTION_LENGTH_MAX),
  sql: textSchema.meta({ description: 'A statement whose parameters have names: `$name`.' }),
  parameters: z
    .array(savedParameterSchema)
    .max(PARAMETERS_MAX)
    .refine((all) => new Set(all.map(({ name }) => name.toLowerCase())).size === all.length, 'Names must differ.')
    .meta({ description: 'All parameters of the statement.' }),
};

export const createSavedQuerySchema = z
  .strictObject({
    name: savedFields.name,
    description: savedFields.description.default(''),
    sql: savedFields.sql,
    parameters: savedFields.parameters.default([]),
  })
  .meta({ id: 'CreateSavedQuery' });

export const updateSavedQuerySchema = z
  .strictObject({
    name: savedFields.name.optional(),
    description: savedFields.description.optional(),
    sql: savedFields.sql.optional(),
    parameters: savedFields.parameters.optional(),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'Give at least one field.')
  .meta({ id: 'UpdateSavedQuery' });

export type CreateSavedQueryBody = z.output<typeof createSavedQuerySchema>;
export type UpdateSavedQueryBody = z.output<typeof updateSavedQuerySchema>;

const versionFields = {
  version: z.int().meta({ description: 'From 1.' }),
  sql: z.string(),
  parameters: z.array(
    z
      .object({
        name: z.string(),
        type: z.string(),
        required: z.boolean(),
        default: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
        description: z.string().optional(),
      })
      .meta({ id: 'SavedQueryParameter' }),
  ),
  saved_at: timestampSchema.meta({ description: 'When this version was saved.' }),
  saved_by: idOf('user'),
};

export const savedQuerySchema = z
  .object({
    id: idOf('savedQuery'),
    name: z.string(),
    description: z.string(),
    latest_version: z.int(),
    ...versionFields,
    created_by: idOf('user'),
    created_at: timestampSchema,
    updated_at: timestampSchema,
  })
  .meta({ id: 'SavedQuery' });

export type SavedQueryBody = z.infer<typeof savedQuerySchema>;

export const savedQueryVersionSchema = z.object(versionFields).meta({ id: 'SavedQueryVersion' });
export type SavedQueryVersionBody = z.infer<typeof savedQueryVersionSchema>;

export const listSavedQueriesQuerySchema = pageQuerySchema.extend({
  name: textSchema.max(SAVED_QUERY_NAME_LENGTH_MAX).optional().meta({
    description: 'Names that start with it, in any case.',
  }),
});
export const savedQueryListSchema = z
  .object({ saved_queries: z.array(savedQuerySchema), ...pageFields })
  .meta({ id: 'SavedQueryList' });

export const savedQueryVersionListSchema = z
  .object({ versions: z.array(savedQueryVersionSchema), ...pageFields })
  .meta({ id: 'SavedQueryVersionList' });

const versionSchema = z.coerce
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);

export const savedQueryVersionQuerySchema = z.strictObject({
  version: versionSchema.optional().meta({ description: 'An older version; the newest when left out.' }),
});

export const runSavedQuerySchema = z
  .strictObject({
    params: z.record(z.string(), paramSchema).optional().meta({ description: 'Values by the names of parameters.' }),
    version: z
      .int()
      .min(1)
      .max(2 ** 31 - 1)
      .optional()
      .meta({ description: 'The newest when left out.' }),
    limit_rows: runQuerySchema.shape.limit_rows,
    timeout_ms: runQuerySchema.shape.timeout_ms,
  })
  .optional()
  .meta({ id: 'RunSavedQuery' });

export type RunSavedQueryBody = z.infer<typeof runSavedQuerySchema>;
