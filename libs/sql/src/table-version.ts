import { isRawNode } from './tree-walk.js';

/** Which version of a table is meant: `AT (VERSION => 3)` or `AT (TIMESTAMP => '2025-01-31')`. */
export type TableVersion =
  | { readonly unit: 'version'; readonly value: number }
  /** The text as it was written. */
  | { readonly unit: 'timestamp'; readonly value: string };

export const AT_SENTENCE = `AT takes a constant: AT (VERSION => 3) or AT (TIMESTAMP => '2025-01-31 12:00').`;

/** What an AT clause of DuckDB's tree says; undefined when it is none of the two forms with a constant. */
export function readTableVersion(clause: unknown): TableVersion | undefined {
  if (!isRawNode(clause)) return undefined;
  const constant = constantOf(clause['expr']);
  if (clause['unit'] === 'VERSION' && constant && INTEGER_TYPES.has(constant.type)) return versionOf(constant.value);
  if (clause['unit'] === 'TIMESTAMP' && constant?.type === 'VARCHAR') return timestampOf(constant.value);
  return undefined;
}

/** A DECIMAL has a whole number in the tree, too: 1.5 is 15 there. */
const INTEGER_TYPES: ReadonlySet<unknown> = new Set(['INTEGER', 'BIGINT']);
/** Types whose cast does not change what a text says: `TIMESTAMP '2025-01-31'` is a cast, too. */
const TIME_TYPES: ReadonlySet<unknown> = new Set(['TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'DATE']);

function versionOf(value: unknown): TableVersion | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? { unit: 'version', value } : undefined;
}

function timestampOf(value: unknown): TableVersion | undefined {
  return typeof value === 'string' ? { unit: 'timestamp', value } : undefined;
}

/** The constant that an expression is, or that it casts to a time. */
function constantOf(expression: unknown): { type: unknown; value: unknown } | undefined {
  if (!isRawNode(expression)) return undefined;
  if (expression['class'] === 'CONSTANT') return typedValue(expression['value']);
  const isTime = expression['class'] === 'CAST' && TIME_TYPES.has(typeNameOf(expression['cast_type']));
  const child = isTime ? expression['child'] : undefined;
  return isRawNode(child) && child['class'] === 'CONSTANT' ? typedValue(child['value']) : undefined;
}

function typedValue(value: unknown): { type: unknown; value: unknown } | undefined {
  return isRawNode(value) ? { type: typeIdOf(value['type']), value: value['value'] } : undefined;
}

/** The name of a type that somebody wrote; undefined for one of a catalog or a schema. */
function typeNameOf(type: unknown): unknown {
  const info = isRawNode(type) ? type['type_info'] : undefined;
  const name = isRawNode(info) ? info['expr'] : undefined;
  if (!isRawNode(name) || name['catalog'] !== '' || name['schema'] !== '') return undefined;
  return name['type_name'];
}

function typeIdOf(type: unknown): unknown {
  return isRawNode(type) ? type['id'] : undefined;
}
