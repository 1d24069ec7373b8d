/** Dates, times and numbers in the spelling of the HTTP contract, computed from DuckDB's raw values. For specs. */

const MICROS_PER_SECOND = 1_000_000n;
const MICROS_PER_DAY = 86_400n * MICROS_PER_SECOND;
/** DuckDB's infinities: the greatest number of the column's width, and its negative. */
const INFINITE_DAYS = 2 ** 31 - 1;
const INFINITE = 2n ** 63n - 1n;

/** What lies between a DuckDB timestamp and its text: units of `unit` nanoseconds each. */
export interface InstantParts {
  readonly value: bigint;
  readonly unitNanos: bigint;
  /** Put behind the time of a finite instant. */
  readonly zone: string;
}

/** `days` since 1970-01-01, by the proleptic Gregorian calendar; the year before 1 is 1 (BC). */
export function dateText(days: number): string {
  if (Math.abs(days) === INFINITE_DAYS) return days > 0 ? 'infinity' : '-infinity';
  const { date, era } = calendarDate(days);
  return `${date}${era}`;
}

export function instantText({ value, unitNanos, zone }: InstantParts): string {
  if (value === INFINITE || value === -INFINITE) return value > 0n ? 'infinity' : '-infinity';
  const unitsPerDay = (MICROS_PER_DAY * 1_000n) / unitNanos;
  const days = floorDivide(value, unitsPerDay);
  const { date, era } = calendarDate(Number(days));
  return `${date}T${clockText((value - days * unitsPerDay) * unitNanos)}${era}${zone}`;
}

/** `HH:MM:SS` and as much of a fraction as is there; 24:00:00 is a time. */
export function clockText(nanos: bigint): string {
  const seconds = nanos / 1_000_000_000n;
  const pad = (value: bigint): string => String(value).padStart(2, '0');
  const whole = [seconds / 3_600n, (seconds / 60n) % 60n, seconds % 60n].map(pad).join(':');
  const fraction = String(nanos % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** `+02:00`, with seconds where there are any; `Z` for none. */
export function offsetText(offsetSeconds: number): string {
  if (offsetSeconds === 0) return 'Z';
  const size = Math.abs(offsetSeconds);
  const parts = [Math.floor(size / 3_600), Math.floor(size / 60) % 60, size % 60];
  const shown = parts[2] === 0 ? parts.slice(0, 2) : parts;
  return (offsetSeconds < 0 ? '-' : '+') + shown.map((part) => String(part).padStart(2, '0')).join(':');
}

/** ISO 8601 with a sign for each part. */
export function intervalText(months: number, days: number, micros: bigint): string {
  const item = (value: number | bigint, unit: string): string => (Number(value) === 0 ? '' : `${value}${unit}`);
  const date = item(Math.trunc(months / 12), 'Y') + item(months % 12, 'M') + item(days, 'D');
  const hour = 3_600n * MICROS_PER_SECOND;
  const rest = micros % (60n * MICROS_PER_SECOND);
  const time = item(micros / hour, 'H') + item((micros % hour) / (60n * MICROS_PER_SECOND), 'M') + secondsText(rest);
  if (date + time === '') return 'PT0S';
  return `P${date}${time === '' ? '' : `T${time}`}`;
}

function secondsText(micros: bigint): string {
  if (micros === 0n) return '';
  const size = micros < 0n ? -micros : micros;
  const fraction = String(size % MICROS_PER_SECOND)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${micros < 0n ? '-' : ''}${size / MICROS_PER_SECOND}${fraction === '' ? '' : `.${fraction}`}S`;
}

function calendarDate(days: number): { date: string; era: string } {
  // Years are counted in cycles of 400, which have 146,097 days, from the first of March of year 0.
  const fromMarch = days + 719_468;
  const cycle = Math.floor(fromMarch / 146_097);
  const dayOfCycle = fromMarch - cycle * 146_097;
  const leapDays = Math.floor(dayOfCycle / 1_460) - Math.floor(dayOfCycle / 36_524) + Math.floor(dayOfCycle / 146_096);
  const yearOfCycle = Math.floor((dayOfCycle - leapDays) / 365);
  const dayOfYear = dayOfCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0);
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  const date = [shown, String(month).padStart(2, '0'), String(day).padStart(2, '0')].join('-');
  return { date, era: year > 0 ? '' : ' (BC)' };
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
