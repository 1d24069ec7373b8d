import type { DuckdbType } from './duckdb-type.js';

/** `list_transform` over a list, NULL staying NULL. `depth` numbers the parameters of nested lambdas. */
export function eachElement(value: string, depth: number, body: (element: string) => string): string {
  const element = `e${depth}`;
  return `list_transform(${value}, lambda ${element}: ${body(element)})`;
}

/** A field of a STRUCT: by name, or by its place (from 1) when the STRUCT has no names. */
export function structField(value: string, name: string | undefined, index: number): string {
  return name === undefined
    ? `struct_extract(${value}, ${index + 1})`
    : `struct_extract(${value}, '${name.replaceAll("'", "''")}')`;
}

/** An ARRAY as the LIST that list functions take. */
export function arrayToList(type: DuckdbType & { kind: 'array' }, value: string): string {
  return `CAST(${value} AS ${type.element.text}[])`;
}
