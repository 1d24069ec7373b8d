import type { ColumnProfile } from '@millrace/domain';
import { z } from 'zod';
import { idOf } from './common.js';

const valueSchema = z.union([z.string(), z.number(), z.boolean()]).meta({
  description: 'As in rows: a number that a double can not hold is a string. Texts are cut to 100 characters.',
});

const countSchema = z.int().meta({ description: 'Rows; an estimate where `approximate` says so.' });

const quantilesSchema = z
  .object({ p05: valueSchema, p25: valueSchema, p50: valueSchema, p75: valueSchema, p95: valueSchema })
  .meta({ id: 'ProfileQuantiles', description: 'Values of the column: `p50` is the median.' });

const columnProfileSchema = z.object({
  null_count: z.int(),
  distinct_count: z.int().nullable().meta({ description: 'Different values, NULL not counted.' }),
  min: valueSchema.nullable(),
  max: valueSchema.nullable(),
  mean: valueSchema.nullable().meta({ description: 'Of the finite values of a column of numbers.' }),
  quantiles: quantilesSchema.nullable().meta({ description: 'Of numbers, dates and times.' }),
  top_values: z
    .array(z.object({ value: valueSchema, count: countSchema }).meta({ id: 'ProfiledValue' }))
    .nullable()
    .meta({ description: 'Up to ten, the most frequent first.' }),
  histogram: z
    .array(z.object({ from: valueSchema, to: valueSchema, count: countSchema }).meta({ id: 'ProfileBucket' }))
    .nullable()
    .meta({
      description:
        'Of numbers, dates and times: the range in up to 20 parts of the same width, `from` included and `to` not, but in ' +
        'the last; parts without a value are left out.',
    }),
}) satisfies z.ZodType<ColumnProfile>;

/** The profile of a table as it is kept with its version. */
export const tableProfileSchema = z.object({
  approximate: z.boolean().meta({
    description: 'Whether `distinct_count`, `quantiles`, `top_values` and `histogram` are estimates.',
  }),
  sampled_row_count: z.int().meta({ description: 'Rows that quantiles, top values and histograms come from.' }),
  columns: z.array(columnProfileSchema),
});

export const profileSchema = tableProfileSchema
  .extend({
    dataset_id: idOf('dataset'),
    version: z.int(),
    row_count: z.int(),
    columns: z.array(
      z
        .object({ name: z.string(), type: z.string(), ...columnProfileSchema.shape })
        .meta({ id: 'ColumnProfile', description: 'All but `null_count` is null for nested types and bytes.' }),
    ),
  })
  .meta({ id: 'Profile' });

export type ProfileBody = z.infer<typeof profileSchema>;
