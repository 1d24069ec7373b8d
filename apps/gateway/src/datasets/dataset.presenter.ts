import type { Dataset } from '@millrace/catalog';
import { sourceConfigSchema, type DatasetBody } from '@millrace/contract';
import { z } from 'zod';
import { presentError } from '../presenting.js';

const statisticsSchema = z.object({ warnings: z.array(z.string()), reused: z.boolean().default(false) });

/**
 * A dataset as the contract shows it.
 *
 * @param progress of its conversion, 0 to 1, while one runs
 */
export function presentDataset(dataset: Dataset, progress: number | null = null): DatasetBody {
  const { data: statistics } = statisticsSchema.safeParse(dataset.statistics);
  return {
    id: dataset.id,
    label: dataset.label,
    schema_name: 'main',
    table_name: dataset.tableName,
    status: dataset.status,
    version: dataset.version,
    row_count: dataset.rowCount,
    size_bytes: dataset.sizeBytes,
    columns: (dataset.columns ?? []).map((column) => ({ ...column })),
    source_type: dataset.sourceType,
    source_config: sourceConfigSchema.parse(dataset.sourceConfig),
    reused: statistics?.reused ?? false,
    warnings: statistics?.warnings ?? [],
    job_id: dataset.jobId,
    progress: dataset.status === 'processing' ? progress : null,
    error: presentError(dataset.error),
    created_at: dataset.createdAt.toISOString(),
    updated_at: dataset.updatedAt.toISOString(),
  };
}
