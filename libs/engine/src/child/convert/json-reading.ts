import type { DuckDBConnection } from '@duckdb/node-api';
import type { ConvertLimits, ConvertRequest, JsonLayout } from '../../tasks/convert.task.js';
import { capNesting } from './cap-nesting.js';
import { quoteLiteral } from '../../types/sql-text.js';
import { beyondLimit } from './conversion-error.js';

/** A JSON text, and how its records stand in it. */
export interface JsonText {
  readonly path: string;
  readonly limits: ConvertLimits;
  /** `unstructured`: values one after the other, wherever they stand. */
  readonly layout: JsonLayout | 'unstructured';
  /** Levels of objects and lists within a record that become types; what is deeper is kept as JSON. Undefined: all. */
  readonly depthMax: number | undefined;
}

interface FoundColumn {
  readonly name: string;
  readonly type: string;
}

/** As the options say it. */
export function jsonText(path: string, { options = {} }: ConvertRequest, limits: ConvertLimits): JsonText {
  return { path, limits, layout: options.json_layout ?? 'auto', depthMax: options.depth_max };
}

const FORMATS: Readonly<Record<JsonText['layout'], string>> = {
  auto: 'auto',
  array: 'array',
  lines: 'newline_delimited',
  unstructured: 'unstructured',
};

function commonOptions({ limits: { lineBytesMax }, layout }: JsonText): string {
  return `format = '${FORMATS[layout]}', maximum_object_size = ${lineBytesMax}, ignore_errors = false, hive_partitioning = false`;
}

/** The table function that reads these keys of each record as these types. */
export function readWithTypes(
  text: JsonText,
  typed: readonly { readonly name: string; readonly type: string }[],
): string {
  const columns = typed.map(({ name, type }) => `${quoteLiteral(name)}: ${quoteLiteral(type)}`).join(', ');
  return `read_json(${quoteLiteral(text.path)}, columns = {${columns}}, ${commonOptions(text)})`;
}

/**
 * The columns as the reader finds them. It is kept from finding dates in texts: `findTimes` does, and loses nothing. Of
 * records with many keys, each in few of them, it makes one MAP: then it is asked again for columns.
 *
 * @returns `from` reads all levels of nesting as types, whatever `depthMax` is
 * @param sampleRows how many of the first records it looks at; -1: all
 */
export async function detectJson(
  connection: DuckDBConnection,
  { sampleRows, ...text }: JsonText & { readonly sampleRows: number },
): Promise<{ from: string; found: FoundColumn[] }> {
  const { path, limits, depthMax } = text;
  const read = (more: string): string =>
    `read_json(${quoteLiteral(path)}, sample_size = ${sampleRows}, dateformat = 'no date', timestampformat = 'no time', ${more}${commonOptions(text)})`;
  const cap = (columns: FoundColumn[]): Promise<FoundColumn[]> => capColumns(connection, columns, depthMax);
  const from = read('');
  const found = await describe(connection, from);
  const [only] = found;
  if (found.length > 1 || only?.name !== 'json' || !only.type.startsWith('MAP('))
    return { from, found: await cap(found) };
  await checkKeys(connection, from, limits);
  const fromWide = read('map_inference_threshold = -1, ');
  const wide = await describe(connection, fromWide);
  return wide.length > 1 ? { from: fromWide, found: await cap(wide) } : { from, found: await cap(found) };
}

/** With so many levels of types at most, in DuckDB's own spelling. */
async function capColumns(
  connection: DuckDBConnection,
  found: FoundColumn[],
  depthMax: number | undefined,
): Promise<FoundColumn[]> {
  if (depthMax === undefined) return found;
  const nulls = found.map(({ type }, index) => `CAST(NULL AS ${capNesting(type, depthMax)}) AS c${index}`);
  const capped = await describe(connection, `(SELECT ${nulls.join(', ')})`);
  return found.map(({ name, type }, index) => ({ name, type: capped[index]?.type ?? type }));
}

/** 100,000 columns take a minute to be named; an estimate of their number does, when it is far too high. */
async function checkKeys(connection: DuckDBConnection, from: string, limits: ConvertLimits): Promise<void> {
  const reader = await connection.runAndReadAll(
    `SELECT approx_count_distinct(key) FROM (SELECT unnest(map_keys(json)) AS key FROM ${from})`,
  );
  const about = Number(reader.getRows()[0]?.[0]);
  const { columnsMax } = limits;
  if (about > 2 * columnsMax) {
    throw beyondLimit(`The file has about ${about} columns; at most ${columnsMax} are allowed.`);
  }
}

async function describe(connection: DuckDBConnection, from: string): Promise<{ name: string; type: string }[]> {
  const reader = await connection.runAndReadAll(`DESCRIBE FROM ${from}`);
  return reader.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** Whether the reader gave a column another name than its key has, as it may when two are equal but for their case. */
export function hasRenamedKeys(columns: readonly { name: string }[]): boolean {
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  return columns.some(({ name }) => {
    const base = /^(.*)_\d+$/s.exec(name)?.[1];
    return name === 'C0' || (base !== undefined && names.has(base.toLowerCase()));
  });
}
