import { datasetNotReady, type Catalog, type ResolvedVersion } from '@millrace/catalog';
import { DomainError, type DatasetId, type TenantId } from '@millrace/domain';

/** A dataset may be renamed between two looks at it. */
const LOOKS_MAX = 3;

export interface DatasetHead {
  readonly tableName: string;
  readonly version: ResolvedVersion;
}

/** Finds the newest ready versions of datasets. */
export class DatasetHeads {
  constructor(private readonly catalog: Catalog) {}

  /** @throws DomainError `dataset.not_found`, `dataset.not_ready` */
  async get(tenantId: TenantId, id: DatasetId): Promise<DatasetHead> {
    const { datasets } = this.catalog;
    for (let looks = 1; looks <= LOOKS_MAX; looks += 1) {
      const dataset = await datasets.get(tenantId, id);
      if (dataset.headVersionId === null) throw datasetNotReady(dataset);
      const tables = await datasets.resolveTables(tenantId, [dataset.tableName]);
      const version = tables.find((table) => table.datasetId === id)?.head;
      if (version) return { tableName: dataset.tableName, version };
    }
    throw new DomainError('dataset.not_ready', 'The dataset is being renamed. Try again in a moment.');
  }
}
