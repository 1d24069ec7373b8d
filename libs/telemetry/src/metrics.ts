import { AggregatorRegistry, collectDefaultMetrics, type Metric, type MetricObject, Registry } from 'prom-client';
import { addTotals } from './read-metrics.js';
import { countSpans } from './tracing/start-tracing.js';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Metrics as the text that Prometheus reads. A `Registry` is one. */
export interface MetricsPage {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** A start that is tried again makes its metrics anew: the last ones count. */
class ServiceRegistry extends Registry {
  override registerMetric<T extends string>(metric: Metric<T>): void {
    const { name } = metric as unknown as { readonly name: string };
    this.removeSingleMetric(name);
    super.registerMetric(metric);
  }
}

/** The metrics of one service, which the label `service` names. Labels are bounded: routes, codes, job kinds. */
export function createMetrics(service: string): Registry {
  const registry = new ServiceRegistry();
  registry.setDefaultLabels({ service });
  return registry;
}

/** Measures the Node process as well: once per process, however many services are in it. */
export function measureProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  measureTracing(registry);
}

function measureTracing(registry: Registry): void {
  addTotals(registry, {
    name: 'millrace_spans_sent_total',
    help: 'Spans that the collector of traces has taken.',
    labelNames: [],
    read: () => [[{}, countSpans().sentCount]],
  });
  addTotals(registry, {
    name: 'millrace_spans_lost_total',
    help: 'Spans that were lost, by reason: queue_full or send_failed.',
    labelNames: ['reason'],
    read: () => Object.entries(countSpans().lostCounts).map(([reason, count]) => [{ reason }, count]),
  });
}

/** One page of what several services in this process measure; each keeps its label `service`. */
export function joinMetrics(registries: readonly Registry[]): MetricsPage {
  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    metrics: async () => {
      const sets = await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()));
      return AggregatorRegistry.aggregate(sets.map((set) => set.map(kept))).metrics();
    },
  };
}

/** Some metrics of a process mean nothing when added up, and would be left out; here there is one process only. */
function kept(metric: MetricObject): MetricObject {
  return String(metric.aggregator) === 'omit' ? { ...metric, aggregator: 'first' } : metric;
}
