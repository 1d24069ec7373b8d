import { beforeEntry, enterWith, type CteScope } from './cte-scope.js';
import { findShape, type Field, type NodeKind, type Shape } from './tree-shapes.js';

/** How deep a statement may nest: parentheses, calls and subqueries inside each other. */
export const NESTING_LEVELS_MAX = 200;

/** How deep the tree may be at all: a chain such as `a || b || c` or a row of UNIONs is deep without being nested. */
export const TREE_DEPTH_MAX = 4_000;

/** An object of the tree, not yet looked at. */
export type RawNode = Readonly<Record<string, unknown>>;

export interface VisitedNode {
  readonly kind: NodeKind;
  readonly node: RawNode;
  readonly scope: CteScope | undefined;
  /** Where it is in the text, in bytes: its own position, or that of the nearest node around it that has one, or 0. */
  readonly byteOffset: number;
}

/** What is wrong with a tree, and with which of its nodes. */
export interface TreeFault {
  readonly kind: 'unsupported' | 'nesting';
  readonly node: RawNode;
  readonly byteOffset: number;
}

export interface TreeVisitor {
  /** Called for every node, in the order of the text as far as the tree follows it, before its children. */
  visit(visited: VisitedNode): void;
  /** Called for what is not allowed; throws. */
  fault(fault: TreeFault): never;
}

interface Step extends VisitedNode {
  readonly level: number;
  readonly depth: number;
}

/** Which kinds of nodes are a level of nesting; the others are parts of these. */
const LEVELS: ReadonlySet<NodeKind> = new Set(['expression', 'table', 'tableFunction', 'cte', 'typeName']);

/**
 * Visits every node of a tree, or stops at the first that the shapes do not allow. Keeps its own stack: a tree that
 * is built to be deep ends in a fault, not in an overflow.
 */
export function walkTree(root: RawNode, visitor: TreeVisitor): void {
  const stack: Step[] = [{ kind: 'query', node: root, scope: undefined, byteOffset: 0, level: 1, depth: 1 }];
  for (let step = stack.pop(); step; step = stack.pop()) {
    if (step.level > NESTING_LEVELS_MAX || step.depth > TREE_DEPTH_MAX) {
      visitor.fault({ kind: 'nesting', node: step.node, byteOffset: step.byteOffset });
    }
    visitor.visit(step);
    const children = childrenOf(step, visitor);
    for (let index = children.length - 1; index >= 0; index -= 1) {
      const child = children[index];
      if (child) stack.push(child);
    }
  }
}

function childrenOf(step: Step, visitor: TreeVisitor): Step[] {
  const fault = { kind: 'unsupported', node: step.node, byteOffset: step.byteOffset } as const;
  const shape = findShape(step.kind, step.node) ?? visitor.fault(fault);
  const scope = step.kind === 'query' ? enterWith(cteNames(step.node), step.scope) : step.scope;
  const children: Step[] = [];
  for (const [name, value] of Object.entries(step.node)) {
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (field === undefined || !isSound(field, value)) visitor.fault(fault);
    if (field === 'data' || field === 'empty' || value === null) continue;
    const nodes = field === 'cte' ? cteNodes(value) : flatten(value);
    nodes.forEach((node, position) => {
      if (!isRawNode(node)) visitor.fault(fault);
      children.push(childStep({ step, shape, name, field, node, position, scope }));
    });
  }
  return children;
}

interface ChildPlace {
  readonly step: Step;
  readonly shape: Shape;
  readonly name: string;
  readonly field: NodeKind;
  readonly node: RawNode;
  readonly position: number;
  readonly scope: CteScope | undefined;
}

function childStep(place: ChildPlace): Step {
  const { step, shape, name, field, node, position } = place;
  const onSpine = shape.spine === name && position === 0 && isChain(step, node);
  const isLevel = LEVELS.has(field) || (step.kind === 'query' && field === 'query');
  return {
    kind: field,
    node,
    scope: childScope(place),
    byteOffset: locationOf(node) ?? step.byteOffset,
    level: step.level + (isLevel && !onSpine ? 1 : 0),
    depth: step.depth + 1,
  };
}

const PATH_OPERATORS: ReadonlySet<unknown> = new Set(['ARRAY_EXTRACT', 'ARRAY_SLICE', 'STRUCT_EXTRACT']);

/** `abs(abs(1))` nests, `1 + 1 + 1` and `a[1][2].b` do not, though all are functions of functions. */
function isChain({ node }: Step, child: RawNode): boolean {
  if (node['class'] === 'FUNCTION') return node['is_operator'] === true && child['is_operator'] === true;
  return node['class'] !== 'OPERATOR' || (PATH_OPERATORS.has(node['type']) && PATH_OPERATORS.has(child['type']));
}

/**
 * An entry of WITH sees the entries before it; a query all of its WITH; the second part of a recursive entry the entry
 * itself as well.
 */
function childScope({ step, name, field, position, scope }: ChildPlace): CteScope | undefined {
  // The scope of a whole WITH was entered at the query; its entries are two steps below.
  if (field === 'cte') return beforeEntry(scope, position);
  if (step.node['type'] === 'RECURSIVE_CTE_NODE' && name === 'right') {
    return enterWith([String(step.node['cte_name'])], scope);
  }
  return scope;
}

function cteNames(query: RawNode): string[] {
  return cteEntries(query).map((entry) => (isRawNode(entry) ? String(entry['key']) : ''));
}

function cteEntries(query: RawNode): readonly unknown[] {
  const ctes = query['cte_map'];
  const map = isRawNode(ctes) ? ctes['map'] : undefined;
  return Array.isArray(map) ? map : [];
}

/** The bodies of `[{ key, value }]`; what is not of that form becomes undefined, and so a fault. */
function cteNodes(map: unknown): unknown[] {
  return flatten(map).map((entry) => {
    const isEntry = isRawNode(entry) && typeof entry['key'] === 'string' && Object.keys(entry).length === 2;
    return isEntry ? entry['value'] : undefined;
  });
}

/** One node, a list of nodes or a list of lists (the rows of VALUES), as one list. */
function flatten(value: unknown): unknown[] {
  return Array.isArray(value) ? value.flat(1) : [value];
}

function isSound(field: Field, value: unknown): boolean {
  if (field === 'data') return isPlainData(value);
  if (field === 'empty') return isEmpty(value);
  return true;
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || value === false || (Array.isArray(value) && value.length === 0);
}

/** Values, types and names. An expression or a query inside would be one that nobody looks at. */
function isPlainData(value: unknown): boolean {
  const stack: unknown[] = [value];
  while (stack.length > 0) {
    const current = stack.pop();
    if (typeof current !== 'object' || current === null) continue;
    if ('class' in current || 'modifiers' in current || 'table_name' in current) return false;
    for (const inner of Object.values(current)) stack.push(inner);
  }
  return true;
}

/** DuckDB writes the largest 64-bit number when it has no position. */
function locationOf(node: RawNode): number | undefined {
  const location = node['query_location'];
  return typeof location === 'number' && Number.isSafeInteger(location) && location >= 0 ? location : undefined;
}

export function isRawNode(value: unknown): value is RawNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
