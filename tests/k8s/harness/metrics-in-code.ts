import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createMetrics, measureProcess } from '@millrace/telemetry';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** A metric where it is made: `new Counter({ name: 'millrace_…'`, or through a helper with the same field. */
const MADE = /\bname: '(millrace_[a-z_]+)'/g;
const NAMED = /\b(?:millrace|nodejs|process)_[a-z0-9_]+/g;
const PARTS_OF_HISTOGRAMS = /_(bucket|count|sum)$/;

/** Names of all metrics that a process of Millrace may have: ours, as the sources say, and those of Node. */
export function metricsInCode(): Set<string> {
  const sources = globSync('{apps,libs}/*/src/**/*.ts', { cwd: ROOT }).filter((path) => !path.endsWith('.spec.ts'));
  const ours = sources.flatMap((path) => [...readFileSync(ROOT + path, 'utf8').matchAll(MADE)].map(([, name]) => name));
  const registry = createMetrics('test');
  measureProcess(registry);
  const ofNode = registry.getMetricsAsArray().map(({ name }) => name);
  return new Set([...ours, ...ofNode].filter((name) => name !== undefined));
}

/** Names of metrics in an expression, that of the histogram for its parts. */
export function metricsIn(expression: string, known: ReadonlySet<string>): string[] {
  const names = [...expression.matchAll(NAMED)].map(([name]) => name);
  return [...new Set(names.map((name) => (known.has(name) ? name : name.replace(PARTS_OF_HISTOGRAMS, ''))))];
}
