import { randomUUID } from 'node:crypto';
import type { Column, TenantId } from '@millrace/domain';
import type { EnginePool } from '@millrace/engine';
import type { InputFiles } from '../inputs/input-files.js';
import type { InputTable } from '../inputs/table-resolver.js';
import type { QueryRequest } from '../queries/query-request.js';

/** Far more than the plan of a statement that may be as long as it can be. */
const PLAN_BYTES_MAX = 64 * 1024 ** 2;

export interface PlannedStatement {
  readonly tenantId: TenantId;
  /** The text that passed the gate. */
  readonly sql: string;
  readonly params: QueryRequest['params'];
  readonly tables: readonly InputTable[];
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Finds out what a statement would give and how, without running it. */
export class StatementPlanner {
  constructor(private readonly parts: { readonly engine: EnginePool; readonly inputs: InputFiles }) {}

  /**
   * The columns that a run would have. No file is touched.
   *
   * @throws DomainError what is wrong with the statement or its parameters; what an engine process may say
   */
  async columnsOf({ tenantId, sql, params, tables, deadlineMs, signal }: PlannedStatement): Promise<readonly Column[]> {
    const inputs = tables.map((table) => toTableInput(table, []));
    const options = { tenantId, deadlineMs, signal };
    return (await this.parts.engine.run({ kind: 'describe', sql, params, inputs }, options)).columns;
  }

  /**
   * DuckDB's plan over the files, which are fetched for that.
   *
   * @throws DomainError as `columnsOf`, and `storage.*`
   */
  async planOf({ tenantId, tables, deadlineMs, signal, ...statement }: PlannedStatement): Promise<unknown> {
    const files = tables.flatMap((table) => table.files);
    const pinned = await this.parts.inputs.pin({ tenantId, holder: `plan-${randomUUID()}`, files });
    try {
      return await pinned.withIntactCopies(signal, async () => {
        const paths = await pinned.fetch(signal);
        const inputs = tables.map((table) =>
          toTableInput(
            table,
            table.files.map(({ storageKey }) => paths.get(storageKey) ?? ''),
          ),
        );
        const explain = { analyze: false, format: 'json' } as const;
        const limits = { rowsMax: 1, answerBytesMax: PLAN_BYTES_MAX };
        const task = { kind: 'inspect', ...statement, inputs, explain, ...limits } as const;
        return planIn(await this.parts.engine.run(task, { tenantId, deadlineMs, signal }));
      });
    } finally {
      await pinned.release();
    }
  }
}

/** EXPLAIN gives one row: what kind of plan it is, and the plan as a text. */
function planIn({ rowsJson }: { readonly rowsJson: string }): unknown {
  const [row] = JSON.parse(rowsJson) as [string, string][];
  return row && JSON.parse(row[1]);
}

function toTableInput({ reference, columns }: InputTable, files: readonly string[]) {
  return { schema: reference.schema, table: reference.name, files, columns };
}
