/** A longer name is no slip of the fingers, and comparing it costs the product of the lengths. */
const NAME_LENGTH_MAX = 64;

/**
 * The names nearest to a mistyped one: at most two edits away, one for short names, nearest first.
 *
 * @param countMax how many to give at most
 */
export function closeNames(name: string, candidates: Iterable<string>, countMax: number): string[] {
  if (name.length > NAME_LENGTH_MAX) return [];
  const distanceMax = name.length <= 4 ? 1 : 2;
  const near: { candidate: string; distance: number }[] = [];
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > distanceMax) continue;
    const distance = editDistance(name, candidate);
    if (distance <= distanceMax) near.push({ candidate, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return near.slice(0, countMax).map(({ candidate }) => candidate);
}

/** Edits: insert, delete, replace, or swap two neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
