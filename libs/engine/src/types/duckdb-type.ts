import { TypeTextReader } from './type-text-reader.js';

/** A field of a STRUCT or a member of a UNION; fields of an unnamed STRUCT (a row) have no name. */
export interface TypeField {
  readonly name: string | undefined;
  readonly type: DuckdbType;
}

/** A DuckDB type as a tree. `text` is always the type in DuckDB's own spelling. */
export type DuckdbType =
  | { readonly kind: 'scalar'; readonly name: string; readonly text: string }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number; readonly text: string }
  | { readonly kind: 'enum'; readonly values: readonly string[]; readonly text: string }
  | { readonly kind: 'list'; readonly element: DuckdbType; readonly text: string }
  | { readonly kind: 'array'; readonly element: DuckdbType; readonly length: number; readonly text: string }
  | { readonly kind: 'struct'; readonly fields: readonly TypeField[]; readonly text: string }
  | { readonly kind: 'union'; readonly members: readonly TypeField[]; readonly text: string }
  | { readonly kind: 'map'; readonly key: DuckdbType; readonly value: DuckdbType; readonly text: string };

/** The type trees that are looked at: deeper ones are refused, so that no recursion here can run out of stack. */
export const TYPE_DEPTH_MAX = 200;

/**
 * Parses the text of a type as DuckDB writes it (DESCRIBE, typeof): `STRUCT(a INTEGER, "b c" VARCHAR[])`.
 *
 * @throws RangeError when the text is no type or nested too deeply
 */
export function parseDuckdbType(text: string): DuckdbType {
  const reader = new TypeTextReader(text);
  const type = parseType(reader, 0);
  reader.expectEnd();
  return type;
}

const MULTIWORD = /(?:TIMESTAMP|TIME) WITH TIME ZONE\b/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;

function parseType(reader: TypeTextReader, depth: number): DuckdbType {
  if (depth > TYPE_DEPTH_MAX) throw new RangeError(`The type is nested deeper than ${TYPE_DEPTH_MAX} levels.`);
  const start = reader.position;
  let type = parseBase(reader, depth);
  for (let suffix = reader.tryMatch(/\[(\d*)\]/y); suffix; suffix = reader.tryMatch(/\[(\d*)\]/y)) {
    const text = reader.textFrom(start);
    const length = suffix[1] ?? '';
    type =
      length === '' ? { kind: 'list', element: type, text } : { kind: 'array', element: type, length: +length, text };
  }
  return type;
}

function parseBase(reader: TypeTextReader, depth: number): DuckdbType {
  const start = reader.position;
  const name = readTypeName(reader);
  const text = (): string => reader.textFrom(start);
  switch (name) {
    case 'STRUCT':
      return { kind: 'struct', fields: readFields(reader, depth), text: text() };
    case 'UNION':
      return { kind: 'union', members: readFields(reader, depth), text: text() };
    case 'MAP': {
      const [key, value] = readFields(reader, depth);
      if (!key || !value) throw reader.error('a key and a value type');
      return { kind: 'map', key: key.type, value: value.type, text: text() };
    }
    case 'ENUM':
      return { kind: 'enum', values: reader.readList(() => reader.readString()), text: text() };
    case 'DECIMAL': {
      const [precision = 18, scale = 3] = reader.peek('(') ? reader.readList(() => reader.readInteger()) : [];
      return { kind: 'decimal', precision, scale, text: text() };
    }
    default:
      // Parameters of any other type (a collation, a coordinate system) change nothing here.
      if (reader.peek('(')) reader.readList(() => reader.readString());
      return { kind: 'scalar', name, text: text() };
  }
}

function readTypeName(reader: TypeTextReader): string {
  const multiword = reader.tryMatch(MULTIWORD);
  if (multiword) return multiword[0];
  if (reader.peek('"')) return reader.readQuoted('"');
  const word = reader.tryMatch(WORD);
  if (!word) throw reader.error('a type');
  return word[0].toUpperCase();
}

function readFields(reader: TypeTextReader, depth: number): TypeField[] {
  return reader.readList(() => {
    const name = tryReadFieldName(reader);
    return { name, type: parseType(reader, depth + 1) };
  });
}

/** A name is there when a second word follows the first: `a INTEGER`; `INTEGER` alone is the type of an unnamed field. */
function tryReadFieldName(reader: TypeTextReader): string | undefined {
  const start = reader.position;
  if (reader.tryMatch(MULTIWORD)) {
    reader.rewind(start);
    return undefined;
  }
  const name = reader.peek('"') ? reader.readQuoted('"') : reader.tryMatch(WORD)?.[0];
  if (name !== undefined && reader.tryMatch(/ (?=["A-Za-z_])/y)) return name;
  reader.rewind(start);
  return undefined;
}
