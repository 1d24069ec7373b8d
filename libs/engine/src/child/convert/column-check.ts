import type { ConvertLimits } from '../../tasks/convert.task.js';
import { hasNul } from '../../types/has-nul.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';

/**
 * What holds for the columns of any file.
 *
 * @throws DomainError `conversion.limit` for too many; `conversion.failed` for a name that the catalog can't keep
 */
export function checkColumns(
  columns: readonly { readonly name: string; readonly type: string }[],
  limits: ConvertLimits,
): void {
  checkCount(columns.length, limits);
  const found = columns.find(hasNul);
  if (!found) return;
  const name = found.name.replaceAll('\0', String.raw`\0`);
  throw conversionFailed(`Column "${name}": its name, or that of a field in it, has a NUL character.`, {
    columnName: name,
  });
}

/** @throws DomainError `conversion.limit` */
export function checkCount(columns: number, { columnsMax }: ConvertLimits): void {
  if (columns > columnsMax) throw beyondLimit(`The file has ${columns} columns; at most ${columnsMax} are allowed.`);
}
