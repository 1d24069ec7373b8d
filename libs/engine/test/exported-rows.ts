import type { ExportFormat } from '../src/tasks/export.task.js';

type Rows = readonly (readonly unknown[])[];

/** How the rows of each format that is text are read back, into values as in JSON. */
export const TEXT_FORMATS: readonly { readonly format: ExportFormat; readonly rows: (text: string) => Rows }[] = [
  { format: 'arrays', rows: (text) => JSON.parse(text) as Rows },
  { format: 'json', rows: (text) => (JSON.parse(text) as object[]).map((row) => Object.values(row)) },
  { format: 'ndjson', rows: (text) => lines(text).map((line) => Object.values(JSON.parse(line) as object)) },
];

/** Lines end in LF alone; JSON has none within. */
function lines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

/** The records of a CSV file by RFC 4180, without its header; a field without quotes that is empty is NULL. */
export function csvRows(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (!match) throw new Error(`No CSV from character ${text.length}.`);
    const [, quoted, plain = '', end] = match;
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? (plain === '' ? null : plain));
    if (end !== ',' && field.lastIndex < text.length) rows.push([]);
  }
  return rows.slice(1);
}

/** A field of CSV as the value that JSON has for it; `expected` tells whether it is a number or nested. */
export function csvValue(field: string | null, expected: unknown): unknown {
  if (field === null || typeof expected === 'string') return field;
  return JSON.parse(field);
}
