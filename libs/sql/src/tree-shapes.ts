/**
 * The `storage_compatibility_version` under which DuckDB has to write a tree. For older ones, its default, it writes types
 * and the values of PIVOT as it can: a type that names another with parameters (`ENUM('a')[]`) not at all, a call by its
 * outcome.
 */
export const TREE_VERSION = 'v1.5.0';

/**
 * The shapes of the syntax tree that DuckDB 1.5.6 gives (`json_serialize_sql`), as far as they are allowed. Everything that
 * is not written here is refused: an unknown type of node, and an unknown field of a known one.
 *
 * A field holds `data` (no node inside), must be `empty` (null, '', [] or false), or holds nodes of a kind: one, a list or a list
 * of lists of them, or null.
 */
export type NodeKind =
  | 'query'
  | 'table'
  | 'expression'
  | 'modifier'
  | 'select'
  | 'ctes'
  | 'cte'
  | 'order'
  | 'tableFunction'
  | 'caseCheck'
  | 'replacement'
  | 'at'
  | 'castType'
  | 'castTypeInfo'
  | 'typeName'
  | 'pivot'
  | 'pivotEntry';

export type Field = NodeKind | 'data' | 'empty';

export interface Shape {
  readonly fields: Readonly<Record<string, Field>>;
  /** The values that an expression's `type` may have. */
  readonly types?: ReadonlySet<string>;
  /** A field whose (first) node goes on with the chain that this one is part of: `1 + 1 + 1`, `a UNION b UNION c`. */
  readonly spine?: string;
}

/** Kinds whose shape follows from a field of the node; the others have one shape. */
export const DISCRIMINATORS: Partial<Record<NodeKind, string>> = {
  query: 'type',
  table: 'type',
  expression: 'class',
  modifier: 'type',
  castTypeInfo: 'type',
  typeName: 'class',
};

const shape = (fields: Shape['fields'], more: Omit<Shape, 'fields'> = {}): Shape => ({ fields, ...more });

const query = (fields: Shape['fields'], more: Omit<Shape, 'fields'> = {}): Shape =>
  shape({ type: 'data', modifiers: 'modifier', cte_map: 'ctes', ...fields }, more);

const table = (fields: Shape['fields'], more: Omit<Shape, 'fields'> = {}): Shape =>
  shape({ type: 'data', alias: 'data', sample: 'data', query_location: 'data', ...fields }, more);

const expression = (types: string, fields: Shape['fields'], more: Omit<Shape, 'fields' | 'types'> = {}): Shape => ({
  fields: { class: 'data', type: 'data', alias: 'data', query_location: 'data', ...fields },
  types: new Set(types.split(' ')),
  ...more,
});

const FUNCTION = expression(
  'FUNCTION',
  {
    function_name: 'data',
    schema: 'data',
    catalog: 'data',
    children: 'expression',
    filter: 'expression',
    order_bys: 'modifier',
    distinct: 'data',
    is_operator: 'data',
    export_state: 'empty',
  },
  { spine: 'children' },
);

const QUERIES: Readonly<Record<string, Shape>> = {
  SELECT_NODE: query({
    select_list: 'expression',
    from_table: 'table',
    where_clause: 'expression',
    group_expressions: 'expression',
    group_sets: 'data',
    aggregate_handling: 'data',
    having: 'expression',
    sample: 'data',
    qualify: 'expression',
  }),
  SET_OPERATION_NODE: query(
    { setop_type: 'data', setop_all: 'data', left: 'empty', right: 'empty', children: 'query' },
    { spine: 'children' },
  ),
  RECURSIVE_CTE_NODE: query({
    cte_name: 'data',
    union_all: 'data',
    left: 'query',
    right: 'query',
    aliases: 'data',
    key_targets: 'expression',
  }),
};

const TABLES: Readonly<Record<string, Shape>> = {
  EMPTY: table({}),
  BASE_TABLE: table({
    catalog_name: 'data',
    schema_name: 'data',
    table_name: 'data',
    column_name_alias: 'data',
    at_clause: 'at',
  }),
  SUBQUERY: table({ subquery: 'select', column_name_alias: 'data' }),
  // With a name in place of a query it reads DuckDB's own catalog: SHOW TABLES, SHOW DATABASES.
  SHOW_REF: table({
    query: 'query',
    show_type: 'data',
    table_name: 'empty',
    catalog_name: 'empty',
    schema_name: 'empty',
  }),
  TABLE_FUNCTION: table({ function: 'tableFunction', column_name_alias: 'data', with_ordinality: 'data' }),
  EXPRESSION_LIST: table({ expected_names: 'data', expected_types: 'data', values: 'expression' }),
  JOIN: table(
    {
      left: 'table',
      right: 'table',
      condition: 'expression',
      join_type: 'data',
      ref_type: 'data',
      using_columns: 'data',
      delim_flipped: 'data',
      is_implicit: 'data',
      duplicate_eliminated_columns: 'empty',
    },
    { spine: 'left' },
  ),
  PIVOT: table({
    source: 'table',
    aggregates: 'expression',
    unpivot_names: 'data',
    pivots: 'pivot',
    groups: 'data',
    column_name_alias: 'data',
    include_nulls: 'data',
  }),
};

const CONSTANT = expression('VALUE_CONSTANT', { value: 'data' });

const EXPRESSIONS: Readonly<Record<string, Shape>> = {
  FUNCTION,
  COLUMN_REF: expression('COLUMN_REF', { column_names: 'data' }),
  CONSTANT,
  PARAMETER: expression('VALUE_PARAMETER', { identifier: 'data' }),
  POSITIONAL_REFERENCE: expression('POSITIONAL_REFERENCE', { index: 'data' }),
  CAST: expression('OPERATOR_CAST', { child: 'expression', cast_type: 'castType', try_cast: 'data' }),
  COLLATE: expression('COLLATE', { child: 'expression', collation: 'data' }),
  BETWEEN: expression('COMPARE_BETWEEN', { input: 'expression', lower: 'expression', upper: 'expression' }),
  CASE: expression('CASE_EXPR', { case_checks: 'caseCheck', else_expr: 'expression' }),
  CONJUNCTION: expression('CONJUNCTION_AND CONJUNCTION_OR', { children: 'expression' }),
  LAMBDA: expression('LAMBDA', { lhs: 'expression', expr: 'expression', syntax_type: 'data' }, { spine: 'lhs' }),
  COMPARISON: expression(
    'COMPARE_EQUAL COMPARE_NOTEQUAL COMPARE_LESSTHAN COMPARE_GREATERTHAN COMPARE_LESSTHANOREQUALTO ' +
      'COMPARE_GREATERTHANOREQUALTO COMPARE_DISTINCT_FROM COMPARE_NOT_DISTINCT_FROM',
    { left: 'expression', right: 'expression' },
  ),
  OPERATOR: expression(
    'OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_TRY OPERATOR_UNPACK COMPARE_IN COMPARE_NOT_IN ' +
      'ARRAY_EXTRACT ARRAY_SLICE ARRAY_CONSTRUCTOR STRUCT_EXTRACT GROUPING_FUNCTION',
    { children: 'expression' },
    { spine: 'children' },
  ),
  STAR: expression('STAR', {
    relation_name: 'data',
    exclude_list: 'data',
    qualified_exclude_list: 'data',
    rename_list: 'data',
    replace_list: 'replacement',
    columns: 'data',
    expr: 'expression',
  }),
  SUBQUERY: expression('SUBQUERY', {
    subquery_type: 'data',
    subquery: 'select',
    child: 'expression',
    comparison_type: 'data',
  }),
  WINDOW: expression(
    'WINDOW_AGGREGATE WINDOW_ROW_NUMBER WINDOW_RANK WINDOW_RANK_DENSE WINDOW_PERCENT_RANK WINDOW_CUME_DIST WINDOW_NTILE WINDOW_LEAD ' +
      'WINDOW_LAG WINDOW_FIRST_VALUE WINDOW_LAST_VALUE WINDOW_NTH_VALUE WINDOW_FILL',
    {
      function_name: 'data',
      schema: 'data',
      catalog: 'data',
      children: 'expression',
      partitions: 'expression',
      orders: 'order',
      arg_orders: 'order',
      start: 'data',
      end: 'data',
      start_expr: 'expression',
      end_expr: 'expression',
      offset_expr: 'expression',
      default_expr: 'expression',
      filter_expr: 'expression',
      ignore_nulls: 'data',
      exclude_clause: 'data',
      distinct: 'data',
    },
  ),
};

const MODIFIERS: Readonly<Record<string, Shape>> = {
  ORDER_MODIFIER: shape({ type: 'data', orders: 'order' }),
  DISTINCT_MODIFIER: shape({ type: 'data', distinct_on_targets: 'expression' }),
  LIMIT_MODIFIER: shape({ type: 'data', limit: 'expression', offset: 'expression' }),
  LIMIT_PERCENT_MODIFIER: shape({ type: 'data', limit: 'expression', offset: 'expression' }),
};

/** What a type that somebody wrote is called, and what stands in its parentheses: types and constants. */
const TYPE_NAMES: Readonly<Record<string, Shape>> = {
  TYPE: expression('TYPE', { catalog: 'data', schema: 'data', type_name: 'data', children: 'typeName' }),
  CONSTANT,
};

/** Kind → value of the discriminator → shape; kinds without a discriminator have their shape under ''. */
const SHAPES: Readonly<Record<NodeKind, Readonly<Record<string, Shape>>>> = {
  query: QUERIES,
  table: TABLES,
  expression: EXPRESSIONS,
  modifier: MODIFIERS,
  tableFunction: { '': FUNCTION },
  select: { '': shape({ node: 'query', named_param_map: 'data' }) },
  ctes: { '': shape({ map: 'cte' }) },
  cte: { '': shape({ aliases: 'data', query: 'select', materialized: 'data', key_targets: 'expression' }) },
  order: { '': shape({ type: 'data', null_order: 'data', expression: 'expression' }) },
  caseCheck: { '': shape({ when_expr: 'expression', then_expr: 'expression' }) },
  at: { '': shape({ unit: 'data', expr: 'expression' }) },
  // Without more about it, a type is one that DuckDB itself put there: the BOOLEAN of `x IS TRUE`.
  castType: { '': shape({ id: 'data', type_info: 'castTypeInfo' }) },
  castTypeInfo: {
    UNBOUND_TYPE_INFO: shape({ type: 'data', alias: 'empty', extension_info: 'empty', expr: 'typeName' }),
  },
  typeName: TYPE_NAMES,
  replacement: { '': shape({ key: 'data', value: 'expression' }) },
  pivot: {
    '': shape({ pivot_expressions: 'expression', unpivot_names: 'data', entries: 'pivotEntry', pivot_enum: 'empty' }),
  },
  pivotEntry: { '': shape({ values: 'data', star_expr: 'expression', alias: 'data' }) },
};

/** The shape of a node of a kind; undefined when it is none that is allowed. */
export function findShape(kind: NodeKind, node: Readonly<Record<string, unknown>>): Shape | undefined {
  const discriminator = DISCRIMINATORS[kind];
  const name = discriminator === undefined ? '' : node[discriminator];
  if (typeof name !== 'string' || !Object.hasOwn(SHAPES[kind], name)) return undefined;
  const found = SHAPES[kind][name];
  if (found?.types && !found.types.has(String(node['type']))) return undefined;
  return found;
}
