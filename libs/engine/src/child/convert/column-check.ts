import type { ConvertLimits } from '../../tasks/convert.task.js';
import { hasNul } from '../../types/column-names.js';
import { beyondLimit, conversionFailed } from './conversion-error.js';

/**
 * What holds for the columns of any file.
 *
 * @throws DomainError `conversion.limit` for too many; `conversion.failed` for a name that the catalog can't keep
 */
export function checkColumns(
  columns: readonly { readonly name: string; readonly type: string }[],
  { columnsMax }: ConvertLimits,
): void {
  const { length } = columns;
  if (length > columnsMax) throw beyondLimit(`The file has ${length} columns; at most ${columnsMax} are allowed.`);
  const found = columns.find(hasNul);
  if (!found) return;
  const name = found.name.replaceAll('\0', String.raw`\0`);
  throw conversionFailed(`Column "${name}": its name, or that of a field in it, has a NUL character.`, {
    columnName: name,
  });
}
