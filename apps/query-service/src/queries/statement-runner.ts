import { rm } from 'node:fs/promises';
import type { Catalog } from '@millrace/catalog';
import { DomainError, toDomainError, type Reader } from '@millrace/domain';
import type { EnginePool, InspectAnswer, QueryResult, RowFormat, TableInput } from '@millrace/engine';
import { recognizeStatement, refuseVersions, type AnalyzedStatement, type ExplainOptions } from '@millrace/sql';
import { isRowFormat } from '../formats/negotiate-answer.js';
import { notAcceptable } from '../formats/negotiate-format.js';
import { InputLostError, type InputFiles, type PinnedInputs } from '../inputs/input-files.js';
import { resultNotReady, type InputTable, type TableResolver } from '../inputs/table-resolver.js';
import type { TableList } from '../inputs/table-list.js';
import type { ResultReuse, ReusedAnswer } from '../reuse/result-reuse.js';
import type { QueryRequest } from './query-request.js';
import type { RunningQuery } from './running-query.js';

/** A file may be deleted between the moment its table is looked up and the moment it is pinned. */
const PIN_TRIES_MAX = 2;

const JSON_ONLY =
  'EXPLAIN, DESCRIBE, SUMMARIZE and SHOW are answered in JSON only: leave "format" out, or ask for "objects".';

export interface StatementRunnerParts {
  readonly catalog: Catalog;
  /** Where statements are parsed. */
  readonly parser: EnginePool;
  /** Where they run. */
  readonly engine: EnginePool;
  readonly inputs: InputFiles;
  readonly tables: TableResolver;
  readonly tableList: TableList;
  /** Undefined where nobody waits for rows: each run makes its own. */
  readonly reuse: ResultReuse | undefined;
}

export interface StatementRequest {
  readonly caller: Reader;
  readonly request: QueryRequest;
  readonly query: RunningQuery;
  /** Notes that the query runs, and what it reads; throws when it turns out to have ended. */
  readonly noteStart: (tables: readonly InputTable[]) => Promise<void>;
}

export interface StatementResult {
  /** The tables that were read. */
  readonly tables: readonly InputTable[];
  /** With the file of the whole result, which is the caller's to keep or delete; without one when nothing is kept. */
  readonly result: QueryResult | InspectAnswer | ReusedAnswer;
  /** What the result may be the answer to again; undefined when nobody is to reuse it. */
  readonly reuseKey?: string | undefined;
}

/** A statement that has passed the gate. */
export interface CheckedStatement {
  /** The text that was checked, and no other, is what runs. */
  readonly sql: string;
  readonly explain: ExplainOptions | undefined;
  readonly analyzed: AnalyzedStatement;
  /** Whether its rows become a result; the answer to any other is all there is of it. */
  readonly isKept: boolean;
  /** Of what it says, whatever its layout. */
  readonly fingerprint: string;
}

/** Takes a statement from its text to a file with its result. */
export class StatementRunner {
  constructor(private readonly parts: StatementRunnerParts) {}

  /** @throws DomainError whatever is wrong with the statement's inputs or its run */
  async run(statement: StatementRequest, checked: CheckedStatement): Promise<StatementResult> {
    const { form } = checked.analyzed;
    if (form === 'showTables' || form === 'showAllTables') return this.showTables(statement, checked, form);
    const { tables, pinned } = await this.pinTables(statement, checked);
    try {
      const found = await this.parts.reuse?.find({ ...statement, checked, tables });
      if (found?.answer) return { tables, result: found.answer };
      const read = async (): Promise<QueryResult | InspectAnswer> => {
        const paths = await this.fetch(statement, tables, pinned);
        const inputs = tables.map((table) => toTableInput(table, paths));
        return this.execute(statement, checked, inputs);
      };
      const run = (): ReturnType<typeof read> => pinned.withIntactCopies(statement.query.signal, read);
      const result = await this.noteStart(statement, tables, run);
      return { tables, result, reuseKey: found?.key };
    } finally {
      await pinned.release();
    }
  }

  /** Runs while the start is noted: a query that turns out to have ended is stopped, and what it wrote goes. */
  private async noteStart(
    { query, noteStart }: StatementRequest,
    tables: readonly InputTable[],
    run: () => Promise<QueryResult | InspectAnswer>,
  ): Promise<QueryResult | InspectAnswer> {
    const noting = noteStart(tables).catch((error: unknown) => {
      query.abort(toDomainError(error));
      throw error;
    });
    const [noted, ran] = await Promise.allSettled([noting, run()]);
    if (noted.status === 'fulfilled' && ran.status === 'fulfilled') return ran.value;
    if (ran.status === 'fulfilled' && 'filePath' in ran.value) await rm(ran.value.filePath, { force: true });
    throw noted.status === 'rejected' ? noted.reason : (ran as PromiseRejectedResult).reason;
  }

  /**
   * The gate: nothing that it has not let through reaches an engine process with files.
   *
   * @throws DomainError whatever is wrong with the statement itself
   */
  async check({ request, query }: Pick<StatementRequest, 'request' | 'query'>): Promise<CheckedStatement> {
    const { sql, explain } = recognizeStatement(request.sql);
    const { statement: analyzed, fingerprint } = await this.parts.parser.run(
      { kind: 'parse', sql },
      { tenantId: query.key.tenantId, deadlineMs: query.remainingMs, signal: query.signal },
    );
    refuseVersions(sql, analyzed.tables);
    const isKept = analyzed.form === 'select' && !explain;
    if (!isKept && !isRowFormat(request.format)) throw notAcceptable(JSON_ONLY);
    return { sql, explain, analyzed, isKept, fingerprint };
  }

  /** The catalog alone knows the tables: an engine process has those of one statement. */
  private async showTables(
    { request, query, noteStart }: StatementRequest,
    { explain }: CheckedStatement,
    form: 'showTables' | 'showAllTables',
  ): Promise<StatementResult> {
    if (explain)
      throw new DomainError('sql.not_allowed', 'SHOW TABLES has no plan: EXPLAIN needs a statement that reads.');
    if (Object.keys(request.params ?? {}).length > 0)
      throw new DomainError('params.invalid', 'SHOW TABLES has no parameters.');
    const { tenantId } = query.key;
    await noteStart([]);
    return { tables: [], result: await this.parts.tableList.show(tenantId, form, request) };
  }

  private async pinTables(
    { caller, query }: StatementRequest,
    { analyzed }: CheckedStatement,
  ): Promise<{ tables: readonly InputTable[]; pinned: PinnedInputs }> {
    const { holder } = query;
    const { tenantId } = query.key;
    for (let tries = 1; ; tries += 1) {
      query.signal.throwIfAborted();
      const tables = await this.parts.tables.resolve(caller, analyzed.tables);
      try {
        const files = tables.flatMap((table) => table.files);
        return { tables, pinned: await this.parts.inputs.pin({ tenantId, holder, files }) };
      } catch (error) {
        const isGone = error instanceof DomainError && error.code === 'storage.object_missing';
        if (!isGone || tries === PIN_TRIES_MAX) throw error;
      }
    }
  }

  private async fetch(
    { query }: StatementRequest,
    tables: readonly InputTable[],
    pinned: PinnedInputs,
  ): Promise<ReadonlyMap<string, string>> {
    try {
      return await pinned.fetch(query.signal);
    } catch (error) {
      if (!(error instanceof InputLostError) || !error.isMissing) throw error;
      const owner = tables.find(({ files }) => files.some((file) => file.storageKey === error.storageKey));
      if (owner?.source.type !== 'result') throw error;
      await this.parts.catalog.results.markFileMissing({ tenantId: query.key.tenantId, id: owner.source.resultId });
      throw resultNotReady(owner.reference, 'failed');
    }
  }

  private execute(
    { request, query }: StatementRequest,
    { sql, explain, analyzed }: CheckedStatement,
    inputs: readonly TableInput[],
  ): Promise<QueryResult | InspectAnswer> {
    const { params, paramTypes, rowsMax, answerBytesMax, resultBytesMax } = request;
    const rowFormat: RowFormat = request.format === 'objects' ? 'objects' : 'arrays';
    const options = { tenantId: query.key.tenantId, deadlineMs: query.remainingMs, signal: query.signal };
    const common = { sql, params, paramTypes, inputs, rowsMax, rowFormat, answerBytesMax };
    if (explain || analyzed.form === 'inspect') {
      return this.parts.engine.run({ kind: 'inspect', ...common, explain }, options);
    }
    const onProgress = (fraction: number): void => query.noteProgress(fraction);
    return this.parts.engine.run({ kind: 'query', ...common, resultBytesMax }, { ...options, onProgress });
  }
}

function toTableInput({ reference, files, columns }: InputTable, paths: ReadonlyMap<string, string>): TableInput {
  const local = files.map((file) => paths.get(file.storageKey) ?? '');
  return { schema: reference.schema, table: reference.name, files: local, columns };
}
