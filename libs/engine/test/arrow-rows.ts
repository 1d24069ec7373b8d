import {
  DuckDBArrayType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBUnionType,
  VARCHAR,
} from '@duckdb/node-api';
import { type Data, RecordBatchReader } from 'apache-arrow';
import { arrowScalar } from './arrow-scalar.js';

/** What a reader of an Arrow IPC stream finds there. */
export interface ArrowTable {
  readonly names: readonly string[];
  /** The SQL types in the metadata of the fields. */
  readonly types: readonly (string | undefined)[];
  /** By the contract's rule for values. */
  readonly rows: readonly (readonly unknown[])[];
}

/**
 * Reads an Arrow IPC stream by the mapping that the README of the engine gives, as a foreign reader would who knows the
 * types of the columns: nothing here is from the encoder.
 */
export function arrowTable(bytes: Uint8Array, types: readonly DuckDBType[]): ArrowTable {
  const reader = RecordBatchReader.from(bytes).open();
  const fields = [...reader.schema.fields];
  const rows = [...reader].flatMap(({ numRows, data }) =>
    Array.from({ length: numRows }, (_, row) => types.map((type, column) => cellAt(child(data, column), row, type))),
  );
  return {
    names: fields.map(({ name }) => name),
    types: fields.map(({ metadata }) => metadata.get('millrace.type')),
    rows,
  };
}

/** Over Arrow's buffers: the values that it hands out round an instant to a double. */
function cellAt(data: Data, index: number, type: DuckDBType): unknown {
  if (!data.getValid(index)) return null;
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) {
    return placesOf(data, index).map((place) => cellAt(child(data, 0), place, type.valueType));
  }
  if (type instanceof DuckDBMapType) return entriesOf(data, index, type);
  if (type instanceof DuckDBStructType) {
    const values = type.entryTypes.map((entry, field) => cellAt(child(data, field), index, entry));
    return Object.fromEntries(type.entryNames.map((name, field) => [name, values[field]]));
  }
  if (type instanceof DuckDBUnionType) return unionOf(data, index, type);
  return arrowScalar(data, index, type);
}

function entriesOf(data: Data, index: number, type: DuckDBMapType): unknown[] {
  const entries = child(data, 0);
  return placesOf(data, index).map((place) => ({
    key: cellAt(child(entries, 0), place, type.keyType),
    value: cellAt(child(entries, 1), place, type.valueType),
  }));
}

/** A struct of `tag` and `m1`, `m2`, …, of which one can hold a value. */
function unionOf(data: Data, index: number, type: DuckDBUnionType): unknown {
  const tag = cellAt(child(data, 0), index, VARCHAR);
  const values = type.memberTypes.map((member, place) => cellAt(child(data, place + 1), index, member));
  const isOther = (_: unknown, place: number): boolean => type.memberTags[place] !== tag;
  if (values.filter(isOther).some((value) => value !== null)) throw new Error('A union holds two values.');
  return { tag, value: values[type.memberTags.indexOf(String(tag))] };
}

/** Where the elements of a list lie. */
function placesOf({ valueOffsets }: Data, index: number): number[] {
  const [start = 0, end = 0] = (valueOffsets as Int32Array).subarray(index, index + 2);
  return Array.from({ length: end - start }, (_, place) => start + place);
}

function child(data: Data, index: number): Data {
  const found = data.children[index];
  if (!found) throw new Error(`A ${data.typeId} has no child ${index}.`);
  return found;
}
