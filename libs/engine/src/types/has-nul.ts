/** Whether the name of a column, or of a field in its type, has a NUL: neither SQL text nor Postgres can hold one. */
export function hasNul({ name, type }: { readonly name: string; readonly type: string }): boolean {
  return name.includes('\0') || type.includes('\0');
}
