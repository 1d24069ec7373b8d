import type { Catalog } from '@millrace/catalog';
import type { previewSchema, RowFormat } from '@millrace/contract';
import type { DatasetId, Principal } from '@millrace/domain';
import type { z } from 'zod';
import type { DatasetHeads } from '../datasets/dataset-heads.js';
import type { TablePages } from '../inputs/table-pages.js';
import type { OpenWork } from '../open-work.js';
import { columnFields, engineRows, withRows } from '../rows-json.js';

export interface PreviewsParts {
  readonly catalog: Catalog;
  readonly heads: DatasetHeads;
  readonly pages: TablePages;
  readonly work: OpenWork;
}

export interface PreviewRequest {
  readonly limit: number;
  readonly format: RowFormat;
  readonly signal: AbortSignal;
}

/** Shows the first rows of datasets. */
export class PreviewsService {
  constructor(private readonly parts: PreviewsParts) {}

  /**
   * @returns the answer as JSON text
   * @throws DomainError `dataset.not_found`, `dataset.not_ready`, `storage.unavailable`, `storage.object_missing`, …
   */
  preview(caller: Principal, id: DatasetId, wanted: PreviewRequest): Promise<string> {
    return this.parts.work.run(async () => {
      const { tenantId } = caller;
      const { version } = await this.parts.heads.get(tenantId, id);
      const { inlineAnswerBytesMax } = await this.parts.catalog.tenants.limitsOf(tenantId);
      const page = await this.parts.pages.read({
        tenantId,
        files: version.files,
        columns: version.columns,
        offset: 0,
        limit: wanted.limit,
        rowFormat: engineRows(wanted.format),
        answerBytesMax: inlineAnswerBytesMax,
        signal: AbortSignal.any([wanted.signal, this.parts.work.signal]),
      });
      const fields: Omit<z.output<typeof previewSchema>, 'rows'> = {
        dataset_id: id,
        version: version.number,
        ...columnFields(version.columns),
        row_count: page.rowsReturned,
        total_row_count: page.totalRowCount,
        truncated: page.rowsReturned < page.totalRowCount,
      };
      return withRows(fields, page.rowsJson);
    });
  }
}
