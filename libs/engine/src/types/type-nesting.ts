import type { DuckdbType } from './duckdb-type.js';

/** Levels of lists, structs, maps and unions around the innermost scalar. */
export function nestingOf(type: DuckdbType): number {
  switch (type.kind) {
    case 'list':
    case 'array':
      return 1 + nestingOf(type.element);
    case 'map':
      return 1 + Math.max(nestingOf(type.key), nestingOf(type.value));
    case 'struct':
      return 1 + Math.max(...type.fields.map((field) => nestingOf(field.type)));
    case 'union':
      return 1 + Math.max(...type.members.map((member) => nestingOf(member.type)));
    case 'scalar':
    case 'decimal':
    case 'enum':
      return 0;
  }
}
