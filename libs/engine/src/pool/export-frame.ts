import type { Column } from '@millrace/domain';
import type { ExportFormat } from '../tasks/export.task.js';

/** What stands around the rows that a child writes. */
export interface ExportFrame {
  readonly head: string;
  /** Whether the first byte of the rows, a comma, goes. */
  readonly dropsFirstByte: boolean;
  readonly tail: string;
}

/** The frame of a format; names of columns are those that people gave, also when two are the same. */
export function exportFrame(format: ExportFormat, columns: readonly Column[]): ExportFrame {
  switch (format) {
    case 'csv':
      return { head: csvHeader(columns), dropsFirstByte: false, tail: '' };
    case 'json':
    case 'arrays':
      return { head: '[', dropsFirstByte: true, tail: ']\n' };
    case 'ndjson':
    case 'arrow':
      return { head: '', dropsFirstByte: false, tail: '' };
  }
}

function csvHeader(columns: readonly Column[]): string {
  return columns.length === 0 ? '' : `${columns.map(({ name }) => csvField(name)).join(',')}\n`;
}

/** An empty name is quoted, as an empty text below it is; so is one with spaces around, which some readers drop. */
function csvField(name: string): string {
  return name === '' || name !== name.trim() || /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
