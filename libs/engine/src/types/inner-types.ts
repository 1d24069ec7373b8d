import type { DuckdbType } from './duckdb-type.js';

/** The types of which a nested type consists. */
export function innerTypes(type: DuckdbType): readonly DuckdbType[] {
  switch (type.kind) {
    case 'list':
    case 'array':
      return [type.element];
    case 'map':
      return [type.key, type.value];
    case 'struct':
      return type.fields.map((field) => field.type);
    case 'union':
      return type.members.map((member) => member.type);
    case 'scalar':
    case 'decimal':
    case 'enum':
      return [];
  }
}
