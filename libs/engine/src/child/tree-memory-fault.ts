import { isOutOfMemory } from './duckdb-error.js';

/**
 * Whether DuckDB ran out of memory while it wrote a tree: then it gives an error in place of the tree and throws none. An
 * error of the parser quotes the caller's text, which may say anything, and is never taken for one.
 */
export function isMemoryFault(tree: unknown): boolean {
  if (typeof tree !== 'object' || tree === null || !('error' in tree) || tree.error !== true) return false;
  const { error_type: type, error_message: message } = tree as Record<string, unknown>;
  if (typeof type !== 'string' || typeof message !== 'string' || type === 'parser') return false;
  const names = { subtype: undefined, entryType: undefined, position: undefined };
  return /^out of memory$/i.test(type) || isOutOfMemory({ type, message, ...names });
}
