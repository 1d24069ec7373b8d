import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { analyzeStatement } from './analyze-statement.js';
import { TABLE_REFERENCES_MAX } from './statement-analysis.js';

type Tree = Record<string, unknown>;

/** The tree of `SELECT 1`, as recorded. */
const SELECT_1 = readFileSync(new URL('../fixtures/trees.ndjson', import.meta.url), 'utf8').split('\n')[0] ?? '';

const NODE = selectOfTree();

function selectOfTree(): Tree {
  const { sql, tree } = JSON.parse(SELECT_1) as { sql: string; tree: { statements: { node: Tree }[] } };
  const node = tree.statements[0]?.node;
  if (sql !== 'SELECT 1' || !node) throw new Error('The first tree is not that of SELECT 1.');
  return node;
}

const selectOne = (): Tree => ({ ...NODE });

const treeOf = (node: unknown): Tree => ({ error: false, statements: [{ node, named_param_map: [] }] });

const select = (fields: Tree): Tree => ({ ...selectOne(), ...fields });

const constant = { class: 'CONSTANT', type: 'VALUE_CONSTANT', alias: '', value: {} };

const call = (children: unknown[], more: Tree = {}): Tree => ({
  class: 'FUNCTION',
  type: 'FUNCTION',
  function_name: 'abs',
  children,
  ...more,
});

const typeName = (children: unknown[], more: Tree = {}): Tree => ({ class: 'TYPE', type: 'TYPE', children, ...more });

const cast = (expr: unknown, more: Tree = {}): Tree => ({
  class: 'CAST',
  type: 'OPERATOR_CAST',
  child: constant,
  cast_type: { id: 'UNBOUND', type_info: { type: 'UNBOUND_TYPE_INFO', expr, ...more } },
});

const baseTable = (name: string): Tree => ({ type: 'BASE_TABLE', schema_name: '', catalog_name: '', table_name: name });

const union = (children: unknown[]): Tree => ({ type: 'SET_OPERATION_NODE', children });

function nest(levels: number, wrap: (inner: Tree) => Tree, innermost: Tree): Tree {
  let tree = innermost;
  for (let level = 0; level < levels; level += 1) tree = wrap(tree);
  return tree;
}

function codeOf(tree: unknown, statementCount = 1): string {
  try {
    analyzeStatement({ sql: 'SELECT 1', tree, statementCount });
    return 'allowed';
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

describe('a tree that is not what it should be', () => {
  it('is let pass when nothing is wrong', () => {
    expect(codeOf(treeOf(selectOne()))).toBe('allowed');
    expect(codeOf(treeOf(select({ select_list: [call([constant])] })))).toBe('allowed');
    expect(codeOf(treeOf(select({ select_list: [cast(typeName([typeName([constant])]))] })))).toBe('allowed');
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'SELECT 1'],
    ['a list', []],
    ['a list of statements', [{ node: selectOne(), named_param_map: [] }]],
    ['an empty object', {}],
    ['no statements', { error: false }],
    ['statements that are none', { error: false, statements: {} }],
    ['zero statements', { error: false, statements: [] }],
    ['a statement that is none', { error: false, statements: [1] }],
    ['a statement without a node', { error: false, statements: [{}] }],
    ['a statement with more than a node', { error: false, statements: [{ node: selectOne(), more: {} }] }],
    ['an unknown query', treeOf(select({ type: 'INSERT_QUERY_NODE' }))],
    ['a query named after a method of objects', treeOf(select({ type: 'constructor' }))],
    ['an unknown field of a query', treeOf(select({ extra: null }))],
    ['a field named after a method of objects', treeOf(select({ toString: null }))],
    ['an unknown table', treeOf(select({ from_table: { type: 'COLUMN_DATA' } }))],
    ['a table that is none', treeOf(select({ from_table: 'datasets.sales' }))],
    ['a table without a type', treeOf(select({ from_table: {} }))],
    ['an unknown expression', treeOf(select({ select_list: [{ class: 'BOUND_FUNCTION', type: 'FUNCTION' }] }))],
    ['an unknown type of expression', treeOf(select({ select_list: [{ ...constant, type: 'VALUE_SCALAR' }] }))],
    ['an expression that is none', treeOf(select({ select_list: [1] }))],
    ['an unknown field of an expression', treeOf(select({ select_list: [{ ...constant, child: null }] }))],
    ['a query inside a value', treeOf(select({ select_list: [{ ...constant, value: { x: selectOne() } }] }))],
    ['a call inside a value', treeOf(select({ select_list: [{ ...constant, value: [call([])] }] }))],
    ['a table inside a value', treeOf(select({ sample: { method: baseTable('x') } }))],
    ['a call in a place for names', treeOf(select({ group_sets: [[call([])]] }))],
    ['a call in a type', treeOf(select({ select_list: [cast(typeName([call([])]))] }))],
    ['a call for a type', treeOf(select({ select_list: [cast(call([]))] }))],
    ['a query beside a type', treeOf(select({ select_list: [cast(typeName([]), { extension_info: selectOne() })] }))],
    ['an unknown form of a type', treeOf(select({ select_list: [cast(typeName([]), { type: 'ANY_TYPE_INFO' })] }))],
    ['a type in the place of a value', treeOf(select({ select_list: [typeName([])] }))],
    ['the halves of a UNION that DuckDB does not write', treeOf({ ...union([]), left: selectOne() })],
    ['an unknown modifier', treeOf(select({ modifiers: [{ type: 'RESULT_MODIFIER' }] }))],
    [
      'columns that should be empty',
      treeOf(select({ from_table: join({ duplicate_eliminated_columns: [constant] }) })),
    ],
    ['an entry of WITH without a name', treeOf(select({ cte_map: { map: [{ value: {} }] } }))],
    ['an entry of WITH with more', treeOf(select({ cte_map: { map: [{ key: 'a', value: {}, more: 1 }] } }))],
    ['a WITH that is none', treeOf(select({ cte_map: { map: [1] } }))],
    ['lists in lists in lists', treeOf(select({ select_list: [[[constant]]] }))],
  ])('is refused: %s', (_, tree) => {
    expect(codeOf(tree)).toBe('sql.not_allowed');
  });

  it('is refused when the count of statements says more than the tree', () => {
    expect(codeOf(treeOf(selectOne()), 2)).toBe('sql.not_allowed');
    expect(codeOf(treeOf(selectOne()), 0)).toBe('sql.not_allowed');
    const two = { error: false, statements: [{ node: selectOne() }, { node: selectOne() }] };
    expect(codeOf(two)).toBe('sql.not_allowed');
  });

  it('knows a function without a name as little as one with a wrong name', () => {
    expect(codeOf(treeOf(select({ select_list: [call([], { function_name: 7 })] })))).toBe('function.unknown');
    expect(codeOf(treeOf(select({ select_list: [call([], { function_name: '__proto__' })] })))).toBe(
      'function.unknown',
    );
    expect(codeOf(treeOf(select({ select_list: [call([], { function_name: 'x'.repeat(100_000) })] })))).toBe(
      'function.unknown',
    );
  });

  it('knows a table without a name as little as one with a wrong name', () => {
    expect(codeOf(treeOf(select({ from_table: { ...baseTable(''), table_name: 7 } })))).toBe('table.unknown');
    expect(codeOf(treeOf(select({ from_table: baseTable('__proto__') })))).toBe('table.unknown');
    expect(codeOf(treeOf(select({ from_table: baseTable('x'.repeat(100_000)) })))).toBe('table.unknown');
  });
});

describe('a tree that is too deep', () => {
  it.each([
    ['calls', nest(100_000, (inner) => call([inner]), constant)],
    ['sums', nest(100_000, (inner) => call([inner, constant], { function_name: '+', is_operator: true }), constant)],
    ['scalar subqueries', nest(100_000, (inner) => scalarSubquery(inner), constant)],
  ])('is refused: 100,000 %s', (_, expression) => {
    expect(codeOf(treeOf(select({ select_list: [expression] })))).toBe('sql.not_allowed');
  });

  it.each([
    ['subqueries', nest(100_000, (inner) => subquery(inner), baseTable('x'))],
    ['joins', nest(100_000, (inner) => join({ left: inner }), baseTable('x'))],
    ['joins in parentheses', nest(100_000, (inner) => join({ right: inner }), baseTable('x'))],
  ])('is refused: 100,000 %s', (_, table) => {
    expect(codeOf(treeOf(select({ from_table: table })))).toBe('sql.not_allowed');
  });

  it('is refused: 100,000 unions, WITH in WITH, and types in types', () => {
    const unionWith = (inner: Tree): Tree => union([inner, selectOne()]);
    expect(codeOf(treeOf(nest(100_000, unionWith, selectOne())))).toBe('sql.not_allowed');
    expect(codeOf(treeOf(select({ select_list: [cast(nest(100_000, (inner) => typeName([inner]), constant))] })))).toBe(
      'sql.not_allowed',
    );
    const inWith = (inner: Tree): Tree =>
      select({ cte_map: { map: [{ key: 'a', value: { query: { node: inner } } }] } });
    expect(codeOf(treeOf(nest(100_000, inWith, selectOne())))).toBe('sql.not_allowed');
  });

  it('is refused: a value 100,000 deep holding a call', () => {
    const value = nest(100_000, (inner) => ({ children: [inner] }), call([]));
    expect(codeOf(treeOf(select({ select_list: [{ ...constant, value }] })))).toBe('sql.not_allowed');
  });

  it('is let pass up to 200 levels, and as a long chain', () => {
    const calls = (levels: number): Tree => select({ select_list: [nest(levels, (inner) => call([inner]), constant)] });
    expect(codeOf(treeOf(calls(198)))).toBe('allowed');
    expect(codeOf(treeOf(calls(199)))).toBe('sql.not_allowed');
    const sum = nest(3_000, (inner) => call([inner, constant], { function_name: '+', is_operator: true }), constant);
    expect(codeOf(treeOf(select({ select_list: [sum] })))).toBe('allowed');
  });
});

describe('a tree that is too wide', () => {
  it('may name so many tables and no more, quickly', () => {
    const tables = (count: number): Tree =>
      select({
        select_list: Array.from({ length: count }, () =>
          scalarSubqueryOf(select({ from_table: { ...baseTable('sales'), schema_name: 'datasets' } })),
        ),
      });
    expect(codeOf(treeOf(tables(TABLE_REFERENCES_MAX)))).toBe('allowed');
    expect(codeOf(treeOf(tables(TABLE_REFERENCES_MAX + 1)))).toBe('sql.not_allowed');
  });

  it('finds names in a WITH of 50,000 entries quickly', () => {
    const map = Array.from({ length: 50_000 }, (_, index) => ({
      key: `c${index}`,
      value: { query: { node: index === 0 ? selectOne() : select({ from_table: baseTable(`c${index - 1}`) }) } },
    }));
    expect(codeOf(treeOf(select({ cte_map: { map } })))).toBe('allowed');
  });
});

function join(fields: Tree): Tree {
  return { type: 'JOIN', left: { type: 'EMPTY' }, right: { type: 'EMPTY' }, ...fields };
}

function subquery(from: Tree): Tree {
  return { type: 'SUBQUERY', subquery: { node: select({ from_table: from }) } };
}

function scalarSubquery(expression: Tree): Tree {
  return scalarSubqueryOf(select({ select_list: [expression] }));
}

function scalarSubqueryOf(node: Tree): Tree {
  return { class: 'SUBQUERY', type: 'SUBQUERY', subquery_type: 'SCALAR', subquery: { node } };
}
