/** @param {readonly number[]} values at least one @param {number} share from 0 to 1 */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (value === undefined) throw new RangeError('There is no quantile of nothing.');
  return value;
}

/** @param {readonly number[]} values at least one */
export const median = (values) => quantile(values, 0.5);
