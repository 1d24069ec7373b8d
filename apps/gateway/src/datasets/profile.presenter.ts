import type { Dataset, JsonObject } from '@millrace/catalog';
import { tableProfileSchema, type ProfileBody } from '@millrace/contract';

/** The profile of a dataset's version as the contract shows it: with the names of the columns. */
export function presentProfile(dataset: Dataset, stored: JsonObject): ProfileBody {
  const { approximate, sampled_row_count, columns } = tableProfileSchema.parse(stored);
  const seen = dataset.columns ?? [];
  return {
    dataset_id: dataset.id,
    version: dataset.version ?? 0,
    row_count: dataset.rowCount ?? 0,
    approximate,
    sampled_row_count,
    columns: columns.map((profile, index) => ({
      name: seen[index]?.name ?? '',
      type: seen[index]?.type ?? '',
      ...profile,
    })),
  };
}
