import { adviceForFunction } from './advice.js';
import { canBeTable } from './can-be-table.js';
import { closeNames } from './close-names.js';
import { foldName, isVisible } from './cte-scope.js';
import { isRefusedFunction, SCALAR_FUNCTIONS, TABLE_FUNCTIONS } from './function-names.js';
import { quoteName, refusal, type Refusal } from './refusal.js';
import { AT_SENTENCE, readTableVersion, type TableVersion } from './table-version.js';
import { placeOf, type TextPlace } from './text-place.js';
import { NESTING_LEVELS_MAX, type RawNode, type TreeFault, type TreeVisitor, type VisitedNode } from './tree-walk.js';
import { bareTable, unknownTable } from './unknown-table.js';
import { isVolatileNode } from './volatility.js';

/** How many times a statement may name a table; each is looked up, and may be another file. */
export const TABLE_REFERENCES_MAX = 1_000;

/** A client can not send more of them. */
export const PARAMETERS_MAX = 1_000;

const SUGGESTIONS_MAX = 3;

export type TableSchema = 'datasets' | 'results';

export interface FoundTable {
  readonly schema: TableSchema;
  readonly name: string;
  readonly alias: string | undefined;
  readonly version: TableVersion | undefined;
  /** How many parts the name has in the text. */
  readonly nameParts: number;
  readonly byteOffset: number;
}

/** What the gate looks for while the tree is walked; throws at the first thing that is not allowed. */
export class StatementAnalysis implements TreeVisitor {
  readonly tables: FoundTable[] = [];
  readonly parameters = new Set<string>();
  #isVolatile = false;

  /** @param sql the text that was parsed, for lines and columns */
  constructor(private readonly sql: string) {}

  /** Whether it may give other rows when it runs again on the same tables. */
  get isVolatile(): boolean {
    return this.#isVolatile;
  }

  visit(visited: VisitedNode): void {
    this.#isVolatile ||= isVolatileNode(visited);
    if (visited.kind === 'table') this.#visitTable(visited);
    else if (visited.kind === 'tableFunction') this.#visitTableFunction(visited);
    else if (visited.kind === 'expression') this.#visitExpression(visited);
    else if (visited.kind === 'pivot') this.#visitPivot(visited);
  }

  fault({ kind, node, byteOffset }: TreeFault): never {
    if (kind === 'nesting') {
      const message = `The statement nests too deep: at most ${NESTING_LEVELS_MAX} levels are allowed.`;
      throw this.#refusal({ code: 'sql.not_allowed', message, byteOffset });
    }
    const name = [node['class'], node['type']].find((part) => typeof part === 'string') ?? 'unknown';
    const message = `This part of the statement is not supported (${String(name).slice(0, 60)}).`;
    throw this.#refusal({ code: 'sql.not_allowed', message, byteOffset });
  }

  #visitTable(visited: VisitedNode): void {
    const { type } = visited.node;
    if (type === 'SHOW_REF') this.#visitShow(visited);
    if (type === 'BASE_TABLE') this.#visitBaseTable(visited);
  }

  /** Without a query in it, it reads what DuckDB itself has: nothing of the caller's. */
  #visitShow(visited: VisitedNode): void {
    const { query, show_type: type } = visited.node;
    if (query !== null && query !== undefined && (type === 'DESCRIBE' || type === 'SUMMARY')) return;
    throw this.#notAllowed(visited, 'SHOW TABLES stands alone: it can not be part of another statement.');
  }

  #visitBaseTable(visited: VisitedNode): void {
    const { node, scope, byteOffset } = visited;
    const [catalog, schema, name] = [
      textOf(node, 'catalog_name'),
      textOf(node, 'schema_name'),
      textOf(node, 'table_name'),
    ];
    if (catalog === '' && schema === '' && isVisible(scope, name)) return this.#refuseVersion(visited, 'a CTE');
    const named = { schema: [catalog, schema].filter(Boolean).join('.'), name };
    if (named.schema === '') throw bareTable({ ...named, place: this.#placeOf(byteOffset) });
    const resolved = resolveSchema(catalog, schema);
    if (!resolved || !canBeTable(resolved, name)) throw unknownTable({ ...named, place: this.#placeOf(byteOffset) });
    if (resolved === 'results') this.#refuseVersion(visited, 'a result');
    this.#addTable(visited, {
      schema: resolved,
      name: resolved === 'results' ? foldName(name) : name,
      alias: textOf(node, 'alias') || undefined,
      version: this.#versionOf(visited),
      nameParts: catalog === '' ? 2 : 3,
      byteOffset,
    });
  }

  #versionOf(visited: VisitedNode): TableVersion | undefined {
    if (!hasVersion(visited)) return undefined;
    const version = readTableVersion(visited.node['at_clause']);
    if (version) return version;
    throw this.#notAllowed(visited, AT_SENTENCE);
  }

  #refuseVersion(visited: VisitedNode, what: string): void {
    if (hasVersion(visited)) throw this.#notAllowed(visited, `AT is for datasets: ${what} has one version only.`);
  }

  #addTable(visited: VisitedNode, table: FoundTable): void {
    if (this.tables.length >= TABLE_REFERENCES_MAX) {
      throw this.#notAllowed(visited, `A statement may name at most ${TABLE_REFERENCES_MAX} tables.`);
    }
    this.tables.push(table);
  }

  #visitTableFunction(visited: VisitedNode): void {
    const { node } = visited;
    this.#refuseExportState(visited);
    const name = foldName(textOf(node, 'function_name'));
    if (!TABLE_FUNCTIONS.has(name))
      throw this.#unknownFunction({ visited, name, known: TABLE_FUNCTIONS, what: 'table function' });
  }

  #visitExpression(visited: VisitedNode): void {
    const { node } = visited;
    if (node['class'] === 'PARAMETER') this.#addParameter(visited);
    if (node['class'] !== 'FUNCTION' && node['class'] !== 'WINDOW') return;
    this.#refuseExportState(visited);
    const name = foldName(textOf(node, 'function_name'));
    if (!SCALAR_FUNCTIONS.has(name))
      throw this.#unknownFunction({ visited, name, known: SCALAR_FUNCTIONS, what: 'function' });
  }

  #addParameter(visited: VisitedNode): void {
    this.parameters.add(textOf(visited.node, 'identifier'));
    if (this.parameters.size <= PARAMETERS_MAX) return;
    const message = `A statement may have at most ${PARAMETERS_MAX} parameters.`;
    throw this.#refusal({ code: 'params.invalid', message, byteOffset: visited.byteOffset });
  }

  #visitPivot(visited: VisitedNode): void {
    if (textOf(visited.node, 'pivot_enum') !== '')
      throw this.#notAllowed(visited, 'PIVOT needs its values: ON column IN (value, …).');
  }

  #refuseExportState(visited: VisitedNode): void {
    if (visited.node['export_state'] === true) throw this.#notAllowed(visited, 'EXPORT_STATE is not allowed.');
  }

  #unknownFunction(unknown: { visited: VisitedNode; name: string; known: ReadonlySet<string>; what: string }): Error {
    const { visited, name, known, what } = unknown;
    if (isRefusedFunction(name)) {
      return this.#notAllowed(
        visited,
        `The function ${quoteName(name)} is not available here.${adviceForFunction(name)}`,
      );
    }
    const words = [...known].filter((candidate) => /^\w+$/.test(candidate));
    const close = closeNames(name, words, SUGGESTIONS_MAX);
    const hint = close.length === 0 ? '' : ` Did you mean ${close.join(', ')}?`;
    const message = `There is no ${what} ${quoteName(name)}.${hint}`;
    return this.#refusal({ code: 'function.unknown', message, byteOffset: visited.byteOffset });
  }

  #notAllowed({ byteOffset }: VisitedNode, message: string): Error {
    return this.#refusal({ code: 'sql.not_allowed', message, byteOffset });
  }

  #refusal(what: Refusal): Error {
    return refusal(this.sql, what);
  }

  #placeOf(byteOffset: number): TextPlace {
    return placeOf(this.sql, byteOffset);
  }
}

function hasVersion({ node }: VisitedNode): boolean {
  return node['at_clause'] !== null && node['at_clause'] !== undefined;
}

/** `datasets.x`, `datasets.main.x`, and the same for results. */
function resolveSchema(catalog: string, schema: string): TableSchema | undefined {
  if (catalog !== '' && foldName(schema) !== 'main') return undefined;
  const root = foldName(catalog === '' ? schema : catalog);
  return root === 'datasets' || root === 'results' ? root : undefined;
}

/** The field's text; anything else is no text, and no name that could be found. */
function textOf(node: RawNode, field: string): string {
  const value = node[field];
  return typeof value === 'string' ? value : '';
}
