/**
 * The names under which columns lie in a file or a view: unique without regard to case, never empty. The first of
 * equal names keeps it, later ones get `_1`, `_2`, …; a column without a name is `column<index>`, counted from 0.
 * DuckDB names the columns of a CSV file by the same rule.
 */
export function uniqueColumnNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  const given = new Set(names.map((name) => name.toLowerCase()));
  return names.map((name, index) => {
    const unique = freeName(name === '' ? `column${index}` : name, taken, given);
    taken.add(unique.toLowerCase());
    return unique;
  });
}

function freeName(name: string, taken: ReadonlySet<string>, given: ReadonlySet<string>): string {
  if (!taken.has(name.toLowerCase())) return name;
  for (let suffix = 1; ; suffix += 1) {
    const candidate = `${name}_${suffix}`;
    // A name that another column carries itself is left to that column.
    if (!taken.has(candidate.toLowerCase()) && !given.has(candidate.toLowerCase())) return candidate;
  }
}
