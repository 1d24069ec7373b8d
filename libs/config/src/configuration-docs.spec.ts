import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { environmentSchema, parseEnvironment } from './environment.js';

const DOCS = new URL('../../../docs/configuration.md', import.meta.url);
/** A row: name, type, default and meaning; the default's first part in backticks, or `none`. */
const ROW = /^\| `([A-Z0-9_]+)` +\| (.+?) +\| (?:none|`([^`]*)`)[^|]*\| (.+?) +\|$/gm;

describe('docs/configuration.md', () => {
  const rows = [...readFileSync(DOCS, 'utf8').matchAll(ROW)];
  const defaults = new Map<string, unknown>(Object.entries(parseEnvironment({})));

  it('has one row for each variable, in the order of the schema, and no other', () => {
    expect(rows.map(([, name]) => name)).toEqual(Object.keys(environmentSchema.shape));
  });

  // `node tools/docs/configuration.mjs` writes the table.
  it.each(Object.entries(environmentSchema.shape))('tells the default and the meaning of %s', (name, schema) => {
    const [, , type, initial, meaning] = rows.find(([, listed]) => listed === name) ?? [];
    expect(type).toMatch(/^(integer|number|text|URL|`)/);
    expect(initial).toBe(defaults.has(name) ? String(defaults.get(name)) : undefined);
    expect(meaning).toBe(schema.description);
  });
});
