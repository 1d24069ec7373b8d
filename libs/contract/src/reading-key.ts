import { CONVERTER_VERSION } from '@millrace/domain';
import type { SourceConfig } from './schemas/datasets.js';

/**
 * How a file is to be read, and by which converter, as a text: two that have the same make the same table of the same bytes.
 *
 * @returns undefined when a conversion leaves more than a table, which belongs to that conversion alone
 */
export function readingKey({ format, options, columns }: SourceConfig): string | undefined {
  const onError: string | undefined = options?.on_error;
  if (onError !== undefined && onError !== 'abort') return undefined;
  return JSON.stringify([CONVERTER_VERSION, format, options, columns].map(sorted));
}

/** With the members of objects in the order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return members.map(([name, member]) => [name, sorted(member)]);
}
