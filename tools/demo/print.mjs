import { styleText } from 'node:util';
import Table from 'cli-table3';

const INDENT = '  ';
const CELL_CHARACTERS_MAX = 44;
const WIDTH_DEFAULT = 100;
const NUMERIC = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL.*)$/;
const LINES = ['top', 'bottom', 'left', 'right', 'mid'];
/** No lines around and between cells, no colours; two spaces between columns. */
const PLAIN = {
  chars: {
    ...Object.fromEntries(LINES.flatMap((line) => ['', '-mid', '-left', '-right'].map((end) => [line + end, '']))),
    middle: INDENT,
  },
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
};

/** @param {string} [line] */
export const say = (line = '') => process.stdout.write(`${line}\n`);
/** @param {string} text */
export const bold = (text) => styleText('bold', text);
/** @param {string} text */
export const dim = (text) => styleText('dim', text);

/** @param {string} text */
export function heading(text) {
  say();
  say(bold(text));
}

/** @param {string} text of any number of lines */
export const indent = (text) => text.replaceAll(/^(?=.)/gm, INDENT);

/** @param {number} ms */
export const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`);

/** @param {number} value */
export const count = (value) => value.toLocaleString('en');

/** @param {number} value @param {string} noun in the singular */
export const countOf = (value, noun) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** @typedef {'left' | 'right'} Align */

/** Numbers go to the right. @param {readonly string[]} types in SQL @returns {Align[]} */
export const alignsOf = (types) => types.map((type) => (NUMERIC.test(type) ? 'right' : 'left'));

/**
 * Prints an aligned table.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly unknown[])[]} rows
 * @param {readonly Align[]} aligns
 */
export function printTable(head, rows, aligns) {
  const table = new Table({
    head: head.map(bold),
    ...PLAIN,
    colAligns: [...aligns],
  });
  table.push(...rows.map((row) => row.map(cell)));
  sayTable(table);
}

/**
 * Prints pairs of a name and a text that is folded at the width of the terminal.
 *
 * @param {readonly (readonly [string, string])[]} pairs
 */
export function printFolded(pairs) {
  const nameWidth = Math.max(...pairs.map(([name]) => name.length));
  const textWidth = (process.stdout.columns ?? WIDTH_DEFAULT) - nameWidth - 2 * INDENT.length - 1;
  const table = new Table({
    ...PLAIN,
    colWidths: [nameWidth, Math.max(textWidth, CELL_CHARACTERS_MAX)],
    wordWrap: true,
  });
  table.push(...pairs.map((pair) => [...pair]));
  sayTable(table);
}

/** @param {Table.Table} table */
function sayTable(table) {
  const lines = table.toString().split('\n');
  say(indent(lines.map((line) => line.trimEnd()).join('\n')));
}

/** @param {string} text */
export const cut = (text) => (text.length <= CELL_CHARACTERS_MAX ? text : `${text.slice(0, CELL_CHARACTERS_MAX - 1)}…`);

/** @param {unknown} value of an answer in JSON */
function cell(value) {
  if (value === null) return 'NULL';
  return cut(typeof value === 'string' ? value : JSON.stringify(value));
}
