/**
 * The names that WITH gives, as one place of a statement sees them. The entries of one WITH share a map from name to
 * position; what a place sees of it is a bound, so that a thousand entries do not cost a thousand maps.
 */
export interface CteScope {
  readonly positions: ReadonlyMap<string, number>;
  /** Only entries at positions below this are visible. */
  readonly visibleBelow: number;
  readonly parent: CteScope | undefined;
}

/** The scope behind a whole WITH, inside another one. */
export function enterWith(names: readonly string[], parent: CteScope | undefined): CteScope | undefined {
  if (names.length === 0) return parent;
  const positions = new Map<string, number>();
  names.forEach((name, position) => {
    const key = foldName(name);
    if (!positions.has(key)) positions.set(key, position);
  });
  return { positions, visibleBelow: names.length, parent };
}

/** What the entry at a position of a WITH sees: the entries before it, not itself. */
export function beforeEntry(scope: CteScope | undefined, position: number): CteScope | undefined {
  return scope && { ...scope, visibleBelow: position };
}

export function isVisible(scope: CteScope | undefined, name: string): boolean {
  const key = foldName(name);
  for (let current = scope; current; current = current.parent) {
    const position = current.positions.get(key);
    if (position !== undefined && position < current.visibleBelow) return true;
  }
  return false;
}

/**
 * A name without regard to case as DuckDB compares: ASCII letters only. JavaScript's own folding goes further (the
 * Kelvin sign becomes `k`), and would take for a CTE what DuckDB goes looking for as a file.
 */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
