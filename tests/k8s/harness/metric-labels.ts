import { readFileSync } from 'node:fs';
import { createMetrics, measureProcess } from '@millrace/telemetry';

const DOCS = new URL('../../../docs/metrics.md', import.meta.url);
/** Name, type, labels. */
const ROW = /^\| `(millrace_\w+)`\s*\| \w+\s*\| ([^|]*?)\s*\|/gm;
/** Those that every sample has: its own, and what Prometheus says of where it comes from. */
const EVERYWHERE = ['service', 'le', 'namespace', 'pod', 'job', 'instance'];
const OF_KUBERNETES = ['job_name', 'condition'];

/** Labels by metric: of ours, as `docs/metrics.md` has them, which is compared with the services; and of Node. */
export function metricLabels(): ReadonlyMap<string, readonly string[]> {
  const rows = [...readFileSync(DOCS, 'utf8').matchAll(ROW)];
  const ours = rows.map(([, name = '', labels = '']) => [name, wordsIn(labels)] as const);
  const registry = createMetrics('test');
  measureProcess(registry);
  const ofNode = registry.getMetricsAsArray().map((metric) => {
    const { labelNames = [] } = metric as { readonly labelNames?: readonly string[] };
    return [metric.name, labelNames] as const;
  });
  return new Map([...ours, ...ofNode]);
}

/**
 * Labels that an expression selects or groups by and that no metric in it has: it would find nothing, and say nothing.
 *
 * @param names the metrics in it
 */
export function strangeLabels(
  expression: string,
  { names, labels }: { readonly names: readonly string[]; readonly labels: ReadonlyMap<string, readonly string[]> },
): string[] {
  const selected = [...expression.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label);
  const grouped = [...expression.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    wordsIn(list),
  );
  const known = new Set([...EVERYWHERE, ...OF_KUBERNETES, ...names.flatMap((name) => labels.get(name) ?? [])]);
  return [...new Set([...selected, ...grouped])].filter((label) => !known.has(label));
}

const wordsIn = (text: string): string[] => text.match(/\w+/g) ?? [];
