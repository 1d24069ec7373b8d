import Table from 'cli-table3';

const SIDES = ['top', 'bottom', 'left', 'right', 'mid'];
/** No lines around and between cells, no colours; two spaces between columns. */
const PLAIN = {
  chars: {
    ...Object.fromEntries(SIDES.flatMap((side) => ['', '-mid', '-left', '-right'].map((end) => [side + end, '']))),
    middle: '  ',
  },
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
};

/**
 * One line of the table.
 *
 * @typedef {object} Line
 * @property {string} name what was measured
 * @property {string} unit of `ours` and `raw`
 * @property {number} [ours] nothing: it can't be had, and `note` says why
 * @property {number} [raw] what it is compared with
 * @property {'ratio' | 'difference' | 'amount'} compare how
 * @property {number} [value] the ratio, the difference in `unit`, or the amount itself
 * @property {number} [cpuRatio] the ratio of the CPU times of all processes
 * @property {{ min?: number, max?: number }} [aim] for `value`
 * @property {string} [note]
 */

/** Whether a line reaches its aim; undefined when it has none, or no figure. @param {Line} line */
export function isMet({ value, aim }) {
  if (!aim || value === undefined) return undefined;
  return value >= (aim.min ?? -Infinity) && value <= (aim.max ?? Infinity);
}

/** @param {readonly Line[]} lines @returns {string} */
export function tableOf(lines) {
  const table = new Table({
    head: ['measurement', 'Millrace', 'against', 'compared', 'CPU', 'aim', 'met', ''],
    ...PLAIN,
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left', 'left', 'left'],
  });
  table.push(...lines.map(cellsOf));
  return table
    .toString()
    .split('\n')
    .map((row) => row.trimEnd())
    .join('\n');
}

/** The last line: how many aims are met. @param {readonly Line[]} lines */
export function summaryOf(lines) {
  const aimed = lines.filter((line) => isMet(line) !== undefined);
  return `${aimed.filter(isMet).length} of ${aimed.length} aims met.`;
}

/** @param {Line} line */
function cellsOf(line) {
  const { name, unit, ours, raw, cpuRatio, note = '' } = line;
  return [
    name,
    ours === undefined ? '–' : `${short(ours)} ${unit}`,
    raw === undefined ? '' : `${short(raw)} ${unit}`,
    valueOf(line),
    cpuRatio === undefined ? '' : cpuRatio.toFixed(2),
    aimOf(line),
    { undefined: '', true: 'yes', false: 'NO' }[String(isMet(line))],
    note,
  ];
}

/** @param {Line} line */
function valueOf({ compare, value, unit }) {
  if (value === undefined || compare === 'amount') return '';
  if (compare === 'ratio') return value.toFixed(2);
  return `${value < 0 ? '−' : '+'}${short(Math.abs(value))} ${unit}`;
}

/** @param {Line} line */
function aimOf({ aim, compare, unit }) {
  if (!aim) return '';
  const [sign, bound] = aim.min === undefined ? ['≤', aim.max] : ['≥', aim.min];
  return `${sign} ${bound}${compare === 'ratio' ? '' : ` ${unit}`}`;
}

/** Three digits that count. @param {number} value */
function short(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
