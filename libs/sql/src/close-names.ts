/** A longer name is no slip of the fingers, and comparing it costs more. */
const NAME_LENGTH_MAX = 64;

const TOO_FAR = Number.POSITIVE_INFINITY;

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
    const distance = editDistance(name, candidate, distanceMax);
    if (distance <= distanceMax) near.push({ candidate, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return near.slice(0, countMax).map(({ candidate }) => candidate);
}

/**
 * Edits: insert, delete, replace, or swap two neighbours; infinite when there are more than `distanceMax`. Only the cells
 * that can lie on a way with so few edits are looked at, so that a bound makes long names cheap.
 */
export function editDistance(a: string, b: string, distanceMax = TOO_FAR): number {
  if (Math.abs(a.length - b.length) > distanceMax) return TOO_FAR;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  let current: number[] = [];
  for (let row = 1; row <= a.length; row += 1) {
    const from = Math.max(1, row - distanceMax);
    const to = Math.min(b.length, row + distanceMax);
    // The cells beside those of this row hold what an earlier row has left there.
    current[from - 1] = from === 1 ? row : TOO_FAR;
    current[to + 1] = TOO_FAR;
    let lowest = at(current, from - 1);
    for (let column = from; column <= to; column += 1) {
      const replaced = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, replaced);
      if (isSwap(a, b, { row, column })) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current[column] = cost;
      lowest = Math.min(lowest, cost);
    }
    if (lowest > distanceMax) return TOO_FAR;
    [beforeLast, last, current] = [last, current, beforeLast];
  }
  const distance = at(last, b.length);
  return distance <= distanceMax ? distance : TOO_FAR;
}

function isSwap(a: string, b: string, { row, column }: { row: number; column: number }): boolean {
  return row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? TOO_FAR;
}
