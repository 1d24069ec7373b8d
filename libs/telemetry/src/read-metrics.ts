import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Values at one moment, each with its labels. */
export type Readings<Label extends string> = readonly (readonly [Readonly<Record<Label, string>>, number])[];

/** A page of metrics is not held up by one of them, such as that of a database that is away. */
const READ_MAX_MS = 3_000;

export interface Totals<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
  /** The counts at this moment, each with its labels. They never fall. */
  readonly read: () => Readings<Label>;
}

/** A counter of what something else counts; asked when somebody looks. */
export function addTotals<Label extends string>(registry: Registry, totals: Totals<Label>): void {
  const { name, help, labelNames, read } = totals;
  const counter: Counter<Label> = new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const [labels, count] of read()) counter.inc(labels, count);
    },
  });
}

export interface Level<Label extends string> extends Omit<Totals<Label>, 'read'> {
  /** The values at this moment, each with its labels. */
  readonly read: () => Readings<Label> | Promise<Readings<Label>>;
}

/** A gauge of what something else knows; asked when somebody looks. One that can't be read then is left out. */
export function addLevel<Label extends string>(registry: Registry, level: Level<Label>): void {
  const { name, help, labelNames, read } = level;
  const gauge: Gauge<Label> = new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect: async () => {
      gauge.reset();
      // Without labels that leaves a 0, which nobody has read.
      if (labelNames.length === 0) gauge.remove();
      for (const [labels, value] of await readOrNone(read)) gauge.set(labels, value);
    },
  });
}

async function readOrNone<Label extends string>(read: Level<Label>['read']): Promise<Readings<Label>> {
  const timer = new AbortController();
  const tooLong = sleep(READ_MAX_MS, [], { signal: timer.signal });
  try {
    return await Promise.race([read(), tooLong]);
  } catch {
    return [];
  } finally {
    timer.abort();
  }
}
