import type { Catalog, Dataset, ResolvedVersion } from '@millrace/catalog';
import type { previewSchema } from '@millrace/contract';
import { DomainError, type DatasetId, type Principal, type TenantId } from '@millrace/domain';
import type { z } from 'zod';
import type { TablePages } from '../inputs/table-pages.js';
import type { OpenWork } from '../open-work.js';
import { columnFields, withRows } from '../rows-json.js';

/** A dataset may be renamed between two looks at it. */
const LOOKS_MAX = 3;

export interface PreviewsParts {
  readonly catalog: Catalog;
  readonly pages: TablePages;
  readonly work: OpenWork;
}

/** Shows the first rows of datasets. */
export class PreviewsService {
  constructor(private readonly parts: PreviewsParts) {}

  /**
   * @returns the answer as JSON text
   * @throws DomainError `dataset.not_found`, `dataset.not_ready`, `storage.unavailable`, `storage.object_missing`, …
   */
  preview(caller: Principal, id: DatasetId, wanted: { limit: number; signal: AbortSignal }): Promise<string> {
    return this.parts.work.run(async () => {
      const { tenantId } = caller;
      const { number, columns, files } = await this.findHead(tenantId, id);
      const { inlineAnswerBytesMax } = await this.parts.catalog.tenants.limitsOf(tenantId);
      const signal = AbortSignal.any([wanted.signal, this.parts.work.signal]);
      const page = await this.parts.pages.read({
        tenantId,
        files,
        columns,
        offset: 0,
        limit: wanted.limit,
        answerBytesMax: inlineAnswerBytesMax,
        signal,
      });
      const fields: Omit<z.output<typeof previewSchema>, 'rows'> = {
        dataset_id: id,
        version: number,
        ...columnFields(columns),
        row_count: page.rowsReturned,
        total_row_count: page.totalRowCount,
        truncated: page.rowsReturned < page.totalRowCount,
      };
      return withRows(fields, page.rowsJson);
    });
  }

  private async findHead(tenantId: TenantId, id: DatasetId): Promise<ResolvedVersion> {
    const { datasets } = this.parts.catalog;
    for (let looks = 1; looks <= LOOKS_MAX; looks += 1) {
      const dataset = await datasets.get(tenantId, id);
      if (dataset.headVersionId === null) throw notReady(dataset);
      const tables = await datasets.resolveTables(tenantId, [dataset.tableName]);
      const head = tables.find((table) => table.datasetId === id)?.head;
      if (head) return head;
    }
    throw new DomainError('dataset.not_ready', 'The dataset is being renamed. Try again in a moment.');
  }
}

function notReady({ status, error }: Dataset): DomainError {
  if (status === 'failed') {
    return new DomainError('dataset.not_ready', `The conversion has failed: ${error?.detail ?? 'no reason is known.'}`);
  }
  return new DomainError('dataset.not_ready', 'The dataset is still being converted. Try again in a moment.');
}
