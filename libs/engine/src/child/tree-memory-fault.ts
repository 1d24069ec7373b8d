/**
 * Whether DuckDB ran out of memory while it wrote a tree: then it gives an error in place of the tree and throws none.
 * DuckDB 1.5.6 under RLIMIT_DATA says `out of memory`, or calls the bare message of the allocator a syntax error. A message
 * about the caller's text is longer, so a caller can't make one that is taken for it.
 */
export function isMemoryFault(tree: unknown): boolean {
  if (typeof tree !== 'object' || tree === null) return false;
  const { error_type: type, error_message: message } = tree as Record<string, unknown>;
  return type === 'out of memory' || message === 'std::bad_alloc';
}
