import type { SavedStatement } from '@millrace/catalog';
import { DomainError, type TenantId } from '@millrace/domain';
import type { EnginePool } from '@millrace/engine';
import { namedParameters, recognizeStatement } from '@millrace/sql';
import { paramTypesOf } from './saved-params.js';

/** To parse a statement and to cast its defaults takes no time; a parse process may be busy. */
const CHECK_MS_MAX = 30_000;

interface CheckOptions {
  readonly tenantId: TenantId;
  readonly signal: AbortSignal;
}

/** Whether statements can be saved: what the gate refuses and what can never be bound is not. Needs no table. */
export class StatementCheck {
  constructor(private readonly engine: EnginePool) {}

  /**
   * @throws DomainError `sql.*` of the gate, `saved_query.parameters_invalid`; `params.invalid` for a default that is none
   *   of its type; `query.*` of an engine process
   */
  async check(statement: SavedStatement, { tenantId, signal }: CheckOptions): Promise<void> {
    checkParameters(statement);
    const { sql } = recognizeStatement(statement.sql);
    const options = { tenantId, signal, deadlineMs: CHECK_MS_MAX };
    await this.engine.run({ kind: 'parse', sql }, options);
    await this.checkDefaults(statement, options);
  }

  /** Binds them, as a run does. */
  private async checkDefaults(
    { parameters }: SavedStatement,
    options: CheckOptions & { readonly deadlineMs: number },
  ): Promise<void> {
    const withDefault = parameters.filter((parameter) => parameter.default !== undefined);
    if (withDefault.length === 0) return;
    await this.engine.run(
      {
        kind: 'inspect',
        sql: `SELECT ${withDefault.map(({ name }) => `$${name}`).join(', ')}`,
        params: Object.fromEntries(withDefault.map(({ name, default: value }) => [name, value ?? null])),
        paramTypes: paramTypesOf(withDefault),
        explain: { analyze: false, format: 'text' },
        inputs: [],
        rowsMax: 0,
        answerBytesMax: 0,
      },
      options,
    );
  }
}

/** Parameters of the statement and those that were declared are the same. */
function checkParameters({ sql, parameters }: SavedStatement): void {
  const used = namedParameters(sql);
  const undeclared = used.filter((name) => !parameters.some((parameter) => isCalled(parameter, name)));
  const unused = parameters.filter((parameter) => !used.some((name) => isCalled(parameter, name)));
  if (undeclared.length > 0) {
    throw invalid(`The statement has ${listed(undeclared)}, which "parameters" does not name.`);
  }
  if (unused.length > 0) {
    throw invalid(`"parameters" names ${listed(unused.map(({ name }) => name))}, which the statement does not have.`);
  }
}

const isCalled = (parameter: { readonly name: string }, name: string): boolean => parameter.name === name;

const listed = (names: readonly string[]): string => names.map((name) => `$${name}`).join(', ');

function invalid(message: string): DomainError {
  return new DomainError('saved_query.parameters_invalid', message, { errors: [{ message, pointer: '/parameters' }] });
}
