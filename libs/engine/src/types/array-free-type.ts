import type { DuckdbType, TypeField } from './duckdb-type.js';
import { quoteIdentifier } from './sql-text.js';

/** The type with a list in place of each array, at any depth; the same object when there is none. */
export function withoutArrays(type: DuckdbType): DuckdbType {
  switch (type.kind) {
    case 'scalar':
    case 'decimal':
    case 'enum':
      return type;
    case 'array':
      return listOf(withoutArrays(type.element));
    case 'list': {
      const element = withoutArrays(type.element);
      return element === type.element ? type : listOf(element);
    }
    case 'map': {
      const [key, value] = [withoutArrays(type.key), withoutArrays(type.value)];
      if (key === type.key && value === type.value) return type;
      return { kind: 'map', key, value, text: `MAP(${key.text}, ${value.text})` };
    }
    case 'struct': {
      const fields = fieldsWithoutArrays(type.fields);
      return fields === type.fields ? type : { kind: 'struct', fields, text: `STRUCT(${fieldTexts(fields)})` };
    }
    case 'union': {
      const members = fieldsWithoutArrays(type.members);
      return members === type.members ? type : { kind: 'union', members, text: `UNION(${fieldTexts(members)})` };
    }
  }
}

function listOf(element: DuckdbType): DuckdbType {
  return { kind: 'list', element, text: `${element.text}[]` };
}

function fieldsWithoutArrays(fields: readonly TypeField[]): readonly TypeField[] {
  const changed = fields.map(({ name, type }) => ({ name, type: withoutArrays(type) }));
  return changed.every(({ type }, index) => type === fields[index]?.type) ? fields : changed;
}

function fieldTexts(fields: readonly TypeField[]): string {
  return fields.map(({ name, type }) => (name === undefined ? '' : `${quoteIdentifier(name)} `) + type.text).join(', ');
}
