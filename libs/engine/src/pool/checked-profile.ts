import type { ColumnProfile, ProfileValue, TableProfile } from '@millrace/domain';
import { z } from 'zod';

const count = z.int().nonnegative();

const value: z.ZodType<ProfileValue> = z.union([z.string(), z.number(), z.boolean()]);

const columnProfile: z.ZodType<ColumnProfile> = z.object({
  null_count: count,
  distinct_count: count.nullable(),
  min: value.nullable(),
  max: value.nullable(),
  mean: value.nullable(),
  quantiles: z.object({ p05: value, p25: value, p50: value, p75: value, p95: value }).nullable(),
  top_values: z.array(z.object({ value, count })).nullable(),
  histogram: z.array(z.object({ from: value, to: value, count })).nullable(),
});

/** What a child says about the table that it wrote. */
export const tableProfile: z.ZodType<TableProfile> = z.object({
  approximate: z.boolean(),
  sampled_row_count: count,
  columns: z.array(columnProfile),
});
