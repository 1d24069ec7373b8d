import type { Catalog, ResolvedTable, Result, VersionFile } from '@millrace/catalog';
import {
  DomainError,
  isId,
  ownThings,
  type Column,
  type DatasetId,
  type Reader,
  type ResultId,
  type ResultStatus,
  type TenantId,
  type VersionId,
} from '@millrace/domain';
import { unknownTable, type TableReference } from '@millrace/sql';
import type { InputFile } from './input-files.js';

/** Names that are suggested for one that does not exist. */
const SUGGESTIONS_MAX = 3;

export type TableSource =
  | { readonly type: 'dataset'; readonly datasetId: DatasetId; readonly versionId: VersionId }
  | { readonly type: 'result'; readonly resultId: ResultId };

/** A table of a statement: the exact files that it stands for. */
export interface InputTable {
  /** Where the statement names it first. */
  readonly reference: TableReference;
  readonly source: TableSource;
  readonly columns: readonly Column[];
  readonly rowCount: number;
  /** In the order of their rows. */
  readonly files: readonly InputFile[];
}

/** Finds the exact version behind each table that a statement names, for somebody who may read it. */
export class TableResolver {
  constructor(private readonly catalog: Catalog) {}

  /**
   * The tables in the order in which they are named first, each once.
   *
   * @throws DomainError `table.unknown` (does not exist, may not be read, has no version yet), `result.not_ready`,
   *   `result.processing`
   */
  async resolve(caller: Reader, references: readonly TableReference[]): Promise<InputTable[]> {
    const named = [...new Map(references.toReversed().map((reference) => [keyOf(reference), reference])).values()];
    const inOrder = named.toSorted((a, b) => a.byteOffset - b.byteOffset);
    const [datasets, results] = await Promise.all([
      this.findDatasets(caller.tenantId, inOrder),
      this.findResults(caller, inOrder),
    ]);
    const tables: InputTable[] = [];
    for (const reference of inOrder) {
      const key = keyOf(reference);
      const dataset = datasets.get(key);
      const result = results.get(key);
      if (dataset) tables.push(datasetTable(reference, dataset));
      else if (result) tables.push(resultTable(reference, result));
      else throw unknownTable(reference, await this.suggestionsFor(caller.tenantId, reference));
    }
    return tables;
  }

  private async findDatasets(
    tenantId: TenantId,
    references: readonly TableReference[],
  ): Promise<ReadonlyMap<string, ResolvedTable>> {
    const names = references.filter(({ schema }) => schema === 'datasets').map(({ name }) => name);
    const tables = names.length === 0 ? [] : await this.catalog.datasets.resolveTables(tenantId, names);
    return new Map(tables.map((table) => [keyOf({ schema: 'datasets', name: table.name }), table]));
  }

  private async findResults(
    caller: Reader,
    references: readonly TableReference[],
  ): Promise<ReadonlyMap<string, Result>> {
    const ids = references.filter(({ schema }) => schema === 'results').map(({ name }) => name);
    const resultIds = ids.filter((id) => isId('result', id));
    const results = await this.catalog.results.resolve(caller.tenantId, resultIds, ownThings(caller));
    return new Map(results.map((result) => [keyOf({ schema: 'results', name: result.id }), result]));
  }

  private async suggestionsFor(tenantId: TenantId, { schema, name }: TableReference): Promise<string[]> {
    if (schema === 'results') return [];
    const names = await this.catalog.datasets.findSimilarNames(tenantId, name, SUGGESTIONS_MAX);
    return names.map((similar) => `datasets.${similar}`);
  }
}

/** Names of tables are compared without regard to case. */
function keyOf({ schema, name }: Pick<TableReference, 'schema' | 'name'>): string {
  return `${schema}.${name.toLowerCase()}`;
}

function datasetTable(reference: TableReference, { datasetId, tableName, head }: ResolvedTable): InputTable {
  if (!head) {
    const message = `The table "datasets.${tableName}" has no rows yet: its first conversion has not ended.`;
    throw new DomainError('table.unknown', message, { errors: [{ message, ...reference.place }] });
  }
  const { versionId, columns, rowCount, files } = head;
  const source = { type: 'dataset', datasetId, versionId } as const;
  return { reference, columns, rowCount, files: files.map(toInputFile), source };
}

function resultTable(reference: TableReference, result: Result): InputTable {
  const { id: resultId, columns, rowCount } = result;
  const file = resultFile(result);
  if (result.status !== 'ready' || !file) throw resultNotReady(reference, result.status);
  return { reference, columns, rowCount, files: [file], source: { type: 'result', resultId } };
}

function toInputFile({ storageKey, contentHash, sizeBytes }: VersionFile): InputFile {
  return { storageKey, contentHash, sizeBytes };
}

/** The file of a ready result. A result says when its file has vanished, so each reader looks. */
export function resultFile({ storageKey, contentHash, sizeBytes }: Result): InputFile | undefined {
  if (storageKey === null || contentHash === null || sizeBytes === null) return undefined;
  return { storageKey, contentHash, sizeBytes, verify: true };
}

/** The error for a result that may be read, but has no rows to read. */
export function resultNotReady({ name, place }: TableReference, status: ResultStatus): DomainError {
  const message = `The result "results.${name}" is ${status}: only one that is ready can be queried.`;
  const code = status === 'processing' ? 'result.processing' : 'result.not_ready';
  return new DomainError(code, message, { errors: [{ message, ...place }] });
}
