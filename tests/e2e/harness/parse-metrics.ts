export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Metric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** The labels that its samples have, in order, beside `service` and `le`. */
  readonly labels: readonly string[];
  readonly samples: readonly Sample[];
}

const EVERYWHERE: ReadonlySet<string> = new Set(['service', 'le']);
const SAMPLE = /^(\w+)(?:\{(.*)\})? (\S+)$/;

/** A page of metrics by name; of histograms also `_count`, `_sum` and `_bucket` by theirs. */
export function parseMetrics(page: string): Map<string, Metric> {
  const samples = new Map<string, Sample[]>();
  for (const line of page.split('\n')) {
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined) continue;
    const known = samples.get(name) ?? [];
    samples.set(name, [...known, { labels: labelsOf(labels), value: Number(value) }]);
  }
  const metrics = new Map<string, Metric>();
  for (const [, name = '', help = ''] of page.matchAll(/^# HELP (\w+) (.*)$/gm)) {
    const type = new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(page)?.[1] ?? '';
    const own = samples.get(name) ?? samples.get(`${name}_count`) ?? [];
    metrics.set(name, { name, type, help, labels: namesOf(own), samples: own });
  }
  for (const [name, own] of samples) {
    if (!metrics.has(name)) metrics.set(name, { name, type: 'part', help: '', labels: namesOf(own), samples: own });
  }
  return metrics;
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [label, value]));
}

function namesOf(samples: readonly Sample[]): string[] {
  const names = new Set(samples.flatMap(({ labels }) => Object.keys(labels)));
  return [...names].filter((name) => !EVERYWHERE.has(name)).toSorted();
}
