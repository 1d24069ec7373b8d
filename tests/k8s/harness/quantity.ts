const UNITS: Readonly<Record<string, number>> = { '': 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 };

/** Bytes of a quantity such as `512Mi`. @throws Error for a unit that none of ours has */
export function bytesOf(quantity: string | number | undefined): number {
  const [, number, unit = ''] = /^(\d+)(\w*)$/.exec(String(quantity)) ?? [];
  const factor = UNITS[unit];
  if (number === undefined || factor === undefined) throw new Error(`${String(quantity)} is no number of bytes`);
  return Number(number) * factor;
}
